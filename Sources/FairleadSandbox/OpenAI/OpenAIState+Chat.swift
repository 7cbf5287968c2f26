import Fairlead

extension OpenAIState {
  mutating func complete(_ body: OpenAIBody) throws(OpenAIError) -> SimulatedResponse {
    let model = try textModel(body)
    guard let messages = body["messages"]?.array else {
      throw .invalid(
        "Missing required parameter: 'messages'.", param: "messages",
        code: "missing_required_parameter")
    }
    guard !messages.isEmpty, messages.count <= 2_048 else {
      throw .invalid("'messages' needs 1 to 2048 messages.", param: "messages", code: "empty_array")
    }
    let prompt = try OpenAIPrompt(messages: messages, param: "messages")
    let choices = try body.integer("n", in: 1...128) ?? 1
    var limit = try body.integer("max_completion_tokens", in: 1...1_000_000)
    if limit == nil { limit = try body.integer("max_tokens", in: 1...1_000_000) }
    let tool = try forcedTool(body)
    var replies: [OpenAIReply] = []
    for index in 0..<choices {
      if let tool {
        replies.append(
          .tool(
            tool.name, schema: tool.schema, prompt: prompt.last,
            id: "call_" + random.alphanumeric(24)))
      } else {
        replies.append(
          .text(
            prompt: prompt.last, choice: index, format: body["response_format"], limit: limit))
      }
    }
    let written = replies.reduce(0) { $0 + $1.tokenCount }
    try spend(model, tokens: prompt.tokenCount + written)
    let completion = completion(
      model, replies, usage: Self.usage(prompt.tokenCount, written), metadata: body["metadata"])
    if try body.flag("store") == true, let id = completion["id"]?.string {
      completions[id] = completion
    }
    guard try body.flag("stream") == true else { return .json(completion) }
    let withUsage = body["stream_options"]?["include_usage"]?.bool == true
    return .events(OpenAIChatStream.events(completion, replies, withUsage: withUsage))
  }

  func textModel(_ body: OpenAIBody) throws(OpenAIError) -> OpenAIModel {
    let model = try OpenAIModel.named(body)
    guard case .text = model.kind else {
      throw OpenAIError(
        status: 404, type: "invalid_request_error", code: nil, param: "model",
        message: "\(model.id) is not a model that writes text.")
    }
    return model
  }

  /// The tool a request insists on; `auto` leaves the simulated model to answer in words.
  func forcedTool(_ body: OpenAIBody) throws(OpenAIError) -> (name: String, schema: JSONValue)? {
    guard let choice = body["tool_choice"] else { return nil }
    // Chat nests a function's description, responses do not.
    let tools = (body["tools"]?.array ?? []).map { $0["function"] ?? $0 }
    if choice.string == "auto" || choice.string == "none" { return nil }
    let wanted = choice["function"]?["name"]?.string ?? choice["name"]?.string
    let tool = wanted.map { name in tools.first { $0["name"]?.string == name } } ?? tools.first
    guard let tool, let name = tool["name"]?.string else {
      throw .invalid("The tool that 'tool_choice' names is not in 'tools'.", param: "tool_choice")
    }
    return (name, tool["parameters"] ?? .null)
  }

  static func usage(_ prompt: Int, _ written: Int) -> JSONValue {
    [
      "prompt_tokens": .int(Int64(prompt)), "completion_tokens": .int(Int64(written)),
      "total_tokens": .int(Int64(prompt + written)),
      "prompt_tokens_details": ["cached_tokens": 0, "audio_tokens": 0],
      "completion_tokens_details": [
        "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
      ],
    ]
  }

  private func completion(
    _ model: OpenAIModel, _ replies: [OpenAIReply], usage: JSONValue, metadata: JSONValue?
  ) -> JSONValue {
    let choices = replies.enumerated().map { index, reply in
      var message: [String: JSONValue] = [
        "role": "assistant", "refusal": nil, "annotations": [],
        "content": reply.toolCall == nil ? .string(reply.text) : .null,
      ]
      if let call = reply.toolCall {
        message["tool_calls"] = [
          [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
          ]
        ]
      }
      return [
        "index": .int(Int64(index)), "message": .object(message), "logprobs": nil,
        "finish_reason": .string(reply.finishReason),
      ] as JSONValue
    }
    var members: [String: JSONValue] = [
      "id": .string("chatcmpl-" + random.alphanumeric(29)), "object": "chat.completion",
      "created": .int(now.seconds), "model": .string(model.id), "choices": .array(choices),
      "usage": usage, "service_tier": "default", "system_fingerprint": "fp_sandbox",
    ]
    if let metadata { members["metadata"] = metadata }
    return .object(members)
  }
}
