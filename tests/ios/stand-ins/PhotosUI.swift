// Stand-in of PhotosUI: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
import UIKit
public final class NSItemProvider { public func canLoadObject(ofClass c: AnyClass) -> Bool { false }
   public func loadObject(ofClass c: AnyClass, completionHandler: @escaping @Sendable (Any?, Error?) -> Void) {} }
public struct PHPickerResult { public let itemProvider: NSItemProvider }
public struct PHPickerFilter { public static let images = PHPickerFilter() }
public struct PHPickerConfiguration { public init() {}
   public var filter: PHPickerFilter?
   public var selectionLimit = 1 }
@MainActor public protocol PHPickerViewControllerDelegate: AnyObject { func picker(_ picker: PHPickerViewController, didFinishPicking results: [PHPickerResult]) }
@MainActor public final class PHPickerViewController { public init(configuration: PHPickerConfiguration) {}
   public weak var delegate: (any PHPickerViewControllerDelegate)? }
