import Fairlead

extension GitHubState {
  private static let issueKind = "Issue"

  func listIssues(
    _ place: Int, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    let repository = repositories[place]
    let found = try filtered(repository.issues.oldestFirst.map(\.value), context.query)
    let presenter = GitHubPresenter(base: context.base, users: users)
    let address = "\(context.base)/repositories/\(repository.id)/issues"
    return GitHubPage(context.request, address: address).response(found) {
      presenter.issue($0, in: repository)
    }
  }

  private func filtered(
    _ issues: [GitHubIssue], _ query: [FormPair]
  ) throws(GitHubError) -> [GitHubIssue] {
    let state = query["state"] ?? "open"
    guard ["open", "closed", "all"].contains(state) else {
      throw .invalid(Self.issueKind, field: "state", code: "invalid")
    }
    var since: Timestamp?
    if let text = query["since"], !text.isEmpty {
      // GitHub's clients write a plus of an offset as it is, which a form reads as a space.
      guard let time = Timestamp(rfc3339: text.replacing(" ", with: "+")) else {
        throw .invalid(Self.issueKind, field: "since", code: "invalid")
      }
      since = time
    }
    let labels = (query["labels"] ?? "").split(separator: ",").map(String.init)
    let creator = query["creator"]
    let found = issues.filter { issue in
      (state == "all" || (issue.closed == nil) == (state == "open"))
        && (since.map { issue.updated >= $0 } ?? true)
        && labels.allSatisfy { issue.labels.contains($0) }
        && (creator.map { issue.login == $0 } ?? true)
    }
    let sorted: [GitHubIssue]
    switch query["sort"] ?? "created" {
    case "updated": sorted = found.sorted { ($0.updated, $0.number) < ($1.updated, $1.number) }
    case "comments":
      sorted = found.sorted { ($0.comments.count, $0.number) < ($1.comments.count, $1.number) }
    default: sorted = found.sorted { $0.number < $1.number }
    }
    return query["direction"] == "asc" ? sorted : sorted.reversed()
  }

  func find(_ place: Int, _ number: Int?) throws(GitHubError) -> GitHubIssue {
    guard let number, let issue = repositories[place].issues[String(number)] else {
      throw .notFound
    }
    return issue
  }

  func readIssue(
    _ place: Int, _ number: Int?, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    .json(
      GitHubPresenter(base: context.base, users: users).issue(
        try find(place, number), in: repositories[place]))
  }

  mutating func createIssue(
    _ place: Int, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    let login = try requireWriter(place, context.caller)
    let body = try GitHubBody(context.request)
    let title = try body.text("title", of: Self.issueKind, required: true, max: 1_024) ?? ""
    let text = try body.text("body", of: Self.issueKind)
    let labels = try body.names("labels", of: Self.issueKind) ?? []
    let assignees = try assignees(body) ?? []
    var issue = addIssue(title, body: text, by: login, in: place, now: context.now)
    issue.labels = labels
    issue.assignees = assignees
    save(issue, in: place, now: context.now)
    let shown = record(issue, in: place, action: "opened", by: login, context.base)
    var response = SimulatedResponse.json(shown, status: 201)
    response.set("location", shown["url"]?.string ?? "")
    return response
  }

  @discardableResult
  mutating func addIssue(
    _ title: String, body: String?, by login: String, in place: Int, now: Timestamp
  ) -> GitHubIssue {
    let number = repositories[place].nextNumber
    repositories[place].nextNumber += 1
    let issue = GitHubIssue(
      id: newID(), number: number, title: title, body: body, login: login, created: now,
      updated: now)
    repositories[place].issues[String(number)] = issue
    return issue
  }

  /// Stores an issue; labels that the repository did not know are made.
  mutating func save(_ issue: GitHubIssue, in place: Int, now: Timestamp) {
    var issue = issue
    issue.updated = now
    repositories[place].issues[String(issue.number)] = issue
    repositories[place].updated = now
    for label in issue.labels
    where !repositories[place].labels.contains(label) && repositories[place].labels.count < 1_000 {
      repositories[place].labels.append(label)
    }
  }

  mutating func editIssue(
    _ place: Int, _ number: Int?, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    var issue = try find(place, number)
    let login = try requireWriter(place, context.caller)
    guard login == repositories[place].owner || login == issue.login else { throw .notFound }
    let body = try GitHubBody(context.request)
    if let title = try body.text("title", of: Self.issueKind, max: 1_024) { issue.title = title }
    if body.has("body") { issue.body = try body.text("body", of: Self.issueKind) }
    if let labels = try body.names("labels", of: Self.issueKind) { issue.labels = labels }
    if let assignees = try assignees(body) { issue.assignees = assignees }
    var action = "edited"
    if let state = try body.text("state", of: Self.issueKind) {
      guard ["open", "closed"].contains(state) else {
        throw .invalid(Self.issueKind, field: "state", code: "invalid")
      }
      if state == "closed", issue.closed == nil {
        issue.closed = context.now
        issue.stateReason =
          try body.text("state_reason", of: Self.issueKind) ?? "completed"
        action = "closed"
      } else if state == "open", issue.closed != nil {
        issue.closed = nil
        issue.stateReason = "reopened"
        action = "reopened"
      }
    }
    save(issue, in: place, now: context.now)
    return .json(record(issue, in: place, action: action, by: login, context.base))
  }

  private func assignees(_ body: GitHubBody) throws(GitHubError) -> [String]? {
    guard let names = try body.names("assignees", of: Self.issueKind) else { return nil }
    // Who is not known cannot be assigned, and GitHub leaves them out.
    return names.compactMap { user($0)?.login }
  }

  /// `GET /search/issues` with words and the qualifiers `repo:`, `state:`, `is:` and `author:`.
  func searchIssues(_ context: GitHubContext) throws(GitHubError) -> SimulatedResponse {
    guard let text = context.query["q"], !text.isEmpty else {
      throw .invalid("Search", field: "q", code: "missing")
    }
    var found: [(GitHubIssue, GitHubRepository)] = []
    for repository in repositories {
      let isHidden =
        repository.isPrivate
        && (context.caller.login != repository.owner || !context.caller.has("repo"))
      if isHidden { continue }
      for (_, issue) in repository.issues.oldestFirst
      where Self.matches(text, issue, repository) {
        found.append((issue, repository))
      }
    }
    let presenter = GitHubPresenter(base: context.base, users: users)
    let page = GitHubPage(context.request, address: "\(context.base)/search/issues")
    var response = page.response(found) { presenter.issue($0.0, in: $0.1) }
    guard case .bytes(let bytes) = response.body, let items = try? JSONValue(parsing: bytes) else {
      // The page was written as JSON a line above.
      return response
    }
    let document: JSONValue = [
      "total_count": .int(Int64(found.count)), "incomplete_results": false, "items": items,
    ]
    response.body = .bytes(document.bytes)
    return response
  }

  private static func matches(
    _ query: String, _ issue: GitHubIssue, _ repository: GitHubRepository
  ) -> Bool {
    let text = "\(issue.title) \(issue.body ?? "")".lowercased()
    return query.lowercased().split(separator: " ").prefix(50).allSatisfy { word in
      let parts = word.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { return text.contains(word) }
      return switch parts[0] {
      case "repo": repository.fullName.lowercased() == parts[1]
      case "author": issue.login.lowercased() == parts[1]
      case "state", "is":
        parts[1] == "issue" || (parts[1] == "open") == (issue.closed == nil)
      default: text.contains(word)
      }
    }
  }
}
