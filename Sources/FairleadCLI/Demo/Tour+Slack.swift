import Fairlead
import Foundation
import HTTPTypes

extension Tour {
  private static let post = "/v1/proxy/slack:ada/api/chat.postMessage"

  // MARK: - Connect

  func connectSlack() async throws {
    _ = try await client.control(.post, "/slack/consent", ["decision": "approve"])
    let link = try await client.api(
      .post, "/v1/connect/sessions",
      ["owner": "ada", "owner_label": "Ada Lovelace", "integration": "slack"])
    guard link.status == 201, let url = link.json["url"]?.string else {
      throw StepFailure("no connect link: \(link.status) \(link.text)")
    }
    say("connect link      \(url.prefix(while: { $0 != "?" }).prefix(56))…")

    let (page, authorize) = try await walk(url, to: "slack")
    try expect(page.contains("Ada Lovelace"), "the page does not say for whom it connects")
    say("hosted page       says it connects for Ada Lovelace")
    try expect(authorize.contains("state="), "no state went to the provider")
    say("to the provider   \(authorize.prefix { $0 != "?" })")
    say("and back          state and code used once; a second use is refused")

    let connection = try await connection()
    guard let id = connection["id"]?.string else { throw StepFailure("the connection has no id") }
    let account = connection["identity"]?["label"]?.string ?? "unnamed"
    say("connected         \(id) to “\(account)”, state \(connection["state"]?.string ?? "?")")

    let token = try await client.api(.get, "/v1/connections/\(id)/token")
    guard let secret = token.json["access_token"]?.string, secret.count > 8 else {
      throw StepFailure("the token could not be read back: \(token.status)")
    }
    let (holdsID, holdsToken) = (try await storage.contains(id), try await storage.contains(secret))
    try expect(holdsID, "the database does not hold the connection")
    try expect(!holdsToken, "the token stands in the database")
    say("the vault         the token cannot be found in the database")
  }

  private func connection() async throws -> JSONValue {
    let list = try await client.api(.get, "/v1/connections?integration=slack&owner=ada")
    guard let connection = list.json["data"]?[0] else {
      throw StepFailure("no connection for ada: \(list.status) \(list.text)")
    }
    try expect(connection["state"]?.string == "active", "the connection is not active")
    return connection
  }

  /// The whole way of a browser from a connect link to the callback; the callback works once.
  @discardableResult
  func walk(
    _ url: String, to integration: String
  ) async throws -> (page: String, authorize: String) {
    var cookies: [String: String] = [:]
    let page = try await browse(url, &cookies)
    let leave = try await browse(url + "/" + integration, &cookies)
    let authorize = try location(of: leave, "the connect page")
    let consent = try await browse(authorize, &cookies)
    let callback = try location(of: consent, "the consent page")
    let done = try await browse(callback, &cookies)
    try expect(done.status == 200 || done.status == 303, "the callback answered \(done.status)")
    let again = try await browse(callback, &cookies)
    try expect(again.status >= 400, "the callback could be used twice")
    return (page.text, authorize)
  }

  private func browse(
    _ url: String, _ cookies: inout [String: String]
  ) async throws -> DemoClient.Answer {
    let answer = try await client.page(url, cookies: cookies)
    for field in answer.headers[values: .setCookie] {
      let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
    }
    return answer
  }

  private func location(of answer: DemoClient.Answer, _ whose: String) throws -> String {
    guard (300..<400).contains(answer.status), let location = answer.headers[.location] else {
      throw StepFailure("\(whose) answered \(answer.status) instead of a redirect")
    }
    return location
  }

  // MARK: - Faults

  func surviveFaults() async throws {
    try await fault([
      "provider": "slack", "match": ["path": "/api/chat.postMessage"], "kind": "rate_limit",
      "times": 1, "retry_after": 1,
    ])
    try await fault([
      "provider": "slack", "match": ["path": "/api/chat.postMessage"], "kind": "server_error",
      "status": 503, "times": 1,
    ])
    let text = "The tide is in."
    let answer = try await client.api(
      .post, Self.post, ["channel": "#general", "text": .string(text)])
    try expect(
      answer.status == 200 && answer.json["ok"]?.bool == true,
      "the message did not get through: \(answer.status) \(answer.text)")
    let attempts = answer.header("fairlead-attempts") ?? "?"
    let waited = answer.header("fairlead-waited-ms").flatMap { Double($0) } ?? 0
    say("attempts          \(attempts): a 429, a 503, then ok")
    say(
      "waited            \(Format.seconds(waited / 1_000)) (\(answer.header("fairlead-wait-reason") ?? "no reason given"))"
    )
    try expect(attempts == "3", "it took \(attempts) attempts instead of 3")
    try expect(waited >= 1_000, "it did not wait for the second that Slack asked for")
    let stored = try await storedMessages(text)
    try expect(stored == 1, "the message is there \(stored) times")
    say("in the channel    exactly once")
  }

  func keepHonest() async throws {
    try await fault([
      "provider": "slack", "match": ["path": "/api/chat.postMessage"],
      "kind": "drop_after_commit", "times": 1,
    ])
    let text = "Lights on at the pier."
    let answer = try await client.api(
      .post, Self.post, ["channel": "#general", "text": .string(text)])
    let code = answer.json["error"]?["code"]?.string
    try expect(
      code == "OUTCOME_UNKNOWN", "the answer was \(answer.status) \(code ?? answer.text)")
    say("the provider      stored the message and hung up")
    say("the caller        \(code ?? ""): \(answer.json["error"]?["message"]?.string ?? "")")
    let stored = try await storedMessages(text)
    try expect(stored == 1, "the message is there \(stored) times")
    say("in the channel    exactly once: it was not sent again")
  }

  // MARK: - Refresh

  func refreshOnce() async throws {
    func refreshes() async throws -> Int {
      try await arrived("slack", path: "/api/oauth.v2.access").filter {
        $0["body"]?.string?.contains("refresh_token") == true
      }.count
    }
    let before = try await refreshes()
    try await fault(["provider": "slack", "kind": "expire_tokens"])
    let answers = try await withThrowingTaskGroup(of: DemoClient.Answer.self) { group in
      for _ in 0..<50 {
        group.addTask {
          try await client.api(.post, "/v1/proxy/slack:ada/api/auth.test", [:])
        }
      }
      var answers: [DemoClient.Answer] = []
      for try await answer in group { answers.append(answer) }
      return answers
    }
    let failed = answers.filter { $0.status != 200 || $0.json["ok"]?.bool != true }
    let example = failed.first.map { ", for example \($0.status) \($0.text.prefix(120))" } ?? ""
    try expect(failed.isEmpty, "\(failed.count) of 50 calls failed\(example)")
    let count = try await refreshes() - before
    try expect(count == 1, "\(count) refreshes reached the provider")
    say("calls             50 of 50 succeeded")
    say("refreshes         1 reached the provider")
  }
}
