// Stand-in of UniformTypeIdentifiers: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
public struct UTType: Sendable { public static let data = UTType(), item = UTType() }
