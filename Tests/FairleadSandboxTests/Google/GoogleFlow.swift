import Fairlead
import FairleadSandbox

/// Walks Google's OAuth flow and calls the Calendar API in tests.
struct GoogleFlow {
  static let redirect = "http://localhost:9/oauth/callback/google"
  static let calendarScope = "https://www.googleapis.com/auth/calendar"
  static let scope = "openid email \(calendarScope)"

  let sandbox: TestSandbox

  func authorizePath(
    scope: String = Self.scope, offline: Bool = true, forced: Bool = true,
    challenge: String? = nil, account: String? = nil
  ) -> String {
    var query = form([
      "client_id": Sandbox.credentials.googleClientID, "response_type": "code", "scope": scope,
      "redirect_uri": Self.redirect, "state": "st&te",
    ])
    if offline { query += "&access_type=offline" }
    if forced { query += "&prompt=consent" }
    if let challenge { query += "&code_challenge=\(challenge)&code_challenge_method=S256" }
    if let account { query += "&login_hint=\(encode(account))" }
    return "/google/o/oauth2/v2/auth?\(query)"
  }

  /// The query of the address that the flow returns to.
  func approve(_ path: String, _ answers: String = "decision=approve") async throws -> [String:
    String]
  {
    let answer = try await sandbox.send(
      "POST", path, headers: ["content-type": "application/x-www-form-urlencoded"], body: answers)
    return SlackFlow.query(answer.header("location"))
  }

  func token(_ pairs: KeyValuePairs<String, String>) async throws -> TestSandbox.Answer {
    let client = form([
      "client_id": Sandbox.credentials.googleClientID,
      "client_secret": Sandbox.credentials.googleClientSecret,
    ])
    return try await sandbox.send(
      "POST", "/google/token", headers: ["content-type": "application/x-www-form-urlencoded"],
      body: "\(form(pairs))&\(client)")
  }

  func exchange(_ code: String, redirect: String = Self.redirect) async throws -> TestSandbox.Answer
  {
    try await token([
      "grant_type": "authorization_code", "code": code, "redirect_uri": redirect,
    ])
  }

  func connect(scope: String = Self.scope, account: String? = nil) async throws -> GoogleClient {
    let code = try await approve(authorizePath(scope: scope, account: account))["code"] ?? ""
    let answer = try await exchange(code)
    return GoogleClient(
      sandbox: sandbox, token: answer["access_token"]?.string ?? "",
      refreshToken: answer["refresh_token"]?.string ?? "")
  }
}

/// Calls the Calendar API with one account's token.
struct GoogleClient {
  let sandbox: TestSandbox
  let token: String
  var refreshToken = ""

  func call(
    _ method: String, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
  ) async throws -> TestSandbox.Answer {
    var headers = headers
    headers["authorization"] = "Bearer \(token)"
    headers["content-type"] = "application/json"
    return try await sandbox.send(
      method, "/google/calendar/v3/\(path)", headers: headers, body: body?.text)
  }

  static let events = "calendars/primary/events"

  func insert(_ summary: String, _ more: [String: JSONValue] = [:]) async throws
    -> TestSandbox.Answer
  {
    var body: [String: JSONValue] = [
      "summary": .string(summary), "start": ["dateTime": "2026-11-21T10:00:00+01:00"],
      "end": ["dateTime": "2026-11-21T11:00:00+01:00"],
    ]
    body.merge(more) { _, own in own }
    return try await call("POST", Self.events, .object(body))
  }

  /// Every item of a listing, and its sync token.
  func list(_ query: String = "") async throws -> (items: [JSONValue], sync: String) {
    var items: [JSONValue] = []
    var page = ""
    while true {
      let answer = try await call("GET", "\(Self.events)?\(query)\(page)")
      items += answer["items"]?.array ?? []
      let (next, sync) = (answer["nextPageToken"]?.string, answer["nextSyncToken"]?.string)
      if let sync { return (items, next == nil ? sync : "both tokens came") }
      guard let next else { return (items, "no token came: \(answer.text)") }
      page = "&pageToken=\(encode(next))"
    }
  }
}
