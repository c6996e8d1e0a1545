// Stand-in of SwiftUI: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
@_exported import Combine
import UniformTypeIdentifiers
@MainActor @preconcurrency public protocol View { associatedtype Body: View
   @ViewBuilder @MainActor var body: Body { get } }
extension Never: View { public var body: Never { fatalError() } }
public protocol Prim: View where Body == Never {}
extension Prim { public var body: Never { fatalError() } }
@resultBuilder public struct ViewBuilder {
  public static func buildBlock() -> EmptyView { EmptyView() }
  public static func buildExpression<C: View>(_ c: C) -> C { c }
  public static func buildBlock<C: View>(_ c: C) -> C { c }
  public static func buildBlock<each C: View>(_ c: repeat each C) -> TupleView<(repeat each C)> { TupleView((repeat each c)) }
  public static func buildIf<C: View>(_ c: C?) -> C? { c }
  public static func buildEither<A: View, B: View>(first: A) -> Cond<A, B> { Cond() }
  public static func buildEither<A: View, B: View>(second: B) -> Cond<A, B> { Cond() }
}
public struct TupleView<T>: Prim { public init(_ t: T) {} }
public struct Cond<A: View, B: View>: Prim {}
extension Optional: View where Wrapped: View { public var body: Never { fatalError() } }
public struct EmptyView: Prim { public init() {} }
public struct AnyMod: Prim {}
public struct Group<C: View>: Prim { public init(@ViewBuilder content: () -> C) {} }
public enum HorizontalAlignment { case leading, center, trailing }
public enum VerticalAlignment { case top, center, bottom, firstTextBaseline }
public enum Alignment { case leading, center, trailing, topLeading }
public enum TextAlignment { case leading, center, trailing }
public struct VStack<C: View>: Prim { public init(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> C) {} }
public struct HStack<C: View>: Prim { public init(alignment: VerticalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> C) {} }
public struct ZStack<C: View>: Prim { public init(@ViewBuilder content: () -> C) {} }
public struct ScrollView<C: View>: Prim { public init(@ViewBuilder content: () -> C) {} }
public struct Spacer: Prim { public init() {} }
public struct Text: Prim { public init<S: StringProtocol>(_ s: S) {}
   public func font(_ f: Font?) -> Text { self }
   public func foregroundColor(_ c: Color?) -> Text { self }
   public func bold() -> Text { self } }
public struct Font { public static let body = Font(), title = Font(), title2 = Font(), title3 = Font(), largeTitle = Font(), headline = Font(), subheadline = Font()
   public func bold() -> Font { self } }
public struct Color: Prim { public static let black = Color(), white = Color(), clear = Color()
   init() {}
   public init(_ c: UIColorStub) {} }
public protocol UIColorStubbed {}
public typealias UIColorStub = any UIColorStubbed
public struct Image: Prim { public init(systemName: String) {}
   public init(uiImage: any UIImageStubbed) {}
   public func resizable() -> Image { self } }
public protocol UIImageStubbed {}
public struct Button<L: View>: Prim { public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> L) {} }
extension Button where L == Text { public init<S: StringProtocol>(_ t: S, action: @escaping @MainActor () -> Void) {} }
public struct Toggle<L: View>: Prim { public init(isOn: Binding<Bool>, @ViewBuilder label: () -> L) {} }
extension Toggle where L == Text { public init<S: StringProtocol>(_ t: S, isOn: Binding<Bool>) {} }
public struct TextField: Prim { public init<S: StringProtocol>(_ t: S, text: Binding<String>) {} }
public struct Picker<V: Hashable, C: View>: Prim { public init<S: StringProtocol>(_ t: S, selection: Binding<V>, @ViewBuilder content: () -> C) {} }
public struct ProgressView: Prim { public init() {} }
public struct NavigationLink<L: View, D: View>: Prim { public init(destination: D, @ViewBuilder label: () -> L) {} }
public struct NavigationView<C: View>: Prim { public init(@ViewBuilder content: () -> C) {} }
public struct ForEach<D: RandomAccessCollection, ID: Hashable, C: View>: Prim {
  public init(_ d: D, id: KeyPath<D.Element, ID>, @ViewBuilder content: @escaping (D.Element) -> C) {} }
extension ForEach where D.Element: Identifiable, ID == D.Element.ID { public init(_ d: D, @ViewBuilder content: @escaping (D.Element) -> C) {} }
public struct Path { public init(_ r: CGRect) {} }
public struct GraphicsContext { public struct Shading { public static func color(_ c: Color) -> Shading { Shading() } }
   public func fill(_ p: Path, with: Shading) {} }
