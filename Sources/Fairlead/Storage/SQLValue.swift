/// A value that goes into or comes out of a statement.
public enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case double(Double)
  case text(String)
  case blob([UInt8])
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .text(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(nilLiteral: ()) { self = .null }

  public init(_ value: String?) { self = value.map { .text($0) } ?? .null }
  public init(_ value: Int) { self = .integer(Int64(value)) }
  public init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
  public init(_ value: Bool) { self = .integer(value ? 1 : 0) }
  public init(_ value: [UInt8]?) { self = value.map { .blob($0) } ?? .null }
  public init(_ value: Timestamp?) { self = value.map { .integer($0.microseconds) } ?? .null }
  public init<Kind>(_ value: Identifier<Kind>?) { self = value.map { .text($0.rawValue) } ?? .null }
  public init(_ value: IntegrationName?) { self = value.map { .text($0.rawValue) } ?? .null }
  public init(_ value: Owner?) { self = value.map { .text($0.rawValue) } ?? .null }
}

/// One row of a result, its columns in the order of the `SELECT`.
///
/// The typed getters throw `StorageError.corrupt` when a column holds something else: a row that
/// does not fit its statement is a defect or a damaged file, never a reason to crash.
public struct SQLRow: Sendable {
  public let values: [SQLValue]

  public init(values: [SQLValue]) { self.values = values }

  public func isNull(_ column: Int) -> Bool {
    !values.indices.contains(column) || values[column] == .null
  }

  public func int(_ column: Int) throws -> Int64 {
    guard case .integer(let value) = try value(column) else { throw mismatch(column, "an integer") }
    return value
  }

  public func text(_ column: Int) throws -> String {
    guard case .text(let value) = try value(column) else { throw mismatch(column, "text") }
    return value
  }

  public func blob(_ column: Int) throws -> [UInt8] {
    guard case .blob(let value) = try value(column) else { throw mismatch(column, "bytes") }
    return value
  }

  public func bool(_ column: Int) throws -> Bool { try int(column) != 0 }
  public func timestamp(_ column: Int) throws -> Timestamp {
    Timestamp(microseconds: try int(column))
  }

  public func id<Kind>(_ column: Int, as kind: Kind.Type = Kind.self) throws -> Identifier<Kind> {
    Identifier(rawValue: try text(column))
  }

  public func optionalInt(_ column: Int) throws -> Int64? {
    isNull(column) ? nil : try int(column)
  }

  public func optionalText(_ column: Int) throws -> String? {
    isNull(column) ? nil : try text(column)
  }

  public func optionalBlob(_ column: Int) throws -> [UInt8]? {
    isNull(column) ? nil : try blob(column)
  }

  public func optionalTimestamp(_ column: Int) throws -> Timestamp? {
    isNull(column) ? nil : try timestamp(column)
  }

  private func value(_ column: Int) throws -> SQLValue {
    guard values.indices.contains(column) else {
      throw StorageError.corrupt("column \(column) of \(values.count) was read")
    }
    return values[column]
  }

  private func mismatch(_ column: Int, _ expected: String) -> StorageError {
    .corrupt("column \(column) does not hold \(expected)")
  }
}
