import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct SlackMethodTests {
  @Test func postedMessagesAreReadBackAsTheyWereAnswered() async throws {
    // The clock stands still: every message needs a stamp of its own all the same.
    try await TestSandbox.with(clock: ManualClock()) { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      var stamps: Set<String> = []
      for number in 0..<5 {
        let posted = try await sandbox.slack(
          "chat.postMessage", token: token, ["channel": "#general", "text": .string("m\(number)")])
        stamps.insert(posted["ts"]?.string ?? "")
        let history = try await sandbox.slack(
          "conversations.history", token: token,
          ["channel": posted["channel"] ?? .null, "limit": 1])
        #expect(history["messages.0"] == posted["message"])
      }
      #expect(stamps.count == 5)
    }
  }

  @Test(arguments: [
    ("GET", nil), ("POST", "application/x-www-form-urlencoded"), ("POST", "application/json"),
  ])
  func everyMethodTakesQueryFormAndJSON(method: String, type: String?) async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      var headers = ["authorization": "Bearer \(token)"]
      headers["content-type"] = type
      let fields = form(["channel": "general", "text": "a b&c"])
      let path = "/slack/api/chat.postMessage"
      let answer = try await sandbox.send(
        method, method == "GET" ? "\(path)?\(fields)" : path, headers: headers,
        body: type.map { $0.hasSuffix("json") ? #"{"channel":"general","text":"a b&c"}"# : fields })
      #expect(answer["message.text"] == "a b&c")
    }
  }

  @Test func channelsArePagedByCursor() async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      var names: [String] = []
      var cursor = ""
      repeat {
        let page = try await sandbox.slack(
          "conversations.list", token: token,
          ["limit": 3, "cursor": .string(cursor), "exclude_archived": true])
        let channels = page["channels"]?.array ?? []
        #expect(channels.count <= 3)
        names += channels.compactMap { $0["name"]?.string }
        cursor = page["response_metadata.next_cursor"]?.string ?? ""
      } while !cursor.isEmpty
      #expect(names.count == 7)
      #expect(Set(names).count == 7)
      #expect(!names.contains("founders"))
      let bad = try await sandbox.slack(
        "conversations.list", token: token, ["cursor": "bm9uc2Vuc2U="])
      #expect(bad["error"] == "invalid_cursor")
    }
  }

  @Test(arguments: [
    ("nowhere", 1, "channel_not_found"), ("founders", 1, "channel_not_found"),
    ("design", 1, "not_in_channel"), ("launch-2024", 1, "is_archived"),
    ("general", 0, "no_text"), ("general", 40_001, "msg_too_long"),
  ])
  func refusalsAreSlacksOwn(channel: String, length: Int, error: String) async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      let text = String(repeating: "x", count: length)
      let answer = try await sandbox.slack(
        "chat.postMessage", token: token, ["channel": .string(channel), "text": .string(text)])
      #expect(answer.status == 200)
      #expect(answer["ok"] == false)
      #expect(answer["error"] == .string(error))
    }
  }

  @Test func missingScopeSaysWhichIsNeeded() async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect(scope: "channels:read").access
      let answer = try await sandbox.slack(
        "chat.postMessage", token: token, ["channel": "general", "text": "x"])
      #expect(answer["error"] == "missing_scope")
      #expect(answer["needed"] == "chat:write")
      #expect(answer["provided"] == "channels:read")
    }
  }

  @Test func missingUnknownAndMisspelledAreToldApart() async throws {
    try await TestSandbox.with { sandbox in
      #expect(try await sandbox.slack("auth.test", token: nil)["error"] == "not_authed")
      #expect(try await sandbox.slack("auth.test", token: "xoxb-1")["error"] == "invalid_auth")
      #expect(try await sandbox.slack("users.list", token: "xoxb-1")["error"] == "unknown_method")
      let broken = try await sandbox.send(
        "POST", "/slack/api/auth.test", headers: ["content-type": "application/json"], body: "{")
      #expect(broken["error"] == "invalid_json")
      #expect(try await sandbox.get("/slack/elsewhere").status == 404)
    }
  }

  @Test func threadsKeepTheirRepliesOutOfTheChannel() async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      let parent = try await sandbox.slack(
        "chat.postMessage", token: token, ["channel": "general", "text": "parent"])
      let thread = parent["ts"] ?? .null
      _ = try await sandbox.slack(
        "chat.postMessage", token: token,
        ["channel": "general", "text": "reply", "thread_ts": thread])
      let history = try await sandbox.slack(
        "conversations.history", token: token, ["channel": "general"])
      #expect(history["messages"]?.array?.count == 1)
      let replies = try await sandbox.slack(
        "conversations.replies", token: token, ["channel": "general", "ts": thread])
      #expect(replies["messages"]?.array?.compactMap { $0["text"]?.string } == ["parent", "reply"])
    }
  }
}
