import Fairlead

extension SlackState {
  private static let messageLimit = 1_000

  /// Channels with their newest messages (oldest first), and the grants.
  var snapshot: JSONValue {
    [
      "app_id": .string(appID), "consent": .string(consent.rawValue),
      "workspaces": .array(workspaces.map(Self.json)),
      "grants": .array(grants.oldestFirst.map { json($0.value) }),
      "open_codes": .int(Int64(codes.count)), "exchanges": .int(Int64(exchanges)),
      "refreshes": .int(Int64(refreshes)),
    ]
  }

  private func json(_ grant: SlackGrant) -> JSONValue {
    [
      "id": .string(grant.id), "kind": .string(grant.kind.rawValue),
      "team_id": .string(grant.teamID), "scopes": .array(grant.scopes.map { .string($0) }),
      "revoked": .bool(grant.isRevoked), "active_tokens": .int(Int64(grant.active.count)),
    ]
  }

  private static func json(_ workspace: SlackWorkspace) -> JSONValue {
    let channels = workspace.channels.map { channel in
      let newest = channel.messages.newestFirst.prefix(messageLimit).map(\.value)
      return [
        "id": .string(channel.id), "name": .string(channel.name),
        "is_private": .bool(channel.isPrivate), "is_archived": .bool(channel.isArchived),
        "has_bot": .bool(channel.hasBot), "message_count": .int(Int64(channel.messages.count)),
        "messages": .array(newest.reversed()),
      ] as JSONValue
    }
    return [
      "id": .string(workspace.id), "name": .string(workspace.name),
      "user_id": .string(workspace.userID), "bot_user_id": .string(workspace.botUserID),
      "channels": .array(channels),
    ]
  }
}
