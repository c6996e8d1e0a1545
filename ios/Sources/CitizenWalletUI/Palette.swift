#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import SwiftUI
import UIKit

/// Colours by day and night, the same as on Android. Every text and its ground have a contrast of at least 4.5:1.
enum Palette {
    static let ground = pair(0xF3F5F8, 0x0F1318)
    static let surface = pair(0xFFFFFF, 0x191F27)
    static let line = pair(0xD5DAE1, 0x37414D)
    static let text = pair(0x16191D, 0xEEF1F5)
    static let quiet = pair(0x4A525C, 0xB4BDC8)
    static let accent = pair(0x1A4F8B, 0x9CC4F2)
    static let onAccent = pair(0xFFFFFF, 0x0A2747)
    static let accentSoft = pair(0xE3EDF8, 0x1D334D)
    static let onAccentSoft = pair(0x123A68, 0xCFE3FA)
    static let greenSoft = pair(0xE2F2E8, 0x163524)
    static let onGreenSoft = pair(0x0E4A28, 0xBFECCF)
    static let amberSoft = pair(0xFDF0DA, 0x3D2E14)
    static let onAmberSoft = pair(0x5E3800, 0xFBE0B0)
    static let redSoft = pair(0xFCE6E4, 0x472020)
    static let onRedSoft = pair(0x7A1414, 0xFFD9D4)

    private static func pair(_ day: UInt32, _ night: UInt32) -> Color {
        Color(UIColor { traits in traits.userInterfaceStyle == .dark ? colour(night) : colour(day) })
    }

    private static func colour(_ rgb: UInt32) -> UIColor {
        let red = CGFloat((rgb >> 16) & 0xff) / 255
        let green = CGFloat((rgb >> 8) & 0xff) / 255
        let blue = CGFloat(rgb & 0xff) / 255
        return UIColor(red: red, green: green, blue: blue, alpha: 1)
    }
}

/// What a card of text says by its ground.
enum Tone {
    case plain, accent, green, amber, red

    /// The tone of a verdict.
    init(_ colour: VerdictColour) {
        switch colour {
        case .green: self = .green
        case .amber: self = .amber
        case .red: self = .red
        }
    }

    /// The ground.
    var ground: Color {
        switch self {
        case .plain: return Palette.surface
        case .accent: return Palette.accentSoft
        case .green: return Palette.greenSoft
        case .amber: return Palette.amberSoft
        case .red: return Palette.redSoft
        }
    }

    /// Text on it.
    var text: Color {
        switch self {
        case .plain: return Palette.text
        case .accent: return Palette.onAccentSoft
        case .green: return Palette.onGreenSoft
        case .amber: return Palette.onAmberSoft
        case .red: return Palette.onRedSoft
        }
    }

    /// Less important text on it.
    var quiet: Color {
        self == .plain ? Palette.quiet : text
    }
}
#endif
