import Crypto
import Fairlead
import HTTPTypes

extension GitHubState {
  /// One request to the API: who calls, whether they may, the answer, and the headers around it.
  mutating func call(_ request: SimulatedRequest) -> SimulatedResponse {
    guard request.headers[.userAgent]?.isEmpty == false else {
      return .text(
        "Request forbidden by administrative rules. Please make sure your request has a "
          + "User-Agent header.", status: 403)
    }
    var response: SimulatedResponse
    var caller = GitHubCaller()
    var limits: [(name: String, value: String)] = []
    do throws(GitHubError) {
      if request.segments.first == "applications" {
        return try application(request)
      }
      caller = try self.caller(of: request)
      let isFree = request.segments == ["rate_limit"]
      let counted = count(caller, now: request.now, costs: !isFree)
      limits = counted.headers
      if counted.isOver { throw Self.overLimit(caller) }
      response = try answer(request, caller)
    } catch {
      response = error.response
    }
    for (name, value) in limits { response.set(name, value) }
    if let grant = caller.grant, !grant.isApp {
      response.set("x-oauth-scopes", grant.scopes.joined(separator: ", "))
    }
    response.set("x-github-media-type", "github.v3; format=json")
    return conditional(response, request, caller)
  }

  private mutating func application(
    _ request: SimulatedRequest
  ) throws(GitHubError) -> SimulatedResponse {
    let segments = request.segments
    guard request.method == "DELETE", segments.count == 3 else { throw .notFound }
    switch segments[2] {
    case "token": return try revoke(request, wholeGrant: false)
    case "grant": return try revoke(request, wholeGrant: true)
    default: throw .notFound
    }
  }

  private static func overLimit(_ caller: GitHubCaller) -> GitHubError {
    GitHubError(403, "API rate limit exceeded for \(caller.login ?? "this address").")
  }

  /// An `ETag` for what was read; 304 for who has it, which costs nothing.
  private mutating func conditional(
    _ response: SimulatedResponse, _ request: SimulatedRequest, _ caller: GitHubCaller
  ) -> SimulatedResponse {
    guard ["GET", "HEAD"].contains(request.method), response.status == 200,
      case .bytes(let bytes) = response.body
    else { return response }
    var response = response
    let tag = "\"\(Array(SHA256.hash(data: bytes)).hex)\""
    response.headers[.eTag] = tag
    response.headers[.cacheControl] = "private, max-age=60, s-maxage=60"
    let known = (request.headers[.ifNoneMatch] ?? "").split(separator: ",").map {
      $0.filter { $0 != " " }.replacing("W/", with: "")
    }
    guard known.contains(tag) else { return response }
    response.status = 304
    response.body = .bytes([])
    response.headers[.contentType] = nil
    windows[caller.login ?? ""]?.used -= 1
    return response
  }

  private mutating func answer(
    _ request: SimulatedRequest, _ caller: GitHubCaller
  ) throws(GitHubError) -> SimulatedResponse {
    let base = Self.base(of: request)
    var segments = request.segments
    // What `Link` headers name: a repository by its number.
    if segments.first == "repositories", segments.count > 1 {
      guard let id = Int64(segments[1]), let found = repositories.first(where: { $0.id == id })
      else { throw .notFound }
      segments = ["repos", found.owner, found.name] + segments.dropFirst(2)
    }
    let context = GitHubContext(request: request, caller: caller, base: base)
    switch (request.method, segments.first ?? "", segments.count) {
    case ("GET", "rate_limit", 1): return rateLimits(caller, now: request.now)
    case ("GET", "user", 1): return try self.account(context, login: nil)
    case ("GET", "users", 2): return try self.account(context, login: segments[1])
    case ("GET", "user", 2) where segments[1] == "repos":
      return try listRepositories(context, owner: nil)
    case ("GET", "users", 3) where segments[2] == "repos":
      return try listRepositories(context, owner: segments[1])
    case ("POST", "user", 2) where segments[1] == "repos": return try createRepository(context)
    case ("GET", "search", 2) where segments[1] == "issues": return try searchIssues(context)
    case (_, "repos", 3...):
      let place = try visible(segments[1], segments[2], caller)
      return try repository(place, Array(segments.dropFirst(3)), context)
    default: throw .notFound
    }
  }

  private mutating func repository(
    _ place: Int, _ rest: [String], _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    let number = rest.count > 1 ? Int(rest[1]) : nil
    let presenter = GitHubPresenter(base: context.base, users: users)
    switch (context.request.method, rest.first ?? "", rest.count) {
    case ("GET", "", 0):
      return .json(presenter.repository(repositories[place], for: context.caller))
    case ("GET", "labels", 1):
      let repository = repositories[place]
      let address = "\(context.base)/repositories/\(repository.id)/labels"
      return GitHubPage(context.request, address: address).response(repository.labels) {
        presenter.label($0, of: repository)
      }
    case ("GET", "issues", 1): return try listIssues(place, context)
    case ("POST", "issues", 1): return try createIssue(place, context)
    case (_, "issues", 3) where rest[1] == "comments":
      return try comment(place, id: Int64(rest[2]), context)
    case ("GET", "issues", 2): return try readIssue(place, number, context)
    case ("PATCH", "issues", 2): return try editIssue(place, number, context)
    case ("GET", "issues", 3) where rest[2] == "comments":
      return try listComments(place, number, context)
    case ("POST", "issues", 3) where rest[2] == "comments":
      return try createComment(place, number, context)
    default: throw .notFound
    }
  }

  /// The address under which the caller reached this simulator.
  private static func base(of request: SimulatedRequest) -> String {
    "http://\(request.header("host") ?? "localhost")/github"
  }
}

/// What a route needs to know of its request.
struct GitHubContext: Sendable {
  let request: SimulatedRequest
  let caller: GitHubCaller
  let base: String

  var now: Timestamp { request.now }
  var query: [FormPair] { request.queryPairs ?? [] }
}
