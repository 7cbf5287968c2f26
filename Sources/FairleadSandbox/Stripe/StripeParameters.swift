import Fairlead

/// The parameters of one request, or of one nested object in it, read with types.
struct StripeParameters: Sendable {
  let members: [String: StripeForm]
  /// What stands before a name in messages: `items[0]`.
  private let prefix: String

  init(_ members: [String: StripeForm], prefix: String = "") {
    self.members = members
    self.prefix = prefix
  }

  func full(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix)[\(name)]" }

  func has(_ name: String) -> Bool { members[name] != nil }

  /// - Throws: an error for the first name that is not allowed.
  func allow(_ names: Set<String>) throws(StripeError) {
    for name in members.keys.sorted() where !names.contains(name) && name != "expand" {
      throw .unknown(full(name))
    }
  }

  /// `nil` when missing; an empty text is given as such because it unsets.
  func text(_ name: String) throws(StripeError) -> String? {
    switch members[name] {
    case nil: return nil
    case .value(let text):
      guard text.utf8.count <= 5_000 * 4 else {
        throw .invalid("Invalid string: too long.", param: full(name))
      }
      return text
    default: throw .invalid("Invalid string: \(full(name))", param: full(name))
    }
  }

  /// - Throws: when it is missing or empty.
  func required(_ name: String) throws(StripeError) -> String {
    guard let text = try text(name), !text.isEmpty else { throw .missing(full(name)) }
    return text
  }

  func integer(_ name: String) throws(StripeError) -> Int64? {
    guard let text = try text(name), !text.isEmpty else { return nil }
    guard let number = Int64(text), (-99_999_999_999_999...99_999_999_999_999).contains(number)
    else {
      throw .invalid(
        "Invalid integer: \(text.prefix(100))", code: "parameter_invalid_integer",
        param: full(name))
    }
    return number
  }

  func flag(_ name: String) throws(StripeError) -> Bool? {
    guard let text = try text(name), !text.isEmpty else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default: throw .invalid("Invalid boolean: \(text.prefix(100))", param: full(name))
    }
  }

  func choice(_ name: String, _ choices: [String]) throws(StripeError) -> String? {
    guard let text = try text(name), !text.isEmpty else { return nil }
    guard choices.contains(text) else {
      throw .invalid(
        "Invalid \(full(name)): must be one of \(choices.joined(separator: ", "))",
        param: full(name))
    }
    return text
  }

  func nested(_ name: String) throws(StripeError) -> StripeParameters? {
    switch members[name] {
    case nil, .value(""): return nil
    case .fields(let members): return StripeParameters(members, prefix: full(name))
    default: throw .invalid("Invalid object", param: full(name))
    }
  }

  func elements(_ name: String) throws(StripeError) -> [StripeParameters]? {
    switch members[name] {
    case nil, .value(""): return nil
    case .list(let elements):
      var parameters: [StripeParameters] = []
      for (index, element) in elements.enumerated() {
        guard case .fields(let members) = element else {
          throw .invalid("Invalid object", param: "\(full(name))[\(index)]")
        }
        parameters.append(StripeParameters(members, prefix: "\(full(name))[\(index)]"))
      }
      return parameters
    default: throw .invalid("Invalid array", param: full(name))
    }
  }

  func texts(_ name: String) throws(StripeError) -> [String]? {
    switch members[name] {
    case nil: return nil
    case .value(""): return []
    case .list(let elements):
      var texts: [String] = []
      for element in elements {
        guard case .value(let text) = element else {
          throw .invalid("Invalid array", param: full(name))
        }
        texts.append(text)
      }
      return texts
    default: throw .invalid("Invalid array", param: full(name))
    }
  }

  /// Merges `metadata` into what is there: an empty value drops the key, an empty whole drops all.
  func metadata(onto existing: JSONValue?) throws(StripeError) -> JSONValue {
    var merged = existing?.object ?? [:]
    switch members["metadata"] {
    case nil: break
    case .value(""): merged = [:]
    case .value: throw .invalid("Invalid hash", param: full("metadata"))
    case .fields(let pairs):
      for (key, value) in pairs { try put(value, key, in: &merged) }
    case .list(let values):
      // Keys that are all numbers look like a list.
      for (key, value) in values.enumerated() { try put(value, String(key), in: &merged) }
    }
    guard merged.count <= 50 else {
      throw .invalid("Metadata can have up to 50 keys.", param: full("metadata"))
    }
    return .object(merged)
  }

  private func put(
    _ value: StripeForm, _ key: String, in merged: inout [String: JSONValue]
  ) throws(StripeError) {
    guard case .value(let text) = value else {
      throw .invalid("Metadata values must be strings.", param: "\(full("metadata"))[\(key)]")
    }
    guard key.utf8.count <= 40 * 4, text.unicodeScalars.count <= 500 else {
      throw .invalid(
        "Metadata keys can have up to 40 characters and values up to 500.",
        param: "\(full("metadata"))[\(key)]")
    }
    merged[key] = text.isEmpty ? nil : .string(text)
  }
}
