import NIOCore

/// Reads the few values that a definition's rules ask for out of a JSON document, and steps over the
/// rest: every success of some providers is looked at, and building all of it would cost more than
/// the whole call.
struct JSONGlance: Sendable {
  /// What is wanted below one step of a dotted path.
  private struct Node: Sendable {
    var children: [String: Node] = [:]
    /// A path ends here: the value is wanted as a whole.
    var isWanted = false

    mutating func add(_ path: ArraySlice<Substring>) {
      guard let step = path.first else {
        isWanted = true
        return
      }
      children[String(step), default: Node()].add(path.dropFirst())
    }

    /// The highest array index that is wanted.
    var lastIndex: Int { children.keys.compactMap { Int($0) }.max() ?? -1 }
  }

  /// Deeper documents are read as no JSON, so that hostile ones cannot exhaust the stack.
  private static let deepest = 128

  private var root = Node()

  /// - Parameter paths: dotted, as `JSONValue` reads them.
  init(paths: some Sequence<String>) {
    for path in paths { root.add(path.split(separator: ".")[...]) }
  }

  /// The document with nothing in it but what the paths lead to; `nil` when it is no JSON.
  func read(_ buffer: ByteBuffer) -> JSONValue? {
    buffer.withUnsafeReadableBytes { bytes in
      var scanner = Scanner(bytes: bytes)
      guard let value = scanner.value(root, depth: 0) else { return nil }
      scanner.skipSpace()
      // Written out: in a conditional expression `nil` would mean JSON's null.
      guard scanner.index == bytes.count else { return nil }
      return value
    }
  }

  private struct Scanner {
    let bytes: UnsafeRawBufferPointer
    var index = 0

    mutating func skipSpace() {
      while index < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[index]) { index += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard index < bytes.count, bytes[index] == byte else { return false }
      index += 1
      return true
    }

    /// - Parameter node: `nil` steps over the value and gives `.null`.
    mutating func value(_ node: Node?, depth: Int) -> JSONValue? {
      guard depth < JSONGlance.deepest else { return nil }
      skipSpace()
      guard index < bytes.count else { return nil }
      switch bytes[index] {
      case UInt8(ascii: "{"): return object(node, depth: depth)
      case UInt8(ascii: "["): return array(node, depth: depth)
      case UInt8(ascii: "\""):
        guard let range = string() else { return nil }
        return node == nil ? .null : text(range).map(JSONValue.string)
      case UInt8(ascii: "t"): return word("true", .bool(true))
      case UInt8(ascii: "f"): return word("false", .bool(false))
      case UInt8(ascii: "n"): return word("null", .null)
      default: return number(isWanted: node != nil)
      }
    }

    private mutating func object(_ node: Node?, depth: Int) -> JSONValue? {
      index += 1
      var members: [String: JSONValue] = [:]
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      repeat {
        skipSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\""), let range = string() else {
          return nil
        }
        skipSpace()
        guard take(UInt8(ascii: ":")) else { return nil }
        guard let node else {
          guard value(nil, depth: depth + 1) != nil else { return nil }
          skipSpace()
          continue
        }
        guard let name = text(range) else { return nil }
        let child = node.isWanted ? node : node.children[name]
        guard let member = value(child, depth: depth + 1) else { return nil }
        if child != nil { members[name] = member }
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { return nil }
      return .object(members)
    }

    private mutating func array(_ node: Node?, depth: Int) -> JSONValue? {
      index += 1
      var elements: [JSONValue] = []
      let last = node.map { $0.isWanted ? Int.max : $0.lastIndex } ?? -1
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      var position = 0
      repeat {
        let child = node.flatMap { $0.isWanted ? $0 : $0.children[String(position)] }
        guard let element = value(child, depth: depth + 1) else { return nil }
        if position <= last { elements.append(element) }
        position += 1
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "]")) else { return nil }
      return .array(elements)
    }

    /// Steps over a string; its bytes without the quotes.
    private mutating func string() -> Range<Int>? {
      let start = index + 1
      index = start
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "\""):
          index += 1
          return start..<index - 1
        case UInt8(ascii: "\\"): index += 2
        case 0..<0x20: return nil
        default: index += 1
        }
      }
      return nil
    }

    private func text(_ range: Range<Int>) -> String? {
      let raw = bytes[range]
      guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
      // Escapes are rare where rules look; the library knows them all.
      guard
        case .array(let elements)? = try? JSONValue(parsing: [0x5B, 0x22] + raw + [0x22, 0x5D])
      else { return nil }
      return elements.first?.string
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) -> JSONValue? {
      let end = index + text.utf8CodeUnitCount
      guard end <= bytes.count else { return nil }
      for offset in 0..<text.utf8CodeUnitCount
      where bytes[index + offset] != text.utf8Start[offset] {
        return nil
      }
      index = end
      return value
    }

    private mutating func number(isWanted: Bool) -> JSONValue? {
      let start = index
      while index < bytes.count {
        switch bytes[index] {
        case 48...57, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
          UInt8(ascii: "E"):
          index += 1
          continue
        default: break
        }
        break
      }
      guard index > start else { return nil }
      guard isWanted else { return .null }
      let text = String(decoding: bytes[start..<index], as: UTF8.self)
      if let whole = Int64(text) { return .int(whole) }
      guard let number = Double(text) else { return nil }
      return Int64(exactly: number).map(JSONValue.int) ?? .double(number)
    }
  }
}
