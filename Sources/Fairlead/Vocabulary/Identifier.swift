/// What an identifier names; supplies the prefix that makes ids tell their kind.
public protocol IdentifierKind: Sendable {
  /// The part before the underscore, for example `conn`.
  static var prefix: String { get }
}

/// A prefixed, sortable id such as `conn_06f3k9…`: 48 bits of milliseconds, then 80 random bits,
/// in Crockford's base 32. Ids made later sort later, to the millisecond.
public struct Identifier<Kind: IdentifierKind>: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: String

  /// Wraps an id that came from storage or from a caller. Any text is accepted: an id that was
  /// never issued simply finds nothing.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// Issues a fresh id.
  public init(at now: Timestamp, random: RandomSource) {
    var text = Kind.prefix
    text.reserveCapacity(Kind.prefix.utf8.count + 27)
    text.append("_")
    let milliseconds = UInt64(max(0, now.microseconds / 1_000))
    for shift in stride(from: 45, through: 0, by: -5) {
      text.unicodeScalars.append(Self.symbol(milliseconds >> UInt64(shift)))
    }
    let high = random.next()
    let low = random.next()
    for shift in stride(from: 35, through: 0, by: -5) {
      text.unicodeScalars.append(Self.symbol(high >> UInt64(shift)))
    }
    for shift in stride(from: 35, through: 0, by: -5) {
      text.unicodeScalars.append(Self.symbol(low >> UInt64(shift)))
    }
    rawValue = text
  }

  public static func < (left: Self, right: Self) -> Bool {
    left.rawValue < right.rawValue
  }

  private static func symbol(_ value: UInt64) -> Unicode.Scalar {
    Unicode.Scalar(identifierAlphabet[Int(value & 31)])
  }
}

/// Crockford's base 32, lower case: no `i`, `l`, `o`, `u`, so ids survive being read aloud.
private let identifierAlphabet: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

extension Identifier: CustomStringConvertible {
  public var description: String { rawValue }
}

extension Identifier: Codable {
  public init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

public enum ConnectionKind: IdentifierKind { public static let prefix = "conn" }
public enum EventKind: IdentifierKind { public static let prefix = "evt" }
public enum DeliveryKind: IdentifierKind { public static let prefix = "dlv" }
public enum DestinationKind: IdentifierKind { public static let prefix = "dest" }
public enum JobKind: IdentifierKind { public static let prefix = "job" }
public enum RequestKind: IdentifierKind { public static let prefix = "req" }
public enum APIKeyKind: IdentifierKind { public static let prefix = "key" }
public enum SyncKind: IdentifierKind { public static let prefix = "sync" }

public typealias ConnectionID = Identifier<ConnectionKind>
public typealias EventID = Identifier<EventKind>
public typealias DeliveryID = Identifier<DeliveryKind>
public typealias DestinationID = Identifier<DestinationKind>
public typealias JobID = Identifier<JobKind>
public typealias RequestID = Identifier<RequestKind>
public typealias APIKeyID = Identifier<APIKeyKind>
public typealias SyncID = Identifier<SyncKind>
