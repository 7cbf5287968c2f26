import Fairlead

extension GitHubState {
  private static let commentLimit = 1_000
  private static let commentKind = "IssueComment"

  func listComments(
    _ place: Int, _ number: Int?, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    let issue = try find(place, number)
    let repository = repositories[place]
    let presenter = GitHubPresenter(base: context.base, users: users)
    let address =
      "\(context.base)/repositories/\(repository.id)/issues/\(issue.number)/comments"
    return GitHubPage(context.request, address: address).response(issue.comments) {
      presenter.comment($0, on: issue, in: repository)
    }
  }

  mutating func createComment(
    _ place: Int, _ number: Int?, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    var issue = try find(place, number)
    let login = try requireWriter(place, context.caller)
    let body = try GitHubBody(context.request)
    let text = try body.text("body", of: Self.commentKind, required: true) ?? ""
    guard issue.comments.count < Self.commentLimit else {
      throw GitHubError(403, "The sandbox keeps \(Self.commentLimit) comments of an issue at most.")
    }
    let comment = GitHubComment(
      id: newID(), login: login, body: text, created: context.now, updated: context.now)
    issue.comments.append(comment)
    save(issue, in: place, now: context.now)
    let shown = record(comment, on: issue, in: place, action: "created", by: login, context.base)
    var response = SimulatedResponse.json(shown, status: 201)
    response.set("location", shown["url"]?.string ?? "")
    return response
  }

  /// `/repos/{owner}/{repo}/issues/comments/{id}`.
  mutating func comment(
    _ place: Int, id: Int64?, _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    let holder = repositories[place].issues.oldestFirst.first { entry in
      entry.value.comments.contains { $0.id == id }
    }
    guard var issue = holder?.value,
      let index = issue.comments.firstIndex(where: { $0.id == id })
    else { throw .notFound }
    let presenter = GitHubPresenter(base: context.base, users: users)
    if context.request.method == "GET" {
      return .json(presenter.comment(issue.comments[index], on: issue, in: repositories[place]))
    }
    let login = try requireWriter(place, context.caller)
    guard login == issue.comments[index].login || login == repositories[place].owner else {
      throw .notFound
    }
    switch context.request.method {
    case "PATCH":
      let body = try GitHubBody(context.request)
      issue.comments[index].body =
        try body.text("body", of: Self.commentKind, required: true) ?? ""
      issue.comments[index].updated = context.now
      save(issue, in: place, now: context.now)
      return .json(
        record(
          issue.comments[index], on: issue, in: place, action: "edited", by: login, context.base))
    case "DELETE":
      let gone = issue.comments.remove(at: index)
      save(issue, in: place, now: context.now)
      record(gone, on: issue, in: place, action: "deleted", by: login, context.base)
      return SimulatedResponse(status: 204, body: .bytes([]))
    default: throw .notFound
    }
  }
}
