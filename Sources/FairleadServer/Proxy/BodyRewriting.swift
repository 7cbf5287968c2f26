import Fairlead
import NIOCore

/// Exchanges addresses in a JSON document where they stand, and leaves every other byte as it is.
struct BodyRewriting: Sendable {
  /// Larger bodies pass as they are.
  static let limit = 4 << 20

  private let exact: Set<[UInt8]>
  private let endings: [[UInt8]]

  /// - Parameter names: of the members that hold addresses: `url`, or `*_url` for all that end so.
  init(names: [String]) {
    exact = Set(names.filter { !$0.hasPrefix("*") }.map { Array($0.utf8) })
    endings = names.filter { $0.hasPrefix("*") }.map { Array($0.dropFirst().utf8) }
  }

  /// - Parameter change: the new address; `nil` to leave it.
  /// - Returns: `nil` when nothing changes, or the bytes are no JSON.
  func rewritten(_ body: ByteBuffer, _ change: (String) -> String?) -> ByteBuffer? {
    body.withUnsafeReadableBytes { bytes in
      var result = ByteBuffer()
      var copied = 0
      var index = 0
      // Whether the value that comes next belongs to one of the names.
      var isWanted = false
      while index < bytes.count {
        let byte = bytes[index]
        guard byte == UInt8(ascii: "\"") else {
          if !Self.isSpace(byte) { isWanted = false }
          index += 1
          continue
        }
        guard let end = Self.end(of: index, in: bytes) else { return nil }
        var next = end + 1
        while next < bytes.count, Self.isSpace(bytes[next]) { next += 1 }
        if next < bytes.count, bytes[next] == UInt8(ascii: ":") {
          isWanted = matches(bytes[(index + 1)..<end])
          index = next + 1
          continue
        }
        if isWanted, let text = Self.text(bytes[(index + 1)..<end]), let address = change(text) {
          result.writeBytes(bytes[copied..<index])
          result.writeBytes(JSONValue.string(address).bytes)
          copied = end + 1
        }
        isWanted = false
        index = end + 1
      }
      guard copied > 0 else { return nil }
      result.writeBytes(bytes[copied...])
      return result
    }
  }

  private func matches(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard name.count <= 200 else { return false }
    return endings.contains { name.count > $0.count && name.suffix($0.count).elementsEqual($0) }
      || exact.contains(Array(name))
  }

  /// The closing quote of the string that opens at `start`.
  private static func end(of start: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
    var index = start + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""): return index
      case UInt8(ascii: "\\"): index += 2
      default: index += 1
      }
    }
    return nil
  }

  private static func text(_ raw: Slice<UnsafeRawBufferPointer>) -> String? {
    guard raw.count <= ProviderOrigins.longest else { return nil }
    guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
    // An escape that is none makes it no address.
    guard let value = try? JSONValue(parsing: [0x22] + Array(raw) + [0x22]) else { return nil }
    return value.string
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }
}
