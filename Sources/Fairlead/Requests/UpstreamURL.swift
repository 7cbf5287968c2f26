/// Puts a caller's path under a provider's origin, so that no path, however it is written, leads to
/// another host or out of the origin's own prefix.
struct UpstreamURL: Sendable, Equatable {
  /// Why a path is refused, for the message to the caller.
  struct Refused: Error, Equatable {
    let reason: String
  }

  static let longestPath = 16_384

  /// Normalised, with a leading slash.
  let path: String
  /// Without the question mark.
  private(set) var query: String?

  /// - Throws: `Refused`.
  init(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.longestPath else {
      throw Refused(reason: "it is longer than \(Self.longestPath) bytes")
    }
    guard bytes.first == UInt8(ascii: "/") else {
      throw Refused(reason: "it must start with a slash")
    }
    for byte in bytes where byte <= 0x20 || byte >= 0x7F {
      throw Refused(reason: "it holds a space, a control or a non-ASCII character; encode it")
    }
    guard !bytes.contains(UInt8(ascii: "\\")) else { throw Refused(reason: "it holds a backslash") }
    guard !bytes.contains(UInt8(ascii: "#")) else { throw Refused(reason: "it holds a fragment") }
    let question = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    path = try Self.normalised(bytes[..<question])
    query =
      question == bytes.endIndex ? nil : try Self.encoded(bytes[bytes.index(after: question)...])
  }

  /// The whole URL.
  /// - Parameter origin: scheme, host and port, perhaps with a path prefix.
  func absolute(under origin: String) -> String {
    var url = origin
    while url.hasSuffix("/") { url.removeLast() }
    url += path
    if let query {
      url += "?"
      url += query
    }
    return url
  }

  /// Puts a credential into the query and removes what the caller had under its name.
  mutating func setQuery(name: String, value: String) {
    let name = Self.escaped(name)
    var items = (query ?? "").split(separator: "&").map(String.init)
    items.removeAll { $0 == name || $0.hasPrefix("\(name)=") }
    items.append("\(name)=\(Self.escaped(value))")
    query = items.joined(separator: "&")
  }

  // MARK: - The path

  private static func normalised(_ bytes: ArraySlice<UInt8>) throws -> String {
    guard bytes.dropFirst().first != UInt8(ascii: "/") else {
      throw Refused(reason: "it starts with two slashes")
    }
    var kept: [ArraySlice<UInt8>] = []
    let segments = bytes.dropFirst().split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch try dots(segment) {
      case 0: kept.append(segment)
      case 1: if isLast { kept.append([]) }
      default:
        guard kept.popLast() != nil else {
          throw Refused(reason: "its dot segments lead out of the provider's root")
        }
        if isLast { kept.append([]) }
      }
    }
    let joined = Array(kept.joined(separator: [UInt8(ascii: "/")]))
    guard joined.first != UInt8(ascii: "/") else {
      throw Refused(reason: "it starts with two slashes")
    }
    return "/" + (try encoded(joined[...]))
  }

  /// 1 for `.`, 2 for `..`, encoded or not; 0 for anything else.
  private static func dots(_ segment: ArraySlice<UInt8>) throws -> Int {
    guard segment.contains(UInt8(ascii: ".")) || segment.contains(UInt8(ascii: "%")) else {
      return 0
    }
    let decoded = decodedDotsAndSlashes(segment)
    let parts = decoded.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == 0x2F || $0 == 0x5C })
    let isDots = parts.map {
      $0.elementsEqual([0x2E]) ? 1 : $0.elementsEqual([0x2E, 0x2E]) ? 2 : 0
    }
    if parts.count == 1 { return isDots[0] }
    // A server that decodes slashes before it resolves dots would leave its root here.
    guard isDots.allSatisfy({ $0 == 0 }) else {
      throw Refused(reason: "it hides dot segments behind encoded slashes")
    }
    return 0
  }

  private static func decodedDotsAndSlashes(_ segment: ArraySlice<UInt8>) -> [UInt8] {
    var decoded: [UInt8] = []
    var index = segment.startIndex
    while index < segment.endIndex {
      if segment[index] == UInt8(ascii: "%"), index + 2 < segment.endIndex,
        let value = UInt8(
          String(decoding: segment[index + 1...index + 2], as: UTF8.self), radix: 16),
        [0x2E, 0x2F, 0x5C].contains(value)
      {
        decoded.append(value)
        index += 3
      } else {
        decoded.append(segment[index])
        index += 1
      }
    }
    return decoded
  }

  // MARK: - Escapes

  /// As given, but characters that no URL may hold (RFC 3986) are escaped; an escape that is none
  /// is refused.
  private static func encoded(_ bytes: ArraySlice<UInt8>) throws -> String {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.endIndex, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else {
          throw Refused(reason: "it holds a percent sign that starts no escape")
        }
        result.append(byte)
      } else if unsafe.contains(byte) {
        append(escaping: byte, to: &result)
      } else {
        result.append(byte)
      }
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func escaped(_ text: String) -> String {
    var result: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.append(byte)
      default: append(escaping: byte, to: &result)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func append(escaping byte: UInt8, to result: inout [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...70, 97...102: true
    default: false
    }
  }

  private static let unsafe: Set<UInt8> = Set("\"<>[]^`{|}".utf8)
}
