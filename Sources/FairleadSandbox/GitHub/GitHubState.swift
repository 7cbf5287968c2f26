import Fairlead
import HTTPTypes

/// Everything the simulated GitHub knows. Its methods are in the extensions beside this file.
struct GitHubState: Sendable {
  typealias Object = [String: JSONValue]

  static let codeLifetime = Duration.seconds(600)
  static let tokenLifetime = Duration.seconds(28_800)
  static let refreshLifetime = Duration.seconds(15_897_600)
  static let userLimit = 50
  static let repositoryLimit = 200

  let random: RandomSource
  var consent = ConsentDecision.ask
  var expiringTokens = false
  /// Requests an hour and user.
  var rateLimit = 5_000
  var users: [GitHubUser] = []
  var repositories: [GitHubRepository] = []
  var codes = BoundedStore<GitHubCode>(capacity: 10_000)
  var grants = BoundedStore<GitHubGrant>(capacity: 50_000)
  var accessTokens = BoundedStore<GitHubAccessToken>(capacity: 100_000)
  var refreshTokens = BoundedStore<GitHubRefreshToken>(capacity: 100_000)
  var windows = BoundedStore<GitHubRateWindow>(capacity: 10_000)
  var events = BoundedStore<OutgoingEvent>(
    capacity: 10_000, weightLimit: 16 << 20, weigh: \.body.count)
  /// How many of each succeeded.
  var exchanges = 0
  var refreshes = 0
  var revocations = 0
  private var lastID: Int64 = 1_000_000

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    addUser("octavia", name: "Octavia Example")
  }

  /// A number that nothing else here has.
  mutating func newID() -> Int64 {
    lastID += 1
    return lastID
  }

  /// The user an approval is for: the one asked for, made when new, else the first.
  mutating func login(asked: String?) -> String {
    let first = users.first?.login ?? ""
    guard let asked, (1...39).contains(asked.utf8.count),
      asked.utf8.allSatisfy({
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
      })
    else { return first }
    if let known = user(asked) { return known.login }
    guard users.count < Self.userLimit else { return first }
    addUser(asked, name: asked)
    return asked
  }

  private mutating func addUser(_ login: String, name: String) {
    users.append(GitHubUser(id: newID(), login: login, name: name))
    addRepository("hello-world", of: login, description: "A first repository", now: Self.seedTime)
    addRepository("private-notes", of: login, isPrivate: true, now: Self.seedTime)
    for number in 1...3 {
      addIssue(
        "Example issue \(number)", body: "It was here from the start.", by: login,
        in: repositories.count - 2, now: Self.seedTime + .seconds(number))
    }
  }

  static let seedTime = Timestamp(seconds: 1_700_000_000)

  /// Logins do not differ by case.
  func user(_ login: String) -> GitHubUser? {
    users.first { $0.login.lowercased() == login.lowercased() }
  }

  /// Who calls.
  func caller(of request: SimulatedRequest) throws(GitHubError) -> GitHubCaller {
    guard let header = request.headers[.authorization] else { return GitHubCaller() }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, ["bearer", "token"].contains(parts[0].lowercased()),
      let access = accessTokens[String(parts[1])], !access.isRevoked,
      let grant = grants[access.grantID], !grant.isRevoked,
      access.expires.map({ $0 > request.now }) ?? true
    else { throw .badCredentials }
    return GitHubCaller(grant: grant)
  }

  /// Tokens of an OAuth app have no end to bring forward; they become expired all the same.
  mutating func expireTokens(now: Timestamp) -> Int {
    var count = 0
    accessTokens.updateAll { token in
      guard !token.isRevoked, token.expires.map({ $0 > now }) ?? true else { return }
      token.expires = now
      count += 1
    }
    return count
  }

  mutating func revokeGrants() -> Int {
    var count = 0
    grants.updateAll { grant in
      guard !grant.isRevoked else { return }
      grant.isRevoked = true
      count += 1
    }
    return count
  }
}
