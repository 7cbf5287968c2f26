import Fairlead
import FairleadSandbox
import Foundation
import Testing

@Suite struct GitHubAPITests {
  private static let home = "repos/octavia/hello-world"

  private func connected(
    scope: String = "repo read:user", _ body: @Sendable (GitHubFlow, String) async throws -> Void
  ) async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let token = try await flow.connect(scope: scope)["access_token"]?.string ?? ""
      try await body(flow, token)
    }
  }

  @Test func anIssueReadsBackAsItWasAnsweredAndItsChangesToo() async throws {
    try await connected { flow, token in
      let made = try await flow.api(
        "POST", "\(Self.home)/issues", token: token,
        body: ["title": "It breaks", "body": "Here.", "labels": ["bug", "new label"]])
      #expect(made.status == 201)
      let number = made["number"]?.int ?? 0
      #expect(made.header("location") == made["url"]?.string)
      let read = try await flow.api("GET", "\(Self.home)/issues/\(number)", token: token)
      #expect(read.json == made.json)
      #expect(read["labels.1.name"] == "new label" && read["user.login"] == "octavia")
      let closed = try await flow.api(
        "PATCH", "\(Self.home)/issues/\(number)", token: token,
        body: ["state": "closed", "title": "It broke"])
      #expect(closed["state"] == "closed" && closed["state_reason"] == "completed")
      #expect(closed["closed_at"]?.string?.hasSuffix("Z") == true)
      let open = try await flow.api("GET", "\(Self.home)/issues", token: token)
      #expect(open.json.array?.contains { $0["number"]?.int == number } == false)
      let labels = try await flow.api("GET", "\(Self.home)/labels?per_page=100", token: token)
      #expect(labels.json.array?.contains { $0["name"] == "new label" } == true)
    }
  }

  @Test func commentsAreMadeReadEditedAndDeleted() async throws {
    try await connected { flow, token in
      let list = "\(Self.home)/issues/1/comments"
      let made = try await flow.api("POST", list, token: token, body: ["body": "Me too"])
      #expect(made.status == 201)
      let id = made["id"]?.int ?? 0
      let place = "\(Self.home)/issues/comments/\(id)"
      #expect(try await flow.api("GET", place, token: token).json == made.json)
      let edited = try await flow.api("PATCH", place, token: token, body: ["body": "Not me"])
      #expect(edited["body"] == "Not me")
      let all = try await flow.api("GET", list, token: token)
      #expect(all.json.array?.compactMap { $0["body"]?.string } == ["Not me"])
      #expect(try await flow.api("DELETE", place, token: token).status == 204)
      #expect(try await flow.api("GET", place, token: token).status == 404)
    }
  }

  @Test func pagesLinkToOneAnotherByTheRepositorysNumber() async throws {
    try await connected { flow, token in
      for number in 1...7 {
        _ = try await flow.api(
          "POST", "\(Self.home)/issues", token: token, body: ["title": .string("n\(number)")])
      }
      var path = "\(Self.home)/issues?state=all&per_page=4&labels="
      var titles: [String] = []
      var pages = 0
      while true {
        let answer = try await flow.api("GET", path, token: token)
        titles += answer.json.array?.compactMap { $0["title"]?.string } ?? []
        pages += 1
        let links = (answer.header("link") ?? "").components(separatedBy: ", ")
        guard let next = links.first(where: { $0.hasSuffix("rel=\"next\"") }) else { break }
        let url = next.dropFirst().prefix { $0 != ">" }
        #expect(url.hasPrefix("\(flow.sandbox.origin)/github/repositories/"))
        path = String(url.dropFirst("\(flow.sandbox.origin)/github/".count))
      }
      #expect(pages == 3 && titles.count == 10 && Set(titles).count == 10)
      #expect(titles.first == "n7" && titles.last == "Example issue 1")
    }
  }

  @Test func sinceStateAndLabelsFilter() async throws {
    try await connected { flow, token in
      _ = try await flow.sandbox.control("clock", ["advance": "1h"])
      let made = try await flow.api(
        "POST", "\(Self.home)/issues", token: token, body: ["title": "late", "labels": ["bug"]])
      let since = made["updated_at"]?.string ?? ""
      func titles(_ query: String) async throws -> [String] {
        try await flow.api("GET", "\(Self.home)/issues?\(query)", token: token).json.array?
          .compactMap { $0["title"]?.string } ?? []
      }
      #expect(try await titles("since=\(encode(since))") == ["late"])
      #expect(try await titles("labels=bug") == ["late"])
      #expect(try await titles("state=closed").isEmpty)
      #expect(try await titles("direction=asc").first == "Example issue 1")
      let bad = try await flow.api("GET", "\(Self.home)/issues?state=odd", token: token)
      #expect(bad.status == 422)
      let found = try await flow.api(
        "GET", "search/issues?q=late+repo:octavia/hello-world+is:open", token: token)
      #expect(found["total_count"] == 1 && found["items.0.title"] == "late")
    }
  }

  @Test func refusalsAreGitHubsOwn() async throws {
    try await connected(scope: "read:user") { flow, token in
      let noAgent = try await flow.api("GET", "user", token: token, headers: ["user-agent": ""])
      // The client may add an agent of its own.
      #expect([200, 403].contains(noAgent.status))
      let nobody = try await flow.api("GET", "user", token: nil)
      #expect(nobody.status == 401 && nobody["message"] == "Requires authentication")
      let wrong = try await flow.api("GET", "user", token: "gho_wrong")
      #expect(wrong.status == 401 && wrong["message"] == "Bad credentials")
      let hidden = try await flow.api("GET", "repos/octavia/private-notes", token: token)
      #expect(hidden.status == 404 && hidden["message"] == "Not Found")
      let issues = "\(Self.home)/issues"
      let forbidden = try await flow.api("POST", issues, token: token, body: ["title": "x"])
      #expect(forbidden.status == 403)
      // What anyone may read.
      #expect(try await flow.api("GET", issues, token: nil).status == 200)
    }
    try await connected { flow, token in
      let issues = "\(Self.home)/issues"
      let untitled = try await flow.api("POST", issues, token: token, body: ["body": "x"])
      #expect(untitled.status == 422 && untitled["errors.0.code"] == "missing_field")
      let broken = try await flow.sandbox.send(
        "POST", "/github/\(issues)",
        headers: ["authorization": "token \(token)", "user-agent": "t"], body: "{")
      #expect(broken.status == 400 && broken["message"] == "Problems parsing JSON")
      #expect(try await flow.api("GET", "user/keys", token: token).status == 404)
    }
  }

  @Test func whatHasNotChangedIsNotSentAgainAndCostsNothing() async throws {
    try await connected { flow, token in
      let first = try await flow.api("GET", Self.home, token: token)
      let tag = first.header("etag") ?? ""
      #expect(tag.count > 10)
      let left = first.header("x-ratelimit-remaining")
      let second = try await flow.api(
        "GET", Self.home, token: token, headers: ["if-none-match": "W/\(tag)"])
      #expect(second.status == 304 && second.bytes.isEmpty)
      let limits = try await flow.api("GET", "rate_limit", token: token)
      #expect(limits["rate.remaining"].map { $0.scalarText } == left)
    }
  }

  @Test func theHourlyLimitIsKeptAndEndsWithTheHour() async throws {
    try await connected { flow, token in
      _ = try await flow.sandbox.control("github/settings", ["rate_limit": 2])
      #expect(try await flow.api("GET", "user", token: token).status == 200)
      #expect(try await flow.api("GET", "user", token: token).status == 200)
      let over = try await flow.api("GET", "user", token: token)
      #expect(over.status == 403 && over.header("x-ratelimit-remaining") == "0")
      #expect(over["message"]?.string?.hasPrefix("API rate limit exceeded") == true)
      _ = try await flow.sandbox.control("clock", ["advance": "1h1s"])
      #expect(try await flow.api("GET", "user", token: token).status == 200)
    }
  }

  @Test func faultsAreBothKindsOfLimit() async throws {
    try await connected { flow, token in
      func fault(_ members: JSONValue) async throws -> TestSandbox.Answer {
        _ = try await flow.sandbox.control("faults", members)
        return try await flow.api("GET", "user", token: token)
      }
      let primary = try await fault(["provider": "github", "kind": "rate_limit"])
      #expect(primary.status == 403 && primary.header("retry-after") == nil)
      #expect(primary.header("x-ratelimit-remaining") == "0")
      let secondary = try await fault([
        "provider": "github", "kind": "rate_limit", "code": "secondary", "retry_after": 7,
      ])
      #expect(secondary.header("retry-after") == "7")
      #expect(secondary["message"]?.string?.contains("secondary rate limit") == true)
      let failing = try await fault(["provider": "github", "kind": "server_error"])
      #expect(failing.status == 502 && failing["message"] == "Server Error")
    }
  }
}
