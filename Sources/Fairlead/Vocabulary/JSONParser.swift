/// A strict reader of JSON (RFC 8259) into `JSONValue`.
///
/// It exists because Foundation's two readers do not fit a path that every webhook and every
/// failed call takes: `JSONDecoder` tries each type at each value and is tens of times slower,
/// `JSONSerialization` rounds 64-bit integers. Nesting is bounded, so that hostile input cannot
/// exhaust the stack.
struct JSONParser {
  static let maximumDepth = 512

  struct Failure: Error {
    let offset: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0
  private var depth = 0

  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.index == bytes.count else { throw parser.failure }
    return value
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  private var failure: Failure { Failure(offset: index) }
  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  private mutating func take(_ expected: UInt8) throws(Failure) {
    guard byte == expected else { throw failure }
    index += 1
  }

  private mutating func value() throws(Failure) -> JSONValue {
    skipSpace()
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(Failure) -> JSONValue {
    for offset in 0..<text.utf8CodeUnitCount { try take(text.utf8Start[offset]) }
    return value
  }

  private mutating func enter() throws(Failure) {
    depth += 1
    guard depth <= Self.maximumDepth else { throw failure }
    index += 1
    skipSpace()
  }

  private mutating func object() throws(Failure) -> JSONValue {
    try enter()
    var members: [String: JSONValue] = [:]
    if byte != UInt8(ascii: "}") {
      while true {
        skipSpace()
        let key = try string()
        skipSpace()
        try take(UInt8(ascii: ":"))
        // The last of equal names counts, as with most readers.
        members[key] = try value()
        skipSpace()
        guard byte == UInt8(ascii: ",") else { break }
        index += 1
      }
    }
    try take(UInt8(ascii: "}"))
    depth -= 1
    return .object(members)
  }

  private mutating func array() throws(Failure) -> JSONValue {
    try enter()
    var elements: [JSONValue] = []
    if byte != UInt8(ascii: "]") {
      while true {
        elements.append(try value())
        skipSpace()
        guard byte == UInt8(ascii: ",") else { break }
        index += 1
      }
    }
    try take(UInt8(ascii: "]"))
    depth -= 1
    return .array(elements)
  }
}

// MARK: - Strings and numbers

extension JSONParser {
  private mutating func string() throws(Failure) -> String {
    try take(UInt8(ascii: "\""))
    let start = index
    // Most strings have no escape: then their bytes are the text.
    while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      index += 1
    }
    if byte == UInt8(ascii: "\"") {
      let text = String(validating: bytes[start..<index], as: UTF8.self)
      guard let text else { throw failure }
      index += 1
      return text
    }
    var unescaped = Array(bytes[start..<index])
    while let byte, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw failure }
      index += 1
      if byte == UInt8(ascii: "\\") {
        try escape(into: &unescaped)
      } else {
        unescaped.append(byte)
      }
    }
    try take(UInt8(ascii: "\""))
    guard let text = String(validating: unescaped, as: UTF8.self) else { throw failure }
    return text
  }

  private mutating func escape(into text: inout [UInt8]) throws(Failure) {
    guard let kind = byte else { throw failure }
    index += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: Array(Character(try escapedScalar()).utf8))
    default: throw failure
    }
  }

  /// The scalar of `\uXXXX`, two of them for one above U+FFFF.
  private mutating func escapedScalar() throws(Failure) -> Unicode.Scalar {
    let unit = try codeUnit()
    if let scalar = Unicode.Scalar(UInt32(unit)) { return scalar }
    guard (0xD800..<0xDC00).contains(unit) else { throw failure }
    try take(UInt8(ascii: "\\"))
    try take(UInt8(ascii: "u"))
    let low = try codeUnit()
    guard (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(
        0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
    else { throw failure }
    return scalar
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte else { throw failure }
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: throw failure
      }
      unit = unit << 4 | UInt16(digit)
      index += 1
    }
    return unit
  }

  private mutating func number() throws(Failure) -> JSONValue {
    let start = index
    if byte == UInt8(ascii: "-") { index += 1 }
    let first = byte
    let whole = digits()
    guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw failure }
    var isWhole = true
    if byte == UInt8(ascii: ".") {
      isWhole = false
      index += 1
      guard digits() > 0 else { throw failure }
    }
    if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      isWhole = false
      index += 1
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { index += 1 }
      guard digits() > 0 else { throw failure }
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .int(integer) }
    guard let double = Double(text), double.isFinite else { throw failure }
    return .double(double)
  }

  private mutating func digits() -> Int {
    let start = index
    while let byte, (0x30...0x39).contains(byte) { index += 1 }
    return index - start
  }
}
