import Fairlead

/// A method's arguments, whichever way they came: query, form or JSON.
struct SlackArguments: Sendable {
  private var values: [String: JSONValue]

  init(_ request: SimulatedRequest) throws(SlackError) {
    guard let query = request.queryPairs else { throw SlackError("invalid_form_data") }
    values = [:]
    for pair in query { values[pair.name] = .string(pair.value) }
    guard request.method == "POST", !request.body.isEmpty else { return }
    switch request.mediaType {
    case "application/json":
      let parsed: JSONValue
      do {
        parsed = try JSONValue(parsing: request.body)
      } catch {
        throw SlackError("invalid_json")
      }
      guard let object = parsed.object else { throw SlackError("json_not_object") }
      values.merge(object) { _, body in body }
    case "application/x-www-form-urlencoded", "":
      guard let pairs = FormPair.parse(request.body) else { throw SlackError("invalid_form_data") }
      for pair in pairs { values[pair.name] = .string(pair.value) }
    default: throw SlackError("invalid_post_type")
    }
  }

  /// A scalar as text; `nil` when it is missing, null or empty.
  func text(_ name: String) -> String? {
    switch values[name] {
    case .string(let text): text.isEmpty ? nil : text
    case .int(let number): String(number)
    case .double(let number): String(number)
    case .bool(let flag): flag ? "true" : "false"
    default: nil
    }
  }

  func flag(_ name: String) -> Bool {
    text(name).map { ["true", "1"].contains($0.lowercased()) } ?? false
  }

  /// A JSON array, also as the text a form carries it in. `nil` when it is missing or empty.
  func list(_ name: String) -> [JSONValue]? {
    guard let list = structure(name)?.array, !list.isEmpty else { return nil }
    return list
  }

  func object(_ name: String) -> JSONValue? {
    structure(name).flatMap { $0.object == nil ? nil : $0 }
  }

  private func structure(_ name: String) -> JSONValue? {
    switch values[name] {
    // Forms carry structures as JSON text; text that is none counts as missing.
    case .string(let text): try? JSONValue(parsing: text.utf8)
    case let value: value
    }
  }

  /// `limit` of a list.
  func limit(default usual: Int, below bound: Int) throws(SlackError) -> Int {
    guard let text = text("limit"), text != "0" else { return usual }
    guard let limit = Int(text), limit > 0, limit < bound else { throw SlackError("invalid_limit") }
    return limit
  }
}
