// Stand-in of os: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
public struct OSLogPrivacy { public static let `public` = OSLogPrivacy() }
public struct OSLogInterpolation: StringInterpolationProtocol { public init(literalCapacity: Int, interpolationCount: Int) {}
   public mutating func appendLiteral(_ s: String) {}
   public mutating func appendInterpolation(_ s: String, privacy: OSLogPrivacy) {} }
public struct OSLogMessage: ExpressibleByStringInterpolation { public init(stringLiteral: String) {}
   public init(stringInterpolation: OSLogInterpolation) {} }
public struct Logger: Sendable { public init(subsystem: String, category: String) {}
   public func error(_ m: OSLogMessage) {}
   public func warning(_ m: OSLogMessage) {}
   public func info(_ m: OSLogMessage) {}
   public func debug(_ m: OSLogMessage) {} }