public struct Canvas: Prim { public init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) {} }
@propertyWrapper public struct State<V> { public init(wrappedValue: V) {}
   public var wrappedValue: V { get { fatalError() } nonmutating set {} }
   public var projectedValue: Binding<V> { fatalError() } }
extension State where V: ExpressibleByNilLiteral { public init() {} }
@propertyWrapper public struct Binding<V> { public var wrappedValue: V { get { fatalError() } nonmutating set {} }
   public init(get: @escaping () -> V, set: @escaping (V) -> Void) {}
   public var projectedValue: Binding<V> { self } }
@propertyWrapper @MainActor public struct StateObject<O: ObservableObject> { public init(wrappedValue: @autoclosure @escaping () -> O) {}
   public var wrappedValue: O { fatalError() }
   public var projectedValue: Wrap<O> { fatalError() } }
@dynamicMemberLookup public struct Wrap<O> { public subscript<V>(dynamicMember k: ReferenceWritableKeyPath<O, V>) -> Binding<V> { fatalError() } }
@propertyWrapper @MainActor public struct ObservedObject<O: ObservableObject> { public init(wrappedValue: O) {}
   public var wrappedValue: O { get { fatalError() } set {} }
   public var projectedValue: Wrap<O> { fatalError() } }
@propertyWrapper @MainActor public struct EnvironmentObject<O: ObservableObject> { public init() {}
   public var wrappedValue: O { fatalError() } }
@propertyWrapper public struct Environment<V> { public init(_ k: KeyPath<EnvironmentValues, V>) {}
   public var wrappedValue: V { fatalError() } }
public struct OpenURLAction { @MainActor public func callAsFunction(_ u: URL) {} }
public struct PresentationMode { public mutating func dismiss() {} }
public enum ScenePhase { case background, inactive, active }
public struct EnvironmentValues { public var openURL: OpenURLAction { fatalError() }
   public var presentationMode: Binding<PresentationMode> { fatalError() }
   public var scenePhase: ScenePhase { fatalError() }
   public var displayScale: CGFloat { 2 }
   public var isEnabled: Bool { true }
   public var locale: Locale { get { fatalError() } set {} } }
public struct AccessibilityTraits: OptionSet { public let rawValue: Int
   public init(rawValue: Int) { self.rawValue = rawValue }
   public static let isHeader = AccessibilityTraits(rawValue: 1), isSelected = AccessibilityTraits(rawValue: 2), isButton = AccessibilityTraits(rawValue: 4), isImage = AccessibilityTraits(rawValue: 8) }
public struct AccessibilityChildBehavior { public static let ignore = AccessibilityChildBehavior(), contain = AccessibilityChildBehavior(), combine = AccessibilityChildBehavior() }
public enum ContentMode { case fit, fill }
public struct Edge { public struct Set: OptionSet { public let rawValue: Int
   public init(rawValue: Int) { self.rawValue = rawValue }
   public static let horizontal = Set(rawValue: 1), all = Set(rawValue: 2) } }
