import Fairlead

/// A response as its typed, numbered server-sent events.
enum OpenAIResponseStream {
  static func events(_ response: [String: JSONValue], _ reply: OpenAIReply) -> [String] {
    var events: [String] = []
    func send(_ type: String, _ members: [String: JSONValue]) {
      var event = members
      event["type"] = .string(type)
      event["sequence_number"] = .int(Int64(events.count))
      events.append("event: \(type)\ndata: \(JSONValue.object(event).text)\n\n")
    }
    var started = response
    started["status"] = "in_progress"
    started["output"] = []
    started["usage"] = .null
    started["incomplete_details"] = .null
    send("response.created", ["response": .object(started)])
    send("response.in_progress", ["response": .object(started)])
    let item = response["output"]?[0] ?? .null
    let place: [String: JSONValue] = ["output_index": 0, "item_id": item["id"] ?? .null]
    send("response.output_item.added", ["output_index": 0, "item": opened(item)])
    if let call = reply.toolCall {
      for piece in OpenAITokens.split(call.arguments) {
        send(
          "response.function_call_arguments.delta",
          place.merging(["delta": .string(piece)]) { _, new in new })
      }
      send(
        "response.function_call_arguments.done",
        place.merging(["arguments": .string(call.arguments), "name": .string(call.name)]) {
          _, new in new
        })
    } else {
      sendText(reply, item, place.merging(["content_index": 0]) { _, new in new }, send)
    }
    send("response.output_item.done", ["output_index": 0, "item": item])
    send(
      reply.isCut ? "response.incomplete" : "response.completed",
      ["response": .object(response)])
    return events
  }

  private static func sendText(
    _ reply: OpenAIReply, _ item: JSONValue, _ place: [String: JSONValue],
    _ send: (String, [String: JSONValue]) -> Void
  ) {
    let part = item["content"]?[0] ?? .null
    var opened = part.object ?? [:]
    opened["text"] = ""
    func with(_ members: [String: JSONValue]) -> [String: JSONValue] {
      place.merging(members) { _, new in new }
    }
    send("response.content_part.added", with(["part": .object(opened)]))
    for token in reply.tokens {
      send("response.output_text.delta", with(["delta": .string(token), "logprobs": []]))
    }
    send("response.output_text.done", with(["text": .string(reply.text), "logprobs": []]))
    send("response.content_part.done", with(["part": part]))
  }

  /// An output item as it is before anything was written.
  private static func opened(_ item: JSONValue) -> JSONValue {
    var members = item.object ?? [:]
    members["status"] = "in_progress"
    if members["content"] != nil { members["content"] = [] }
    if members["arguments"] != nil { members["arguments"] = "" }
    return .object(members)
  }
}
