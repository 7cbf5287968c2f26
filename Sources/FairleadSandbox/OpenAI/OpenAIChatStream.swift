import Fairlead

/// A chat completion as server-sent events: one chunk a token.
enum OpenAIChatStream {
  static func events(
    _ completion: JSONValue, _ replies: [OpenAIReply], withUsage: Bool
  ) -> [String] {
    var base: [String: JSONValue] = ["object": "chat.completion.chunk"]
    for name in ["id", "created", "model", "service_tier", "system_fingerprint"] {
      base[name] = completion[name]
    }
    var events: [String] = []
    func send(_ index: Int, _ delta: JSONValue, _ finish: String? = nil) {
      var chunk = base
      chunk["choices"] = [
        [
          "index": .int(Int64(index)), "delta": delta, "logprobs": nil,
          "finish_reason": finish.map { .string($0) } ?? .null,
        ]
      ]
      if withUsage { chunk["usage"] = .null }
      events.append("data: \(JSONValue.object(chunk).text)\n\n")
    }
    for (index, reply) in replies.enumerated() {
      let isCall = reply.toolCall != nil
      send(index, ["role": "assistant", "content": isCall ? .null : "", "refusal": nil])
      if let call = reply.toolCall {
        for delta in toolDeltas(call) { send(index, ["tool_calls": [delta]]) }
      }
      for token in reply.tokens { send(index, ["content": .string(token)]) }
      send(index, [:], reply.finishReason)
    }
    if withUsage {
      var chunk = base
      chunk["choices"] = []
      chunk["usage"] = completion["usage"]
      events.append("data: \(JSONValue.object(chunk).text)\n\n")
    }
    events.append("data: [DONE]\n\n")
    return events
  }

  /// The name first, then the arguments piece by piece.
  private static func toolDeltas(_ call: OpenAIReply.ToolCall) -> [JSONValue] {
    let head: JSONValue = [
      "index": 0, "id": .string(call.id), "type": "function",
      "function": ["name": .string(call.name), "arguments": ""],
    ]
    return [head]
      + OpenAITokens.split(call.arguments).map {
        ["index": 0, "function": ["arguments": .string($0)]]
      }
  }
}
