import CLibPQ
import Fairlead

/// The arguments of one statement as libpq takes them.
struct PostgresArguments {
  private var bytes: [UInt8] = [0]
  private var offsets: [Int?] = []
  private var lengths: [Int32] = []
  private var formats: [Int32] = []

  /// Encodes each value for the type that the server inferred for its placeholder.
  /// - Throws: `StorageError` for a value that cannot go there.
  init(_ values: [SQLValue], types: [Oid]) throws {
    guard values.count == types.count else {
      throw StorageError.statement(
        "the statement takes \(types.count) arguments and was given \(values.count)")
    }
    for (value, type) in zip(values, types) { try append(value, type) }
  }

  func withPointers<Output>(
    _ body: (
      _ count: Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>,
      UnsafePointer<Int32>
    ) -> Output
  ) -> Output {
    bytes.withUnsafeBytes { buffer in
      let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
      let pointers = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) } }
      return body(Int32(pointers.count), pointers, lengths, formats)
    }
  }

  private mutating func append(_ value: SQLValue, _ type: Oid) throws {
    switch (value, type) {
    case (.null, _):
      offsets.append(nil)
      lengths.append(0)
      formats.append(0)
    case (.text(let text), _):
      guard !text.utf8.contains(0) else {
        throw StorageError.constraintViolation("text with a NUL character cannot be stored")
      }
      guard type != PostgresType.bytes else { throw Self.mismatch("text", "bytes are") }
      try add(text.utf8, isBinary: PostgresType.texts.contains(type))
    case (.integer(let number), PostgresType.int8): try add(Self.bigEndian(number), isBinary: true)
    case (.integer(let number), PostgresType.float8):
      try add(Self.bigEndian(Double(number).bitPattern), isBinary: true)
    case (.integer(let number), PostgresType.bool):
      try add([number == 0 ? 0 : 1], isBinary: true)
    case (.integer(let number), _):
      guard type != PostgresType.bytes else { throw Self.mismatch("a number", "bytes are") }
      try add(String(number).utf8, isBinary: false)
    case (.double(let number), PostgresType.float8):
      try add(Self.bigEndian(number.bitPattern), isBinary: true)
    case (.double(let number), _):
      guard type != PostgresType.bytes else { throw Self.mismatch("a number", "bytes are") }
      try add("\(number)".utf8, isBinary: false)
    case (.blob(let blob), PostgresType.bytes): try add(blob, isBinary: true)
    case (.blob, _): throw Self.mismatch("bytes", "something else is")
    }
  }

  private mutating func add(_ content: some Collection<UInt8>, isBinary: Bool) throws {
    guard let length = Int32(exactly: content.count), bytes.count < 1 << 30 else {
      throw StorageError.constraintViolation("a value is too large to be stored")
    }
    offsets.append(bytes.count)
    lengths.append(length)
    formats.append(isBinary ? 1 : 0)
    bytes.append(contentsOf: content)
    // What goes as text ends with a NUL.
    bytes.append(0)
  }

  private static func mismatch(_ value: String, _ place: String) -> StorageError {
    .statement("\(value) was given where \(place) expected")
  }

  private static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}
