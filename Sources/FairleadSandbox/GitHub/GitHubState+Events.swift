import Fairlead

extension GitHubState {
  // MARK: - What happened

  /// Notes an event, so that it can be sent. Its type is the event and the action, joined by a dot.
  @discardableResult
  mutating func record(
    _ event: String, action: String?, _ parts: Object, by login: String, _ base: String
  ) -> OutgoingEvent {
    var body = parts
    body["action"] = action.map { .string($0) }
    body["sender"] = body["sender"] ?? GitHubPresenter(base: base, users: users).user(login)
    let outgoing = OutgoingEvent(
      id: newDeliveryID(), type: action.map { "\(event).\($0)" } ?? event,
      body: JSONValue.object(body).bytes)
    events[outgoing.id] = outgoing
    return outgoing
  }

  /// Notes what happened to an issue. Returns the issue as it is shown.
  @discardableResult
  mutating func record(
    _ issue: GitHubIssue, in place: Int, action: String, by login: String, _ base: String
  ) -> JSONValue {
    let current = repositories[place].issues[String(issue.number)] ?? issue
    let presenter = GitHubPresenter(base: base, users: users)
    let shown = presenter.issue(current, in: repositories[place])
    record(
      "issues", action: action, ["issue": shown, "repository": about(place, base)], by: login,
      base)
    return shown
  }

  @discardableResult
  mutating func record(
    _ comment: GitHubComment, on issue: GitHubIssue, in place: Int, action: String,
    by login: String, _ base: String
  ) -> JSONValue {
    let current = repositories[place].issues[String(issue.number)] ?? issue
    let presenter = GitHubPresenter(base: base, users: users)
    let shown = presenter.comment(comment, on: current, in: repositories[place])
    record(
      "issue_comment", action: action,
      [
        "comment": shown, "issue": presenter.issue(current, in: repositories[place]),
        "repository": about(place, base),
      ], by: login, base)
    return shown
  }

  private func about(_ place: Int, _ base: String) -> JSONValue {
    GitHubPresenter(base: base, users: users).repository(
      repositories[place], for: GitHubCaller())
  }

  /// A version 4 UUID.
  private func newDeliveryID() -> String {
    let text = Array(random.hexadecimal(32))
    let variant = ["8", "9", "a", "b"][Int(random.next() % 4)]
    return String(text[0..<8]) + "-" + String(text[8..<12]) + "-4" + String(text[13..<16]) + "-"
      + variant + String(text[17..<20]) + "-" + String(text[20..<32])
  }

  // MARK: - What a control orders

  /// Sends an earlier event again, or makes new ones: what a type says happened is made true first.
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let event = events[id] else {
        throw ControlError(.notFound, "GitHub has no event \"\(id)\". Its state lists them.")
      }
      return [event]
    }
    let repository = order.data["repository"]
    let name = repository?["full_name"]?.string ?? repository?.string
    let place = name.map { name in repositories.firstIndex { $0.fullName == name } } ?? 0
    guard let place, repositories.indices.contains(place) else {
      throw ControlError(.notFound, "GitHub has no repository \"\(name ?? "")\".")
    }
    var made: [OutgoingEvent] = []
    for (index, type) in order.typesToMake.enumerated() {
      made.append(makeEvent(type, order.data, in: place, now: now + .seconds(index)))
    }
    return made
  }

  private mutating func makeEvent(
    _ type: String, _ data: Object, in place: Int, now: Timestamp
  ) -> OutgoingEvent {
    let parts = type.split(separator: ".", maxSplits: 1).map(String.init)
    let event = parts.first ?? type
    let action = parts.count > 1 ? parts[1] : data["action"]?.string
    let base = "https://api.github.com"
    let login = data["sender"]?["login"]?.string.flatMap { user($0)?.login }
    let owner = repositories[place].owner
    switch event {
    case "issues":
      let issue = issue(data["issue"], in: place, by: login ?? owner, now: now)
      let changed = changed(issue, action: action ?? "opened", in: place, now: now)
      record(changed, in: place, action: action ?? "opened", by: login ?? owner, base)
    case "issue_comment":
      var issue = issue(data["issue"], in: place, by: login ?? owner, now: now)
      let text = data["comment"]?["body"]?.string ?? "A comment from the sandbox"
      let comment = GitHubComment(
        id: newID(), login: login ?? owner, body: text, created: now, updated: now)
      issue.comments.append(comment)
      save(issue, in: place, now: now)
      record(comment, on: issue, in: place, action: action ?? "created", by: login ?? owner, base)
    default:
      record(
        event, action: action, other(event, data, in: place, now: now, base), by: login ?? owner,
        base)
    }
    return events.newestFirst.first { _ in true }?.value
      ?? OutgoingEvent(id: newDeliveryID(), type: type, body: Array("{}".utf8))
  }

  /// The issue that `data` names by its number, else a new one.
  private mutating func issue(
    _ data: JSONValue?, in place: Int, by login: String, now: Timestamp
  ) -> GitHubIssue {
    if let number = data?["number"]?.int, let known = repositories[place].issues[String(number)] {
      return known
    }
    return addIssue(
      data?["title"]?.string ?? "An issue from the sandbox", body: data?["body"]?.string,
      by: login, in: place, now: now)
  }

  private mutating func changed(
    _ issue: GitHubIssue, action: String, in place: Int, now: Timestamp
  ) -> GitHubIssue {
    var issue = issue
    switch action {
    case "closed":
      issue.closed = now
      issue.stateReason = "completed"
    case "reopened":
      issue.closed = nil
      issue.stateReason = "reopened"
    default: break
    }
    save(issue, in: place, now: now)
    return issue
  }

  private func other(
    _ event: String, _ data: Object, in place: Int, now: Timestamp, _ base: String
  ) -> Object {
    var body = data
    body["action"] = nil
    body["repository"] = about(place, base)
    switch event {
    case "ping":
      body["zen"] = body["zen"] ?? "Keep it logically awesome."
      body["hook_id"] = body["hook_id"] ?? 1
      body["hook"] =
        body["hook"] ?? ["type": "Repository", "id": 1, "active": true, "events": ["*"]]
    case "push":
      let before = random.hexadecimal(40)
      let after = random.hexadecimal(40)
      body["ref"] = body["ref"] ?? "refs/heads/main"
      body["before"] = body["before"] ?? .string(before)
      body["after"] = body["after"] ?? .string(after)
      body["commits"] =
        body["commits"] ?? [
          [
            "id": .string(after), "message": "A commit from the sandbox",
            "timestamp": now.githubText,
          ]
        ]
      body["pusher"] = body["pusher"] ?? ["name": .string(repositories[place].owner)]
    default: break
    }
    return body
  }
}
