import Fairlead

/// Everything the simulated Google knows. Its methods are in the extensions beside this file.
struct GoogleState: Sendable {
  struct CalendarKey: Hashable, Sendable {
    var account: String
    var id: String
  }

  static let codeLifetime = Duration.seconds(600)
  static let tokenLifetime = Duration.seconds(3_600)
  /// Per account and client; the oldest is dropped without a word.
  static let refreshTokenLimit = 100
  static let accountLimit = 200
  static let firstAccount = "dana@example.com"

  let random: RandomSource
  var consent = GoogleConsent()
  /// In the order they came.
  var accounts: [String] = []
  /// The subject of each account's identity, and its calendars' ids, the primary one first.
  var subjects: [String: String] = [:]
  var calendarIDs: [String: [String]] = [:]
  var calendars: [CalendarKey: GoogleCalendar] = [:]

  var codes = BoundedStore<GoogleCode>(capacity: 10_000)
  var grants = BoundedStore<GoogleGrant>(capacity: 10_000)
  /// The live grant of each account.
  var liveGrants: [String: String] = [:]
  var accessTokens = BoundedStore<GoogleAccessToken>(capacity: 100_000)
  /// To the grant's id.
  var refreshTokens = BoundedStore<String>(capacity: 100_000)

  var pageTokens = BoundedStore<GooglePageToken>(capacity: 20_000)
  var syncTokens = BoundedStore<GoogleSyncToken>(capacity: 20_000)

  var channels = BoundedStore<GoogleChannel>(capacity: 2_000)
  var sentPushes = BoundedStore<GooglePush>(capacity: 10_000)
  /// Notifications that wait to be sent.
  var outgoing: [GooglePush] = []
  /// How many of the next notifications get lost, and how many were.
  var losing = 0
  var lost = 0

  /// Calls a minute one account may make; `nil` does not count them.
  var quota: Int?
  var spent: [String: (minute: Int64, calls: Int)] = [:]

  var exchanges = 0
  var refreshes = 0
  var revocations = 0

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    _ = account(named: Self.firstAccount)
  }

  /// The account of that address, made when it is new; the first one when the address is none or
  /// there are too many.
  mutating func account(named asked: String?) -> String {
    guard let asked = asked?.lowercased(), Self.isAddress(asked) else { return Self.firstAccount }
    if calendarIDs[asked] != nil { return asked }
    guard accounts.count < Self.accountLimit else { return Self.firstAccount }
    accounts.append(asked)
    subjects[asked] = "1" + random.digits(20)
    let team = "c_" + random.hexadecimal(40) + "@group.calendar.google.com"
    calendarIDs[asked] = [asked, team]
    for (id, summary) in [(asked, asked), (team, "Team")] {
      calendars[CalendarKey(account: asked, id: id)] = GoogleCalendar(
        id: id, summary: summary, isPrimary: id == asked, resourceID: random.alphanumeric(27))
    }
    return asked
  }

  private static func isAddress(_ text: String) -> Bool {
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    return text.utf8.count <= 100 && halves.count == 2 && halves.allSatisfy { !$0.isEmpty }
      && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>\"'&/?#%".utf8.contains($0) }
  }

  /// Letters and digits of base32hex, as Google's event ids have them.
  func eventID() -> String {
    let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    return String(decoding: random.bytes(26).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
  }

  func key(_ account: String, _ calendar: String) throws(GoogleError) -> CalendarKey {
    let key = CalendarKey(account: account, id: calendar == "primary" ? account : calendar)
    guard calendars[key] != nil else { throw .notFound }
    return key
  }

  // MARK: - Who calls

  mutating func caller(
    of request: SimulatedRequest, _ scopes: [String]
  ) throws(GoogleError) -> GoogleCaller {
    guard let token = request.bearerToken ?? request.queryPairs?["access_token"],
      let access = accessTokens[token], access.expires > request.now,
      let grant = grants[access.grantID], !grant.isRevoked
    else { throw .unauthenticated }
    guard scopes.contains(where: access.scopes.contains) else { throw .insufficientScopes }
    try spend(grant.account, now: request.now)
    return GoogleCaller(account: grant.account, scopes: access.scopes)
  }

  private mutating func spend(_ account: String, now: Timestamp) throws(GoogleError) {
    guard let quota else { return }
    let minute = now.seconds / 60
    var entry = spent[account] ?? (minute, 0)
    if entry.minute != minute { entry = (minute, 0) }
    guard entry.calls < quota else { throw .userRateLimited }
    spent[account] = (minute, entry.calls + 1)
  }

  mutating func expireTokens(now: Timestamp) -> Int {
    var count = 0
    accessTokens.updateAll { token in
      guard token.expires > now else { return }
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
      grant.refreshTokens = []
      count += 1
    }
    liveGrants = [:]
    return count
  }
}
