import Fairlead

extension SlackState {
  private static let textLimit = 40_000
  private static let markdownLimit = 12_000

  mutating func postMessage(
    _ caller: SlackCaller, _ arguments: SlackArguments, now: Timestamp
  ) throws(SlackError) -> [String: JSONValue] {
    try require("chat:write", caller)
    let place = try visibleChannel(caller, arguments)
    let channel = workspaces[place.workspace].channels[place.channel]
    guard !channel.isArchived else { throw SlackError("is_archived") }
    guard channel.hasBot || caller.grant.kind == .user else { throw SlackError("not_in_channel") }
    var message = try content(arguments)
    let workspace = workspaces[place.workspace]
    message["type"] = "message"
    message["team"] = .string(workspace.id)
    message["app_id"] = .string(appID)
    switch caller.grant.kind {
    case .bot:
      message["user"] = .string(workspace.botUserID)
      message["bot_id"] = .string(workspace.botID)
    case .user: message["user"] = .string(workspace.userID)
    }
    if let thread = arguments.text("thread_ts") {
      guard channel.messages[thread] != nil else { throw SlackError("thread_not_found") }
      message["thread_ts"] = .string(thread)
      if arguments.flag("reply_broadcast") { message["subtype"] = "thread_broadcast" }
    }
    let stored = store(message, in: place, now: now)
    return ["channel": .string(channel.id), "ts": stored["ts"] ?? "", "message": stored]
  }

  private func content(_ arguments: SlackArguments) throws(SlackError) -> [String: JSONValue] {
    let text = arguments.text("text")
    let markdown = arguments.text("markdown_text")
    let blocks = arguments.list("blocks")
    let attachments = arguments.list("attachments")
    guard text != nil || markdown != nil || blocks != nil || attachments != nil else {
      throw SlackError("no_text")
    }
    if markdown != nil, text != nil || blocks != nil { throw SlackError("markdown_text_conflict") }
    guard (text ?? "").unicodeScalars.count <= Self.textLimit,
      (markdown ?? "").unicodeScalars.count <= Self.markdownLimit
    else { throw SlackError("msg_too_long") }
    guard (attachments ?? []).count <= 100 else { throw SlackError("too_many_attachments") }
    guard (blocks ?? []).count <= 50 else { throw SlackError("invalid_blocks") }
    var message: [String: JSONValue] = ["text": .string(text ?? markdown ?? "")]
    if let blocks { message["blocks"] = .array(blocks) }
    if let attachments { message["attachments"] = .array(attachments) }
    if let metadata = arguments.object("metadata") { message["metadata"] = metadata }
    return message
  }

  /// Gives a message its `ts` and keeps it.
  mutating func store(
    _ message: [String: JSONValue], in place: (workspace: Int, channel: Int), now: Timestamp
  ) -> JSONValue {
    var message = message
    let stamp = workspaces[place.workspace].stamp(now)
    message["ts"] = .string(stamp)
    workspaces[place.workspace].channels[place.channel].messages[stamp] = .object(message)
    return .object(message)
  }

  func history(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    let channel = try readableChannel(caller, arguments)
    return try page(channel.messages.newestFirst.map(\.value), arguments) { message in
      message["thread_ts"] == nil || message["subtype"]?.string == "thread_broadcast"
    }
  }

  func replies(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    let channel = try readableChannel(caller, arguments)
    guard let thread = arguments.text("ts"), channel.messages[thread] != nil else {
      throw SlackError("thread_not_found")
    }
    return try page(channel.messages.oldestFirst.map(\.value), arguments) { message in
      message["ts"]?.string == thread || message["thread_ts"]?.string == thread
    }
  }

  private func readableChannel(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> SlackWorkspace.Channel {
    let place = try visibleChannel(caller, arguments)
    let channel = workspaces[place.workspace].channels[place.channel]
    try require(channel.isPrivate ? "groups:history" : "channels:history", caller)
    guard channel.hasBot || caller.grant.kind == .user else { throw SlackError("not_in_channel") }
    return channel
  }

  private func page(
    _ messages: [JSONValue], _ arguments: SlackArguments, where matches: (JSONValue) -> Bool
  ) throws(SlackError) -> [String: JSONValue] {
    let limit = try arguments.limit(default: 100, below: 1_000)
    let inclusive = arguments.flag("inclusive")
    let (oldest, latest) = (arguments.text("oldest"), arguments.text("latest"))
    let found = messages.filter { message in
      guard matches(message), let stamp = message["ts"]?.string.flatMap(Self.micros) else {
        return false
      }
      if let bound = oldest.flatMap(Self.micros), inclusive ? stamp < bound : stamp <= bound {
        return false
      }
      if let bound = latest.flatMap(Self.micros), inclusive ? stamp > bound : stamp >= bound {
        return false
      }
      return true
    }
    let start = try SlackCursor.start(in: found, arguments) { $0["ts"]?.string ?? "" }
    let slice = found[start...].prefix(limit)
    let next = found[slice.endIndex...].first?["ts"]?.string
    return [
      "messages": .array(Array(slice)), "has_more": .bool(next != nil), "pin_count": 0,
      "response_metadata": SlackCursor.metadata(next: next),
    ]
  }

  /// A `ts` as microseconds, so that stamps compare as times.
  private static func micros(_ stamp: String) -> Int64? {
    let parts = stamp.split(separator: ".", maxSplits: 1)
    guard let seconds = parts.first.flatMap({ Int64($0) }), (0..<100_000_000_000).contains(seconds)
    else { return nil }
    let digits = parts.count > 1 ? parts[1].prefix(6) : ""
    let padded = digits + String(repeating: "0", count: 6 - digits.utf8.count)
    return Int64(padded).map { seconds * 1_000_000 + $0 }
  }
}
