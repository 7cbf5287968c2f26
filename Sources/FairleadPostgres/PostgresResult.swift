import CLibPQ
import Fairlead

/// The answer to one statement; frees libpq's copy when it goes.
struct PostgresResult: ~Copyable {
  private let result: OpaquePointer

  /// - Throws: `StatementFailure` when the statement failed.
  init(_ result: OpaquePointer?, on link: OpaquePointer) throws {
    guard let result,
      PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK
    else {
      defer { PQclear(result) }
      throw StatementFailure(result, on: link)
    }
    self.result = result
  }

  deinit { PQclear(result) }

  /// What the server says it did, such as `UPDATE 3`.
  var command: String { String(cString: PQcmdStatus(result)) }

  /// How many rows a statement that writes has changed.
  var changes: Int {
    let words = command.split(separator: " ")
    guard let verb = words.first, ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(verb) else {
      return 0
    }
    return words.last.flatMap { Int($0) } ?? 0
  }

  var parameterTypes: [Oid] { (0..<PQnparams(result)).map { PQparamtype(result, $0) } }

  var columnTypes: [Oid] { (0..<PQnfields(result)).map { PQftype(result, $0) } }

  /// - Throws: `StorageError.corrupt` for a value that is not what its type says.
  func rows() throws -> [SQLRow] {
    let types = columnTypes
    return try (0..<PQntuples(result)).map { row in
      SQLRow(
        values: try types.indices.map { try value(row, Int32($0), of: types[$0]) })
    }
  }

  private func value(_ row: Int32, _ column: Int32, of type: Oid) throws -> SQLValue {
    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
      return .null
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
    let value = PQfformat(result, column) == 1 ? Self.binary(bytes, type) : Self.text(bytes, type)
    guard let value else {
      throw StorageError.corrupt("column \(column) does not hold what its type says")
    }
    return value
  }

  private static func binary(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
    func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
      guard bytes.count == MemoryLayout<Number>.size else { return nil }
      return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }
    return switch type {
    case PostgresType.int8: number(Int64.self).map { .integer($0) }
    case PostgresType.int4: number(Int32.self).map { .integer(Int64($0)) }
    case PostgresType.int2: number(Int16.self).map { .integer(Int64($0)) }
    case PostgresType.oid: number(UInt32.self).map { .integer(Int64($0)) }
    case PostgresType.bool: number(UInt8.self).map { .integer(Int64($0)) }
    case PostgresType.float8: number(UInt64.self).map { .double(Double(bitPattern: $0)) }
    case PostgresType.float4: number(UInt32.self).map { .double(Double(Float(bitPattern: $0))) }
    case PostgresType.bytes: .blob(Array(bytes))
    case PostgresType.void: .null
    default: .text(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// For results with a column whose binary form is not read here: sums, which are `numeric`.
  private static func text(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
    let text = String(decoding: bytes, as: UTF8.self)
    return switch type {
    case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.oid:
      Int64(text).map { .integer($0) }
    case PostgresType.float8, PostgresType.float4: Double(text).map { .double($0) }
    case PostgresType.bool: .integer(text == "t" ? 1 : 0)
    case PostgresType.bytes: blob(bytes)
    case PostgresType.void: .null
    case 1_700: Int64(text).map { .integer($0) } ?? Double(text).map { .double($0) }
    default: .text(text)
    }
  }

  /// `\x` and hexadecimal digits.
  private static func blob(_ text: UnsafeRawBufferPointer) -> SQLValue? {
    guard text.count >= 2, text.count % 2 == 0 else { return nil }
    func digit(_ byte: UInt8) -> UInt8? {
      Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2 - 1)
    for index in stride(from: 2, to: text.count, by: 2) {
      guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return .blob(bytes)
  }
}
