import Fairlead

extension GitHubState {
  private static let issueLimit = 2_000
  private static let eventLimit = 1_000

  /// Users, repositories with their newest issues (oldest first), grants, and the newest events.
  var snapshot: JSONValue {
    [
      "consent": .string(consent.rawValue), "expiring_tokens": .bool(expiringTokens),
      "rate_limit": .int(Int64(rateLimit)),
      "users": .array(users.map { ["id": .int($0.id), "login": .string($0.login)] }),
      "repositories": .array(repositories.map(Self.json)),
      "grants": .array(grants.oldestFirst.map { Self.json($0.value) }),
      "events": .array(
        events.newestFirst.prefix(Self.eventLimit).map {
          ["id": .string($0.value.id), "type": .string($0.value.type)]
        }),
      "open_codes": .int(Int64(codes.count)), "exchanges": .int(Int64(exchanges)),
      "refreshes": .int(Int64(refreshes)), "revocations": .int(Int64(revocations)),
    ]
  }

  private static func json(_ grant: GitHubGrant) -> JSONValue {
    [
      "id": .string(grant.id), "login": .string(grant.login), "app": .bool(grant.isApp),
      "scopes": .array(grant.scopes.map { .string($0) }), "revoked": .bool(grant.isRevoked),
    ]
  }

  private static func json(_ repository: GitHubRepository) -> JSONValue {
    let issues = repository.issues.newestFirst.prefix(issueLimit).map { entry -> JSONValue in
      let issue = entry.value
      return [
        "number": .int(Int64(issue.number)), "title": .string(issue.title),
        "body": issue.body.map { .string($0) } ?? .null, "user": .string(issue.login),
        "state": .string(issue.closed == nil ? "open" : "closed"),
        "labels": .array(issue.labels.map { .string($0) }),
        "comments": .array(
          issue.comments.map { ["id": .int($0.id), "body": .string($0.body)] }),
      ]
    }
    return [
      "id": .int(repository.id), "full_name": .string(repository.fullName),
      "private": .bool(repository.isPrivate),
      "issue_count": .int(Int64(repository.issues.count)), "issues": .array(issues.reversed()),
    ]
  }
}
