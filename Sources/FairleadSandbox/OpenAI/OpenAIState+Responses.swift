import Fairlead

extension OpenAIState {
  mutating func respond(_ body: OpenAIBody) throws(OpenAIError) -> SimulatedResponse {
    let model = try textModel(body)
    if let previous = try body.text("previous_response_id"), responses[previous] == nil {
      throw .invalid(
        "Previous response with id '\(previous.prefix(200))' not found.",
        param: "previous_response_id", code: "previous_response_not_found")
    }
    if try body.flag("background") == true {
      throw .invalid("The sandbox does not simulate background responses.", param: "background")
    }
    let prompt = try OpenAIPrompt(messages: try items(body), param: "input")
    let reply: OpenAIReply
    if let tool = try forcedTool(body) {
      reply = .tool(
        tool.name, schema: tool.schema, prompt: prompt.last, id: "call_" + random.alphanumeric(24))
    } else {
      let limit = try body.integer("max_output_tokens", in: 16...1_000_000)
      reply = .text(prompt: prompt.last, choice: 0, format: body["text"]?["format"], limit: limit)
    }
    try spend(model, tokens: prompt.tokenCount + reply.tokenCount)
    let response = response(model, body, prompt, reply)
    if try body.flag("store") != false, let id = response["id"]?.string {
      responses[id] = .object(response)
    }
    guard try body.flag("stream") == true else { return .json(.object(response)) }
    return .events(OpenAIResponseStream.events(response, reply))
  }

  private func items(_ body: OpenAIBody) throws(OpenAIError) -> [JSONValue] {
    switch body["input"] {
    case .string(let text): return [["role": "user", "content": .string(text)]]
    case .array(let items) where !items.isEmpty && items.count <= 2_048: return items
    default:
      throw .invalid(
        "Missing required parameter: 'input'.", param: "input", code: "missing_required_parameter")
    }
  }

  private func response(
    _ model: OpenAIModel, _ body: OpenAIBody, _ prompt: OpenAIPrompt, _ reply: OpenAIReply
  ) -> [String: JSONValue] {
    var response: [String: JSONValue] = [
      "id": .string("resp_" + random.hexadecimal(48)), "object": "response",
      "created_at": .int(now.seconds), "model": .string(model.id), "error": nil,
      "status": reply.isCut ? "incomplete" : "completed", "background": false,
      "incomplete_details": reply.isCut ? ["reason": "max_output_tokens"] : nil,
      "parallel_tool_calls": true, "temperature": 1, "top_p": 1, "truncation": "disabled",
      "tool_choice": "auto", "tools": [], "metadata": [:], "instructions": nil,
      "previous_response_id": nil, "max_output_tokens": nil, "service_tier": "default",
      "store": true, "text": ["format": ["type": "text"]],
      "usage": [
        "input_tokens": .int(Int64(prompt.tokenCount)),
        "input_tokens_details": ["cached_tokens": 0],
        "output_tokens": .int(Int64(reply.tokenCount)),
        "output_tokens_details": ["reasoning_tokens": 0],
        "total_tokens": .int(Int64(prompt.tokenCount + reply.tokenCount)),
      ],
    ]
    for name in [
      "instructions", "metadata", "previous_response_id", "max_output_tokens", "store", "text",
      "tool_choice", "tools", "temperature", "top_p",
    ] {
      if let given = body[name] { response[name] = given }
    }
    response["output"] = [output(reply)]
    return response
  }

  private func output(_ reply: OpenAIReply) -> JSONValue {
    if let call = reply.toolCall {
      return [
        "type": "function_call", "id": .string("fc_" + random.hexadecimal(48)),
        "call_id": .string(call.id), "name": .string(call.name),
        "arguments": .string(call.arguments), "status": "completed",
      ]
    }
    return [
      "type": "message", "id": .string("msg_" + random.hexadecimal(48)), "role": "assistant",
      "status": reply.isCut ? "incomplete" : "completed",
      "content": [
        [
          "type": "output_text", "text": .string(reply.text), "annotations": [], "logprobs": [],
        ]
      ],
    ]
  }
}
