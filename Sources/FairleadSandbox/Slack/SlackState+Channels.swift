import Fairlead

extension SlackState {
  private static let kinds = ["public_channel", "private_channel", "mpim", "im"]

  func listChannels(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    let types = (arguments.text("types") ?? "public_channel").split(separator: ",").map {
      String($0.filter { $0 != " " })
    }
    guard types.allSatisfy(Self.kinds.contains) else { throw SlackError("invalid_types") }
    if types.contains("public_channel") { try require("channels:read", caller) }
    if types.contains("private_channel") { try require("groups:read", caller) }
    if types.contains("mpim") { try require("mpim:read", caller) }
    if types.contains("im") { try require("im:read", caller) }
    let limit = try arguments.limit(default: 100, below: 1_001)
    let workspace = workspaces[try workspaceIndex(caller.grant.teamID)]
    let isUser = caller.grant.kind == .user
    let found = workspace.channels.filter { channel in
      types.contains(channel.isPrivate ? "private_channel" : "public_channel")
        && !(channel.isArchived && arguments.flag("exclude_archived"))
        && (!channel.isPrivate || channel.hasBot || isUser)
    }
    let start = try SlackCursor.start(in: found, arguments, id: \.id)
    let slice = found[start...].prefix(limit)
    return [
      "channels": .array(
        slice.map { $0.json(forUser: isUser, team: workspace.id, creator: workspace.userID) }),
      "response_metadata": SlackCursor.metadata(next: found[slice.endIndex...].first?.id),
    ]
  }

  func channelInfo(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    let place = try visibleChannel(caller, arguments)
    let workspace = workspaces[place.workspace]
    let channel = workspace.channels[place.channel]
    try require(channel.isPrivate ? "groups:read" : "channels:read", caller)
    return ["channel": json(channel, workspace, caller)]
  }

  mutating func join(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    try require("channels:join", caller)
    let place = try visibleChannel(caller, arguments)
    let channel = workspaces[place.workspace].channels[place.channel]
    guard !channel.isArchived else { throw SlackError("is_archived") }
    guard !channel.isPrivate else { throw SlackError("method_not_supported_for_channel_type") }
    if caller.grant.kind == .bot {
      workspaces[place.workspace].channels[place.channel].hasBot = true
    }
    let workspace = workspaces[place.workspace]
    return ["channel": json(workspace.channels[place.channel], workspace, caller)]
  }

  private func json(
    _ channel: SlackWorkspace.Channel, _ workspace: SlackWorkspace, _ caller: SlackCaller
  ) -> JSONValue {
    channel.json(
      forUser: caller.grant.kind == .user, team: workspace.id, creator: workspace.userID)
  }
}
