import Fairlead

extension GoogleState {
  var snapshot: JSONValue {
    [
      "consent": [
        "decision": .string(consent.decision.rawValue),
        "account": consent.account.map { .string($0) } ?? .null,
        "scopes": consent.scopes.map { .array($0.map { .string($0) }) } ?? .null,
      ],
      "accounts": .array(accounts.map { account in json(account: account) }),
      "grants": .array(grants.oldestFirst.map { json($0.value) }),
      "channels": .array(channels.oldestFirst.map { json($0.value) }),
      "open_codes": .int(Int64(codes.count)), "exchanges": .int(Int64(exchanges)),
      "refreshes": .int(Int64(refreshes)), "revocations": .int(Int64(revocations)),
      "notifications": ["sent": .int(Int64(sentPushes.count - lost)), "lost": .int(Int64(lost))],
    ]
  }

  private func json(account: String) -> JSONValue {
    let entries = (calendarIDs[account] ?? []).compactMap { id -> JSONValue? in
      guard let calendar = calendars[CalendarKey(account: account, id: id)] else { return nil }
      let live = calendar.events.values.count { !$0.isCancelled }
      return [
        "id": .string(id), "summary": .string(calendar.summary), "live": .int(Int64(live)),
        "deleted": .int(Int64(calendar.events.count - live)), "changes": .int(calendar.change),
      ]
    }
    return ["email": .string(account), "calendars": .array(entries)]
  }

  private func json(_ grant: GoogleGrant) -> JSONValue {
    [
      "id": .string(grant.id), "account": .string(grant.account),
      "scopes": .array(grant.scopes.map { .string($0) }), "revoked": .bool(grant.isRevoked),
      "refresh_tokens": .int(Int64(grant.refreshTokens.count)),
    ]
  }

  private func json(_ channel: GoogleChannel) -> JSONValue {
    [
      "id": .string(channel.id), "account": .string(channel.calendar.account),
      "calendar": .string(channel.calendar.id), "resource_id": .string(channel.resourceID),
      "address": .string(channel.address), "expires_at": .string(channel.expires.rfc3339),
      "messages": .int(channel.messages),
    ]
  }
}
