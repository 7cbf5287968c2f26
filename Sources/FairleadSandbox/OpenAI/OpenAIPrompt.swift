import Fairlead

/// The conversation of a request as text.
struct OpenAIPrompt: Sendable {
  /// What the last message says.
  var last: String
  var tokenCount: Int

  /// Tokens that every message costs beside its text.
  private static let perMessage = 4
  private static let contextLimit = 128_000

  init(messages: [JSONValue], param: String) throws(OpenAIError) {
    last = ""
    tokenCount = 3
    for (index, message) in messages.enumerated() {
      guard message["role"]?.string != nil || message["type"]?.string != nil else {
        throw .invalid(
          "Missing required parameter: '\(param)[\(index)].role'.",
          param: "\(param)[\(index)].role", code: "missing_required_parameter")
      }
      let text = Self.text(message["content"]) ?? message["output"]?.string ?? ""
      tokenCount += Self.perMessage + OpenAITokens.count(text)
      last = text
    }
    guard tokenCount <= Self.contextLimit else {
      throw .invalid(
        "This model's maximum context length is \(Self.contextLimit) tokens; your messages have "
          + "\(tokenCount).", param: param, code: "context_length_exceeded")
    }
  }

  /// Content is text or a list of parts of which some have text.
  private static func text(_ content: JSONValue?) -> String? {
    if let text = content?.string { return text }
    guard let parts = content?.array else { return nil }
    return parts.compactMap { $0["text"]?.string }.joined(separator: "\n")
  }
}
