#if canImport(SwiftUI) && canImport(UIKit) && canImport(PhotosUI)
import PhotosUI
import SwiftUI
import UIKit

/// One picture of the person's choice, by the system's own screen: the app sees that one and needs no permission. Given as PNG of a size that a code is
/// still read from; nothing when none was chosen.
struct PicturePicker: UIViewControllerRepresentable {
    private let chosen: @MainActor (Data?) -> Void

    init(chosen: @escaping @MainActor (Data?) -> Void) {
        self.chosen = chosen
    }

    /// Hears what was chosen.
    final class Coordinator: NSObject, PHPickerViewControllerDelegate {
        private nonisolated static let mostPoints: CGFloat = 2000
        private let chosen: @MainActor (Data?) -> Void

        init(chosen: @escaping @MainActor (Data?) -> Void) {
            self.chosen = chosen
        }

        func picker(_ picker: PHPickerViewController, didFinishPicking results: [PHPickerResult]) {
            let tell = chosen
            guard let provider = results.first?.itemProvider, provider.canLoadObject(ofClass: UIImage.self) else {
                Task { @MainActor in tell(nil) }
                return
            }
            provider.loadObject(ofClass: UIImage.self) { loaded, _ in
                let png = (loaded as? UIImage).flatMap { Coordinator.png($0) }
                Task { @MainActor in tell(png ?? Data()) }
            }
        }

        private nonisolated static func png(_ picture: UIImage) -> Data? {
            guard picture.size.width > 0, picture.size.height > 0 else { return nil }
            let scale = min(1, mostPoints / max(picture.size.width, picture.size.height))
            let size = CGSize(width: (picture.size.width * scale).rounded(), height: (picture.size.height * scale).rounded())
            let format = UIGraphicsImageRendererFormat()
            format.scale = 1
            format.opaque = true
            return UIGraphicsImageRenderer(size: size, format: format).pngData { _ in picture.draw(in: CGRect(origin: .zero, size: size)) }
        }
    }

    func makeCoordinator() -> Coordinator {
        Coordinator(chosen: chosen)
    }

    func makeUIViewController(context: Context) -> PHPickerViewController {
        var configuration = PHPickerConfiguration()
        configuration.filter = .images
        configuration.selectionLimit = 1
        let picker = PHPickerViewController(configuration: configuration)
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_ picker: PHPickerViewController, context: Context) {}
}
#endif
