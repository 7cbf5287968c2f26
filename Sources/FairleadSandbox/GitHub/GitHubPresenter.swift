import Fairlead

/// Stored objects as GitHub shows them. Every address is absolute, below the address by which the
/// request came.
struct GitHubPresenter: Sendable {
  /// Without a slash at its end.
  let base: String
  let users: [GitHubUser]

  func user(_ login: String) -> JSONValue {
    guard let user = users.first(where: { $0.login == login }) else { return .null }
    let url = "\(base)/users/\(user.login)"
    return [
      "login": .string(user.login), "id": .int(user.id),
      "node_id": .string(Self.node("User", user.id)), "type": "User", "site_admin": false,
      "avatar_url": .string("https://avatars.githubusercontent.com/u/\(user.id)?v=4"),
      "gravatar_id": "", "url": .string(url),
      "html_url": .string("https://github.com/\(user.login)"),
      "repos_url": .string("\(url)/repos"), "followers_url": .string("\(url)/followers"),
      "events_url": .string("\(url)/events{/privacy}"),
      "organizations_url": .string("\(url)/orgs"),
    ]
  }

  /// The longer form of `/user` and `/users/{login}`.
  /// - Parameter repositories: the user's own.
  func account(
    _ user: GitHubUser, repositories: [GitHubRepository], isSelf: Bool
  ) -> JSONValue {
    var members = self.user(user.login).object ?? [:]
    members["name"] = .string(user.name)
    members["email"] = isSelf ? .string("\(user.login.lowercased())@example.com") : .null
    members["company"] = .null
    members["bio"] = .null
    members["public_repos"] = .int(Int64(repositories.count { !$0.isPrivate }))
    members["followers"] = 0
    members["following"] = 0
    members["created_at"] = GitHubState.seedTime.githubText
    members["updated_at"] = GitHubState.seedTime.githubText
    if isSelf {
      members["total_private_repos"] = .int(Int64(repositories.count(where: \.isPrivate)))
      members["two_factor_authentication"] = true
    }
    return .object(members)
  }

  func repository(_ repository: GitHubRepository, for caller: GitHubCaller) -> JSONValue {
    let url = "\(base)/repos/\(repository.fullName)"
    let page = "https://github.com/\(repository.fullName)"
    let isOwner = caller.login == repository.owner
    let open = repository.issues.oldestFirst.count { $0.value.closed == nil }
    return [
      "id": .int(repository.id), "node_id": .string(Self.node("Repository", repository.id)),
      "name": .string(repository.name), "full_name": .string(repository.fullName),
      "private": .bool(repository.isPrivate), "owner": user(repository.owner),
      "visibility": .string(repository.isPrivate ? "private" : "public"),
      "description": repository.description.map { .string($0) } ?? .null, "fork": false,
      "archived": false, "disabled": false, "has_issues": true, "default_branch": "main",
      "url": .string(url), "html_url": .string(page), "clone_url": .string("\(page).git"),
      "issues_url": .string("\(url)/issues{/number}"),
      "issue_comment_url": .string("\(url)/issues/comments{/number}"),
      "labels_url": .string("\(url)/labels{/name}"), "hooks_url": .string("\(url)/hooks"),
      "open_issues": .int(Int64(open)), "open_issues_count": .int(Int64(open)),
      "stargazers_count": 0, "watchers_count": 0, "forks_count": 0, "size": 0,
      "language": .null, "created_at": repository.created.githubText,
      "updated_at": repository.updated.githubText, "pushed_at": repository.updated.githubText,
      "permissions": [
        "admin": .bool(isOwner), "push": .bool(isOwner), "pull": true,
      ],
    ]
  }

  func label(_ name: String, of repository: GitHubRepository) -> JSONValue {
    let place = repository.labels.firstIndex(of: name) ?? 0
    let id = repository.id * 1_000 + Int64(place)
    return [
      "id": .int(id), "node_id": .string(Self.node("Label", id)), "name": .string(name),
      "color": "ededed", "default": .bool(place < 3), "description": .null,
      "url": .string(
        "\(base)/repos/\(repository.fullName)/labels/\(PercentEncoding.encode(name))"),
    ]
  }

  func issue(_ issue: GitHubIssue, in repository: GitHubRepository) -> JSONValue {
    let home = "\(base)/repos/\(repository.fullName)"
    let url = "\(home)/issues/\(issue.number)"
    return [
      "id": .int(issue.id), "node_id": .string(Self.node("Issue", issue.id)),
      "number": .int(Int64(issue.number)), "title": .string(issue.title),
      "body": issue.body.map { .string($0) } ?? .null, "user": user(issue.login),
      "state": .string(issue.closed == nil ? "open" : "closed"),
      "state_reason": issue.stateReason.map { .string($0) } ?? .null,
      "labels": .array(issue.labels.map { label($0, of: repository) }),
      "assignees": .array(issue.assignees.map { user($0) }),
      "assignee": issue.assignees.first.map { user($0) } ?? .null, "milestone": .null,
      "locked": false, "active_lock_reason": .null, "author_association": "OWNER",
      "comments": .int(Int64(issue.comments.count)), "created_at": issue.created.githubText,
      "updated_at": issue.updated.githubText,
      "closed_at": issue.closed.map(\.githubText) ?? .null, "url": .string(url),
      "repository_url": .string(home), "comments_url": .string("\(url)/comments"),
      "events_url": .string("\(url)/events"), "labels_url": .string("\(url)/labels{/name}"),
      "html_url": .string("https://github.com/\(repository.fullName)/issues/\(issue.number)"),
    ]
  }

  func comment(
    _ comment: GitHubComment, on issue: GitHubIssue, in repository: GitHubRepository
  ) -> JSONValue {
    let home = "\(base)/repos/\(repository.fullName)"
    let page = "https://github.com/\(repository.fullName)/issues/\(issue.number)"
    return [
      "id": .int(comment.id), "node_id": .string(Self.node("IssueComment", comment.id)),
      "body": .string(comment.body), "user": user(comment.login),
      "author_association": "OWNER", "created_at": comment.created.githubText,
      "updated_at": comment.updated.githubText,
      "url": .string("\(home)/issues/comments/\(comment.id)"),
      "issue_url": .string("\(home)/issues/\(issue.number)"),
      "html_url": .string("\(page)#issuecomment-\(comment.id)"),
    ]
  }

  private static func node(_ kind: String, _ id: Int64) -> String {
    Array("0:\(kind)\(id)".utf8).base64
  }
}
