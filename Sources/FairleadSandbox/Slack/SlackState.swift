import Fairlead

/// Everything the simulated Slack knows. Its methods are in the extensions beside this file.
struct SlackState: Sendable {
  static let tokenLifetime = Duration.seconds(43_200)
  /// How long a used refresh token still works, for clients whose answer was lost.
  static let refreshGrace = Duration.seconds(30)
  static let codeLifetime = Duration.seconds(600)
  static let publicRefreshLifetime = Duration.seconds(30 * 86_400)
  static let workspaceLimit = 20

  let random: RandomSource
  let appID: String
  var consent = ConsentDecision.ask
  var workspaces: [SlackWorkspace]
  var codes = BoundedStore<SlackCode>(capacity: 10_000)
  var grants = BoundedStore<SlackGrant>(capacity: 50_000)
  var accessTokens = BoundedStore<SlackAccessToken>(capacity: 100_000)
  var refreshTokens = BoundedStore<SlackRefreshToken>(capacity: 100_000)
  var sentEvents = BoundedStore<OutgoingEvent>(
    capacity: 10_000, weightLimit: 16 << 20, weigh: \.body.count)
  /// How many exchanges succeeded, by kind.
  var exchanges = 0
  var refreshes = 0

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    appID = "A" + random.capitals(10)
    workspaces = [SlackWorkspace(id: "T" + random.capitals(10), name: "Acme", random: random)]
  }

  /// The workspace an approval goes to: the one asked for, made when it is new, else the first.
  mutating func workspaceID(asked: String?) -> String {
    guard let asked, asked.utf8.count <= 40,
      asked.utf8.allSatisfy({ $0 != UInt8(ascii: "<") && $0 > 32 && $0 < 127 })
    else { return workspaces.first?.id ?? "" }
    if workspaces.contains(where: { $0.id == asked }) { return asked }
    guard workspaces.count < Self.workspaceLimit else { return workspaces.first?.id ?? "" }
    workspaces.append(SlackWorkspace(id: asked, name: "Workspace \(asked)", random: random))
    return asked
  }

  func workspaceIndex(_ id: String) throws(SlackError) -> Int {
    guard let index = workspaces.firstIndex(where: { $0.id == id }) else {
      throw SlackError("team_not_found")
    }
    return index
  }

  /// Who a token stands for.
  func caller(
    of request: SimulatedRequest, _ arguments: SlackArguments
  ) throws(SlackError) -> SlackCaller {
    guard let token = request.bearerToken ?? arguments.text("token") else {
      throw SlackError("not_authed")
    }
    guard let access = accessTokens[token], let grant = grants[access.grantID] else {
      throw SlackError("invalid_auth")
    }
    if access.isRevoked || grant.isRevoked { throw SlackError("token_revoked") }
    if access.expires <= request.now { throw SlackError("token_expired") }
    return SlackCaller(token: token, grant: grant)
  }

  mutating func expireTokens(now: Timestamp) -> Int {
    var count = 0
    accessTokens.updateAll { token in
      guard !token.isRevoked, token.expires > now else { return }
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
