import Fairlead

extension GitHubState {
  func account(
    _ context: GitHubContext, login: String?
  ) throws(GitHubError) -> SimulatedResponse {
    let found: GitHubUser?
    if let login {
      found = user(login)
    } else {
      guard let own = context.caller.login else { throw .authenticationRequired }
      found = user(own)
    }
    guard let found else { throw .notFound }
    return .json(
      GitHubPresenter(base: context.base, users: users).account(
        found, repositories: repositories.filter { $0.owner == found.login },
        isSelf: login == nil))
  }

  /// The repositories of the caller, or the public ones of another.
  func listRepositories(
    _ context: GitHubContext, owner: String?
  ) throws(GitHubError) -> SimulatedResponse {
    let login: String
    if let owner {
      guard let found = user(owner) else { throw .notFound }
      login = found.login
    } else {
      guard let own = context.caller.login else { throw .authenticationRequired }
      login = own
    }
    let seesPrivate = owner == nil && context.caller.has("repo")
    let found = repositories.filter { $0.owner == login && (seesPrivate || !$0.isPrivate) }
      .sorted { $0.fullName < $1.fullName }
    let presenter = GitHubPresenter(base: context.base, users: users)
    let path = owner == nil ? "user/repos" : "users/\(login)/repos"
    return GitHubPage(context.request, address: "\(context.base)/\(path)").response(found) {
      presenter.repository($0, for: context.caller)
    }
  }

  mutating func createRepository(
    _ context: GitHubContext
  ) throws(GitHubError) -> SimulatedResponse {
    guard let login = context.caller.login else { throw .authenticationRequired }
    let body = try GitHubBody(context.request)
    let isPrivate = body.flag("private")
    guard context.caller.has("repo") || (!isPrivate && context.caller.has("public_repo")) else {
      throw .notFound
    }
    let name = try body.text("name", of: "Repository", required: true, max: 100) ?? ""
    guard name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"/<>\"\\%?#".utf8.contains($0) }),
      ![".", ".."].contains(name)
    else { throw .invalid("Repository", field: "name", code: "invalid") }
    guard index(login, name) == nil else {
      throw .invalid("Repository", field: "name", code: "already_exists")
    }
    guard repositories.count < Self.repositoryLimit else {
      throw GitHubError(403, "The sandbox keeps \(Self.repositoryLimit) repositories at most.")
    }
    let description = try body.text("description", of: "Repository", max: 350)
    addRepository(
      name, of: login, description: description, isPrivate: isPrivate, now: context.now)
    let made = repositories[repositories.count - 1]
    let shown = GitHubPresenter(base: context.base, users: users).repository(
      made, for: context.caller)
    record("repository", action: "created", ["repository": shown], by: login, context.base)
    var response = SimulatedResponse.json(shown, status: 201)
    response.set("location", "\(context.base)/repos/\(made.fullName)")
    return response
  }

  mutating func addRepository(
    _ name: String, of owner: String, description: String? = nil, isPrivate: Bool = false,
    now: Timestamp
  ) {
    repositories.append(
      GitHubRepository(
        id: newID(), owner: owner, name: name, description: description, isPrivate: isPrivate,
        created: now, updated: now))
  }

  func index(_ owner: String, _ name: String) -> Int? {
    repositories.firstIndex {
      $0.owner.lowercased() == owner.lowercased() && $0.name.lowercased() == name.lowercased()
    }
  }

  /// The repository a path names. One that the caller may not see is not there for them.
  func visible(
    _ owner: String, _ name: String, _ caller: GitHubCaller
  ) throws(GitHubError) -> Int {
    guard let place = index(owner, name) else { throw .notFound }
    let repository = repositories[place]
    if repository.isPrivate, caller.login != repository.owner || !caller.has("repo") {
      throw .notFound
    }
    return place
  }

  /// - Returns: the caller's login.
  func requireWriter(_ place: Int, _ caller: GitHubCaller) throws(GitHubError) -> String {
    guard let login = caller.login else { throw .authenticationRequired }
    guard caller.has("repo", "public_repo") else {
      throw GitHubError(403, "Resource not accessible by this token: it needs public_repo.")
    }
    return login
  }
}
