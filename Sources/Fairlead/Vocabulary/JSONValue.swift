import Foundation

/// A JSON document as a value, for bodies whose shape only a definition knows.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Parses one document, a bare scalar included. Strict RFC 8259; nesting beyond 512 levels and
  /// numbers beyond a `Double` are refused, integers that fit 64 bits are exact.
  /// - Throws: `DecodingError` when the bytes are no JSON.
  public init(parsing bytes: some Sequence<UInt8>) throws {
    let parse = { (bytes: UnsafeBufferPointer<UInt8>) in
      Result { () throws(JSONParser.Failure) in try JSONParser.parse(bytes) }
    }
    let result =
      bytes.withContiguousStorageIfAvailable(parse)
      ?? Array(bytes).withUnsafeBufferPointer(parse)
    do {
      self = try result.get()
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "not JSON at byte \(error.offset)"))
    }
  }

  /// Compact JSON with sorted keys, so that equal values give equal bytes.
  public var bytes: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A JSONValue holds nothing JSON cannot say except non-finite doubles, which encode as null.
    return (try? encoder.encode(self)).map(Array.init) ?? Array("null".utf8)
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }
}

// MARK: - Looking inside

extension JSONValue {
  /// The value at a dotted path such as `data.object.id` or `errors.0.reason`; a number indexes an
  /// array. `nil` when a step is missing.
  public subscript(path path: String) -> JSONValue? {
    var value = self
    for step in path.split(separator: ".") {
      switch value {
      case .object(let members):
        guard let next = members[String(step)] else { return nil }
        value = next
      case .array(let elements):
        guard let index = Int(step), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { return members[key] }
    return nil
  }

  public subscript(index: Int) -> JSONValue? {
    if case .array(let elements) = self, elements.indices.contains(index) { return elements[index] }
    return nil
  }

  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  public var int: Int64? {
    switch self {
    case .int(let number): number
    case .double(let number): Int64(exactly: number)
    default: nil
    }
  }

  public var double: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  public var bool: Bool? {
    if case .bool(let flag) = self { return flag }
    return nil
  }

  public var array: [JSONValue]? {
    if case .array(let elements) = self { return elements }
    return nil
  }

  public var object: [String: JSONValue]? {
    if case .object(let members) = self { return members }
    return nil
  }

  /// A scalar as text: strings as they are, numbers and booleans as JSON writes them.
  public var scalarText: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .double(let number): String(number)
    case .bool(let flag): flag ? "true" : "false"
    case .null, .array, .object: nil
    }
  }
}

// MARK: - Codable

extension JSONValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Each type is tried in turn: a single-value container cannot say what it holds.
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .int(number)
    } else if let number = try? container.decode(Double.self) {
      self = .double(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let elements = try? container.decode([JSONValue].self) {
      self = .array(elements)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let flag): try container.encode(flag)
    case .int(let number): try container.encode(number)
    case .double(let number):
      if number.isFinite { try container.encode(number) } else { try container.encodeNil() }
    case .string(let text): try container.encode(text)
    case .array(let elements): try container.encode(elements)
    case .object(let members): try container.encode(members)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
