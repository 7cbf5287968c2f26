import Fairlead

extension SlackState {
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let event = sentEvents[id] else {
        throw ControlError(.notFound, "Slack sent no event \"\(id)\".")
      }
      return [event]
    }
    var events: [OutgoingEvent] = []
    for (index, type) in order.typesToMake.enumerated() {
      let event = makeEvent(type, order.data, now: now + .seconds(index))
      sentEvents[event.id] = event
      events.append(event)
    }
    return events
  }

  private mutating func makeEvent(
    _ type: String, _ data: [String: JSONValue], now: Timestamp
  ) -> OutgoingEvent {
    let id = "Ev" + random.capitals(10)
    let team = data["team"]?.string
    let index = workspaces.firstIndex { $0.id == team } ?? workspaces.startIndex
    let workspace = workspaces[index]
    var body: [String: JSONValue] = ["token": "sandbox-verification-token"]
    switch type {
    case "url_verification":
      body["type"] = "url_verification"
      body["challenge"] = data["challenge"] ?? .string(random.alphanumeric(40))
    case "app_rate_limited":
      body["type"] = "app_rate_limited"
      body["team_id"] = .string(workspace.id)
      body["minute_rate_limited"] = .int(now.seconds / 60 * 60)
      body["api_app_id"] = .string(appID)
    default:
      body["type"] = "event_callback"
      body["team_id"] = .string(workspace.id)
      body["api_app_id"] = .string(appID)
      body["event_id"] = .string(id)
      body["event_time"] = .int(now.seconds)
      body["authorizations"] = [
        [
          "enterprise_id": nil, "team_id": .string(workspace.id),
          "user_id": .string(workspace.botUserID), "is_bot": true, "is_enterprise_install": false,
        ]
      ]
      body["event"] = .object(inner(type, data, workspace: index, now: now))
    }
    return OutgoingEvent(id: id, type: type, body: JSONValue.object(body).bytes)
  }

  /// A message is stored like any other, so that reading the channel finds it.
  private mutating func inner(
    _ type: String, _ data: [String: JSONValue], workspace index: Int, now: Timestamp
  ) -> [String: JSONValue] {
    var event = data
    event["type"] = .string(type)
    if type == "message", data["ts"] == nil, data["subtype"] == nil,
      let channel = workspaces[index].channelIndex(data["channel"]?.string ?? "general")
    {
      event["user"] = data["user"] ?? .string(workspaces[index].userID)
      event["text"] = data["text"] ?? "Hello from the sandbox"
      event["team"] = .string(workspaces[index].id)
      var message = event
      message["channel"] = nil
      let stored = store(message, in: (index, channel), now: now)
      event["ts"] = stored["ts"]
      event["channel"] = .string(workspaces[index].channels[channel].id)
      event["channel_type"] = "channel"
    }
    event["event_ts"] = event["ts"] ?? .string(workspaces[index].stamp(now))
    return event
  }
}
