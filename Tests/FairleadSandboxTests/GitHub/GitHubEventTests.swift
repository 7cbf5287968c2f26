import Crypto
import Fairlead
import FairleadSandbox
import Testing

@Suite struct GitHubEventTests {
  /// The published test vector of GitHub's documentation.
  @Test func theSignatureIsThePublishedOne() {
    let headers = WebhookSignature.github(
      Array("Hello, World!".utf8), secret: "It's a Secret to Everybody")
    #expect(headers.map(\.name) == ["x-hub-signature-256"])
    #expect(
      headers.first?.value
        == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
  }

  private func arrived(_ sandbox: TestSandbox) async throws -> [JSONValue] {
    try await sandbox.get("/_sandbox/slack/requests?path=/hooks")["data"]?.array ?? []
  }

  @Test func anOrderedEventIsSignedNamedAndTrue() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let token = try await flow.connect()["access_token"]?.string ?? ""
      let to = JSONValue.string("\(sandbox.origin)/slack/hooks")
      let sent = try await sandbox.control(
        "github/events",
        ["type": ["ping", "push", "issues.opened", "issues.closed"], "to": to])
      #expect(sent["events"]?.array?.count == 4)
      let hooks = try await arrived(sandbox)
      #expect(
        hooks.map { $0[path: "headers.x-github-event"] } == ["ping", "push", "issues", "issues"])
      let ids = hooks.compactMap { $0[path: "headers.x-github-delivery"]?.string }
      #expect(Set(ids).count == 4 && ids.allSatisfy { $0.count == 36 })
      for hook in hooks {
        let body = Array((hook["body"]?.string ?? "").utf8)
        let expected = HMAC<SHA256>.authenticationCode(
          for: body,
          using: SymmetricKey(data: Array(Sandbox.credentials.githubWebhookSecret.utf8)))
        #expect(
          hook[path: "headers.x-hub-signature-256"]?.string == "sha256=\(Array(expected).hex)")
      }
      let opened = try JSONValue(parsing: (hooks[2]["body"]?.string ?? "").utf8)
      #expect(opened["action"] == "opened" && opened[path: "sender.login"] == "octavia")
      let number = opened[path: "issue.number"]?.int ?? 0
      let read = try await flow.api(
        "GET", "repos/octavia/hello-world/issues/\(number)", token: token)
      #expect(read["title"] == opened[path: "issue.title"] && read.status == 200)
    }
  }

  @Test func everyWriteLeavesItsEventToBeSent() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let token = try await flow.connect()["access_token"]?.string ?? ""
      let issues = "repos/octavia/hello-world/issues"
      let made = try await flow.api("POST", issues, token: token, body: ["title": "A"])
      let number = made["number"]?.int ?? 0
      _ = try await flow.api(
        "POST", "\(issues)/\(number)/comments", token: token, body: ["body": "B"])
      _ = try await flow.api(
        "PATCH", "\(issues)/\(number)", token: token, body: ["state": "closed"])
      let state = try await sandbox.get("/_sandbox/github/state")
      let events = state["events"]?.array ?? []
      #expect(
        events.compactMap { $0["type"]?.string }
          == ["issues.closed", "issue_comment.created", "issues.opened"])
      let order: JSONValue = [
        "id": events.last?["id"] ?? .null, "to": .string("\(sandbox.origin)/slack/hooks"),
        "times": 2,
      ]
      _ = try await sandbox.control("github/events", order)
      let hooks = try await arrived(sandbox)
      #expect(hooks.count == 2 && hooks[0]["body"] == hooks[1]["body"])
      #expect(
        Set(hooks.map { $0[path: "headers.x-github-delivery"] }) == [events.last?["id"]])
      let body = try JSONValue(parsing: (hooks[0]["body"]?.string ?? "").utf8)
      #expect(body[path: "issue.number"]?.int == number)
      #expect(try await sandbox.control("github/events", ["id": "nope"]).status >= 400)
    }
  }
}
