/// The value of a `Link` header (RFC 8288 section 3), read as far as its targets; everything else
/// stays as it was written.
struct LinkHeader: Sendable {
  /// Larger values are no navigation; they pass as they are.
  static let longest = 64 << 10
  static let mostLinks = 256

  private let bytes: [UInt8]
  /// Where the targets stand, without their brackets.
  private let ranges: [Range<Int>]

  /// `nil` for what is no list of links, or one beyond the bounds.
  init?(_ value: String) {
    guard value.utf8.count <= Self.longest else { return nil }
    bytes = Array(value.utf8)
    guard let ranges = Self.targets(in: bytes) else { return nil }
    self.ranges = ranges
  }

  var targets: [String] { ranges.map { String(decoding: bytes[$0], as: UTF8.self) } }

  /// The value with some of the targets exchanged.
  /// - Parameter change: the new target; `nil` to leave it.
  func rewritten(_ change: (String) -> String?) -> String {
    var result: [UInt8] = []
    var copied = 0
    for range in ranges {
      guard let target = change(String(decoding: bytes[range], as: UTF8.self)) else { continue }
      result += bytes[copied..<range.lowerBound]
      result += target.utf8
      copied = range.upperBound
    }
    result += bytes[copied...]
    return String(decoding: result, as: UTF8.self)
  }

  private static func targets(in bytes: [UInt8]) -> [Range<Int>]? {
    var reader = Reader(bytes: bytes)
    var ranges: [Range<Int>] = []
    while true {
      // Lists may have empty elements (RFC 9110 section 5.6.1).
      reader.skip { $0 == UInt8(ascii: ",") || Reader.isSpace($0) }
      guard !reader.isAtEnd else { return ranges }
      guard ranges.count < mostLinks, let target = reader.target(), reader.parameters() else {
        return nil
      }
      ranges.append(target)
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index >= bytes.count }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    mutating func skip(while matches: (UInt8) -> Bool) {
      while index < bytes.count, matches(bytes[index]) { index += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    /// `<…>`; what is between the brackets may hold commas and semicolons.
    mutating func target() -> Range<Int>? {
      guard take("<") else { return nil }
      let start = index
      skip { $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "<") }
      let range = start..<index
      return take(">") ? range : nil
    }

    /// `; name=value` as often as it comes, to the comma or the end.
    mutating func parameters() -> Bool {
      while true {
        skip(while: Self.isSpace)
        if isAtEnd || bytes[index] == UInt8(ascii: ",") { return true }
        guard take(";") else { return false }
        skip(while: Self.isSpace)
        guard parameter() else { return false }
      }
    }

    private mutating func parameter() -> Bool {
      let start = index
      skip { !Self.isSpace($0) && !"=;,\"<>".utf8.contains($0) }
      // An empty parameter is allowed: `; ;`.
      if index == start {
        return isAtEnd || bytes[index] == UInt8(ascii: ";") || bytes[index] == UInt8(ascii: ",")
      }
      skip(while: Self.isSpace)
      guard take("=") else { return true }
      skip(while: Self.isSpace)
      if take("\"") { return quoted() }
      skip { !Self.isSpace($0) && !";,\"".utf8.contains($0) }
      return true
    }

    private mutating func quoted() -> Bool {
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "\""):
          index += 1
          return true
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
      }
      return false
    }
  }
}
