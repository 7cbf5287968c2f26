/// Fills the placeholders of a canned response.
///
/// `{name}` in a text is a placeholder where the name is one of ours; a text that is nothing but a
/// placeholder takes its value with its type, so that `"{now}"` becomes a number.
struct FallbackTemplate {
  /// What a request or the moment supplies.
  var request: JSONValue?
  /// Seconds since 1970.
  var now: Int64
  /// 24 characters, the same all through one response.
  var id: String
  var message = ""
  /// The part of the message that one event carries.
  var piece = ""
  /// The number of the event, from 0.
  var sequence = 0

  static let names = ["message", "message.piece", "now", "id", "sequence"]

  func fill(_ template: JSONValue) -> JSONValue {
    switch template {
    case .string(let text): fill(text)
    case .array(let elements): .array(elements.map(fill))
    case .object(let members): .object(members.mapValues(fill))
    case .null, .bool, .int, .double: template
    }
  }

  func fill(_ text: String) -> JSONValue {
    let parts = Self.parts(of: text)
    if parts.count == 1, case .placeholder(let name) = parts[0] { return value(name) }
    var filled = ""
    for part in parts {
      switch part {
      case .literal(let text): filled += text
      case .placeholder(let name): filled += value(name).scalarText ?? ""
      }
    }
    return .string(filled)
  }

  private func value(_ name: String) -> JSONValue {
    switch name {
    case "message": return .string(message)
    case "message.piece": return .string(piece)
    case "now": return .int(now)
    case "id": return .string(id)
    case "sequence": return .int(Int64(sequence))
    default:
      guard let request else { return .null }
      return request[path: String(name.dropFirst("request.".count))] ?? .null
    }
  }

  /// A message in pieces of one word, each with the space behind it.
  static func pieces(of message: String) -> [String] {
    var pieces: [String] = []
    var current = ""
    for character in message {
      current.append(character)
      if character == " " {
        pieces.append(current)
        current = ""
      }
    }
    if !current.isEmpty { pieces.append(current) }
    return pieces
  }
}

// MARK: - Reading templates

extension FallbackTemplate {
  enum Part: Equatable {
    case literal(String)
    case placeholder(String)
  }

  /// Whether a name is one that can be filled in.
  static func isKnown(_ name: String) -> Bool {
    names.contains(name) || name.hasPrefix("request.") && name.utf8.count > "request.".utf8.count
  }

  /// A text taken apart. Braces around anything that does not look like a name are ordinary text.
  static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var literal = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      literal += rest[..<open]
      let behind = rest[rest.index(after: open)...]
      let name = behind.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
      if name.first?.isLetter == true, behind[name.endIndex...].first == "}" {
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = ""
        parts.append(.placeholder(String(name)))
        rest = behind[behind.index(after: name.endIndex)...]
      } else {
        literal += "{"
        rest = behind
      }
    }
    literal += rest
    if !literal.isEmpty || parts.isEmpty { parts.append(.literal(literal)) }
    return parts
  }

  /// The names of all placeholders in a document.
  static func placeholders(in template: JSONValue) -> Set<String> {
    switch template {
    case .string(let text):
      Set(
        parts(of: text).compactMap { part in
          if case .placeholder(let name) = part { name } else { nil }
        })
    case .array(let elements):
      elements.reduce(into: []) { $0.formUnion(placeholders(in: $1)) }
    case .object(let members):
      members.values.reduce(into: []) { $0.formUnion(placeholders(in: $1)) }
    case .null, .bool, .int, .double: []
    }
  }
}