public enum TitleMode { case large, inline, automatic }
public struct Kb { public static let numberPad = Kb() }
public struct Ct { public static let oneTimeCode = Ct() }
public struct Cap { public static let none = Cap() }
public struct RoundedStyle { public static let roundedBorder = RoundedStyle() }
public struct StackStyle { public static let stack = StackStyle() }
@MainActor extension View {
  public func frame(width: CGFloat? = nil, height: CGFloat? = nil, alignment: Alignment = .center) -> some View { self }
  public func frame(minWidth: CGFloat? = nil, idealWidth: CGFloat? = nil, maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil, idealHeight: CGFloat? = nil, maxHeight: CGFloat? = nil, alignment: Alignment = .center) -> some View { self }
  public func padding(_ l: CGFloat) -> some View { self }
  public func padding(_ e: Edge.Set = .all, _ l: CGFloat? = nil) -> some View { self }
  public func foregroundColor(_ c: Color?) -> some View { self }
  public func background<B: View>(_ b: B) -> some View { self }
  public func cornerRadius(_ r: CGFloat) -> some View { self }
  public func font(_ f: Font?) -> some View { self }
  public func multilineTextAlignment(_ a: TextAlignment) -> some View { self }
  public func ignoresSafeArea() -> some View { self }
  public func navigationTitle<S: StringProtocol>(_ s: S) -> some View { self }
  public func navigationBarTitleDisplayMode(_ m: TitleMode) -> some View { self }
  public func navigationViewStyle(_ s: StackStyle) -> some View { self }
  public func accessibilityLabel<S: StringProtocol>(_ s: S) -> some View { self }
  public func accessibilityHint<S: StringProtocol>(_ s: S) -> some View { self }
  public func accessibilityHidden(_ b: Bool) -> some View { self }
  public func accessibilityAddTraits(_ t: AccessibilityTraits) -> some View { self }
  public func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> some View { self }
  public func disabled(_ b: Bool) -> some View { self }
  public func onAppear(perform: (() -> Void)? = nil) -> some View { self }
  public func onDisappear(perform: (() -> Void)? = nil) -> some View { self }
  public func onChange<V: Equatable>(of: V, perform: @escaping (V) -> Void) -> some View { self }
  public func onReceive<P: Publisher>(_ p: P, perform: @escaping (P.Output) -> Void) -> some View { self }
  public func environmentObject<O: ObservableObject>(_ o: O) -> some View { self }
  public func environment<V>(_ k: WritableKeyPath<EnvironmentValues, V>, _ v: V) -> some View { self }
  public func tint(_ c: Color?) -> some View { self }
  public func id<H: Hashable>(_ h: H) -> some View { self }
  public func tag<H: Hashable>(_ h: H) -> some View { self }
  public func aspectRatio(_ r: CGFloat? = nil, contentMode: ContentMode) -> some View { self }
  public func scaledToFit() -> some View { self }
  public func keyboardType(_ k: Kb) -> some View { self }
  public func textContentType(_ k: Ct?) -> some View { self }
  public func textFieldStyle(_ s: RoundedStyle) -> some View { self }
  public func autocapitalization(_ c: Cap) -> some View { self }
  public func sheet<C: View>(isPresented: Binding<Bool>, onDismiss: (() -> Void)? = nil, @ViewBuilder content: @escaping () -> C) -> some View { self }
  public func opacity(_ o: Double) -> some View { self }
  public func toolbar<C: View>(@ToolbarContentBuilder content: () -> ToolbarItem<C>) -> some View { self }
  public func task(priority: TaskPriority = .userInitiated, _ action: @escaping @Sendable @MainActor () async -> Void) -> some View { self }
  public func fileExporter<D: FileDocument>(isPresented: Binding<Bool>, document: D?, contentType: UTType, defaultFilename: String? = nil, onCompletion: @escaping (Result<URL, Error>) -> Void) -> some View { self }
  public func fileImporter(isPresented: Binding<Bool>, allowedContentTypes: [UTType], onCompletion: @escaping (Result<URL, Error>) -> Void) -> some View { self }
  public func disableAutocorrection(_ b: Bool?) -> some View { self }
}
public struct ToolbarItemPlacement { public static let principal = ToolbarItemPlacement() }
public struct ToolbarItem<C: View> { public init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> C) {} }
@resultBuilder public struct ToolbarContentBuilder { public static func buildBlock<C: View>(_ c: ToolbarItem<C>) -> ToolbarItem<C> { c } }
public final class FileWrapper { public init(regularFileWithContents d: Data) {}
   public var regularFileContents: Data? { nil } }
public struct FileDocumentReadConfiguration { public let file: FileWrapper }
public struct FileDocumentWriteConfiguration {}
public protocol FileDocument { static var readableContentTypes: [UTType] { get }
   typealias ReadConfiguration = FileDocumentReadConfiguration
   typealias WriteConfiguration = FileDocumentWriteConfiguration
   init(configuration: ReadConfiguration) throws
   func fileWrapper(configuration: WriteConfiguration) throws -> FileWrapper }
@MainActor @preconcurrency public protocol UIViewRepresentable: View where Body == Never { associatedtype UIViewType
   typealias Context = Int
   func makeUIView(context: Context) -> UIViewType
   func updateUIView(_ v: UIViewType, context: Context) }
extension UIViewRepresentable { public var body: Never { fatalError() } }
@MainActor @preconcurrency public protocol UIViewControllerRepresentable: View where Body == Never { associatedtype UIViewControllerType
   associatedtype Coordinator
   typealias Context = UIViewControllerRepresentableContext<Self>
   func makeCoordinator() -> Coordinator
   func makeUIViewController(context: Context) -> UIViewControllerType
   func updateUIViewController(_ v: UIViewControllerType, context: Context) }
extension UIViewControllerRepresentable { public var body: Never { fatalError() } }
public struct UIViewControllerRepresentableContext<R: UIViewControllerRepresentable> { public var coordinator: R.Coordinator { fatalError() } }
@MainActor @preconcurrency public protocol Scene {}
public struct WindowGroup<C: View>: Scene { public init(@ViewBuilder content: () -> C) {} }
@MainActor @preconcurrency public protocol App { associatedtype B: Scene
   var body: B { get }
   init() }
extension App { public static func main() {} }
