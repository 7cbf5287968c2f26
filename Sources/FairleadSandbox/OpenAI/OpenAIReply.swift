import Fairlead

/// What the simulated model says: derived from the conversation alone, so that equal requests get
/// equal replies.
struct OpenAIReply: Sendable {
  struct ToolCall: Sendable {
    var id: String
    var name: String
    var arguments: String
  }

  var tokens: [String]
  var toolCall: ToolCall?
  /// The token limit cut it.
  var isCut: Bool

  var text: String { tokens.joined() }
  var tokenCount: Int {
    toolCall.map { OpenAITokens.count($0.name) + OpenAITokens.count($0.arguments) } ?? tokens.count
  }
  var finishReason: String { toolCall != nil ? "tool_calls" : isCut ? "length" : "stop" }

  /// - Parameters:
  ///   - prompt: what the last message says.
  ///   - choice: the index among several alternatives.
  static func text(
    prompt: String, choice: Int, format: JSONValue?, limit: Int?
  ) -> OpenAIReply {
    let subject = prompt.isEmpty ? "nothing" : String(prompt.prefix(2_000))
    var said = "You said: \(subject)"
    if choice > 0 { said += " (alternative \(choice + 1))" }
    switch format?["type"]?.string {
    case "json_object": said = JSONValue.object(["reply": .string(said)]).text
    case "json_schema":
      let schema = format?[path: "json_schema.schema"] ?? format?["schema"] ?? .null
      said = SchemaExample.value(for: schema, text: said).text
    default: break
    }
    let tokens = OpenAITokens.split(said)
    guard let limit, limit < tokens.count else {
      return OpenAIReply(tokens: tokens, toolCall: nil, isCut: false)
    }
    return OpenAIReply(tokens: Array(tokens.prefix(limit)), toolCall: nil, isCut: true)
  }

  static func tool(_ name: String, schema: JSONValue, prompt: String, id: String) -> OpenAIReply {
    let arguments = SchemaExample.value(for: schema, text: String(prompt.prefix(200))).text
    return OpenAIReply(
      tokens: [], toolCall: ToolCall(id: id, name: name, arguments: arguments), isCut: false)
  }
}

/// The smallest value a JSON schema allows, as far as its common keywords go.
enum SchemaExample {
  static func value(for schema: JSONValue, text: String, depth: Int = 0) -> JSONValue {
    guard depth < 16 else { return .null }
    if let constant = schema["const"] { return constant }
    if let first = schema["enum"]?[0] { return first }
    if let option = schema["anyOf"]?[0] ?? schema["oneOf"]?[0] {
      return value(for: option, text: text, depth: depth + 1)
    }
    switch schema["type"]?.string ?? schema["type"]?[0]?.string {
    case "object",
      nil where schema["properties"] != nil:
      let properties = schema["properties"]?.object ?? [:]
      let required = schema["required"]?.array?.compactMap(\.string) ?? Array(properties.keys)
      let members = required.map { name in
        (name, value(for: properties[name] ?? .null, text: text, depth: depth + 1))
      }
      return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
    case "array":
      let least = schema["minItems"]?.int ?? 0
      guard least > 0, let items = schema["items"] else { return [] }
      let item = value(for: items, text: text, depth: depth + 1)
      return .array(Array(repeating: item, count: Int(min(least, 100))))
    case "integer", "number": return schema["minimum"] ?? 0
    case "boolean": return false
    case "string": return .string(text)
    default: return .null
    }
  }
}
