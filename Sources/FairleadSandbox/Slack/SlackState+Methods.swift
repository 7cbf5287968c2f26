import Fairlead
import HTTPTypes

extension SlackState {
  /// `/api/{method}`.
  mutating func call(_ method: String, _ request: SimulatedRequest) -> SimulatedResponse {
    guard ["GET", "POST"].contains(request.method) else {
      return .text("Method not allowed", status: 405)
    }
    do throws(SlackError) {
      let arguments = try SlackArguments(request)
      if method == "oauth.v2.access" { return success(try access(request, arguments), scopes: nil) }
      if method == "api.test" { return success([:], scopes: nil) }
      guard Self.methods.contains(method) else {
        throw SlackError("unknown_method", ["req_method": .string(method)])
      }
      let caller = try caller(of: request, arguments)
      let body = try perform(method, caller, arguments, now: request.now)
      return success(body, scopes: caller.grant.scopes)
    } catch {
      return error.response
    }
  }

  private static let methods: Set<String> = [
    "auth.test", "auth.revoke", "chat.postMessage", "conversations.list", "conversations.history",
    "conversations.replies", "conversations.info", "conversations.join",
  ]

  private mutating func perform(
    _ method: String, _ caller: SlackCaller, _ arguments: SlackArguments, now: Timestamp
  ) throws(SlackError) -> [String: JSONValue] {
    switch method {
    case "auth.test": try identify(caller)
    case "auth.revoke": revoke(caller, arguments)
    case "chat.postMessage": try postMessage(caller, arguments, now: now)
    case "conversations.list": try listChannels(caller, arguments)
    case "conversations.history": try history(caller, arguments)
    case "conversations.replies": try replies(caller, arguments)
    case "conversations.info": try channelInfo(caller, arguments)
    case "conversations.join": try join(caller, arguments)
    default: throw SlackError("unknown_method", ["req_method": .string(method)])
    }
  }

  private func success(_ body: [String: JSONValue], scopes: [String]?) -> SimulatedResponse {
    var body = body
    body["ok"] = true
    var response = SimulatedResponse.json(.object(body))
    if let scopes { response.set("x-oauth-scopes", scopes.joined(separator: ",")) }
    return response
  }

  private func identify(_ caller: SlackCaller) throws(SlackError) -> [String: JSONValue] {
    let workspace = workspaces[try workspaceIndex(caller.grant.teamID)]
    var body: [String: JSONValue] = [
      "url": .string("https://\(workspace.id.lowercased()).slack.com/"),
      "team": .string(workspace.name), "team_id": .string(workspace.id),
      "is_enterprise_install": false,
    ]
    switch caller.grant.kind {
    case .bot:
      body["user"] = "fairlead_bot"
      body["user_id"] = .string(workspace.botUserID)
      body["bot_id"] = .string(workspace.botID)
    case .user:
      body["user"] = "dana"
      body["user_id"] = .string(workspace.userID)
    }
    return body
  }

  /// - Throws: `missing_scope` that says which was needed and which were given.
  func require(_ scope: String, _ caller: SlackCaller) throws(SlackError) {
    guard !caller.grant.scopes.contains(scope) else { return }
    throw SlackError(
      "missing_scope",
      [
        "needed": .string(scope),
        "provided": .string(caller.grant.scopes.joined(separator: ",")),
      ])
  }

  /// The channel an argument names, as far as the caller may see it.
  func visibleChannel(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) throws(SlackError) -> (workspace: Int, channel: Int) {
    let workspace = try workspaceIndex(caller.grant.teamID)
    guard let reference = arguments.text("channel"),
      let channel = workspaces[workspace].channelIndex(reference)
    else { throw SlackError("channel_not_found") }
    let found = workspaces[workspace].channels[channel]
    if found.isPrivate, !found.hasBot, caller.grant.kind == .bot {
      throw SlackError("channel_not_found")
    }
    return (workspace, channel)
  }
}
