import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct GoogleWatchTests {
  private static let watch = "\(GoogleClient.events)/watch"

  /// Watches with the sandbox's own Slack as the receiver: what arrived is in Slack's journal.
  private func watch(
    _ client: GoogleClient, id: String = "channel-1", path: String = "/slack/hooks",
    _ more: [String: JSONValue] = [:]
  ) async throws -> TestSandbox.Answer {
    var body: [String: JSONValue] = [
      "id": .string(id), "type": "web_hook", "token": "tok-en",
      "address": .string(client.sandbox.origin + path),
    ]
    body.merge(more) { _, own in own }
    return try await client.call("POST", Self.watch, .object(body))
  }

  /// What arrived, once it is `count`.
  private func arrived(
    _ count: Int, _ sandbox: TestSandbox, path: String = "/hooks"
  ) async throws -> [JSONValue] {
    while true {
      let journal = try await sandbox.get("/_sandbox/slack/requests?path=\(path)")
      let data = journal["data"]?.array ?? []
      if data.count >= count { return data }
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func aWatchIsConfirmedAndThenToldOfChanges() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let channel = try await watch(client)
      #expect(channel["kind"] == "api#channel")
      #expect(channel["id"] == "channel-1")
      let first = try await arrived(1, sandbox)[0]
      #expect(first[path: "headers.x-goog-resource-state"] == "sync")
      #expect(first[path: "headers.x-goog-message-number"] == "1")
      _ = try await client.insert("One")
      let second = try await arrived(2, sandbox)[1]
      #expect(second[path: "headers.x-goog-resource-state"] == "exists")
      #expect(second[path: "headers.x-goog-channel-id"] == "channel-1")
      #expect(second[path: "headers.x-goog-channel-token"] == "tok-en")
      #expect(second[path: "headers.x-goog-resource-id"] == channel["resourceId"])
      #expect(second["body"] == "")
      let number = second[path: "headers.x-goog-message-number"]?.string.flatMap { Int($0) } ?? 0
      #expect(number > 1)
    }
  }

  @Test func anEditTellsWhatBecameOfItsNotification() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("google/calendar", ["events": 10])
      _ = try await watch(client)
      let done = try await sandbox.control("google/calendar/edit", ["edits": 3, "deletions": 1])
      let told = done["notifications"]?.array ?? []
      #expect(told.count == 1)
      #expect(told.first?["channel"] == "channel-1")
      #expect(told.first?["status"] == 404)
      _ = try await sandbox.control("google/notifications", ["lose": 1])
      let lost = try await sandbox.control("google/calendar/edit", ["edits": 1])
      #expect(lost["notifications"] == [])
      #expect(lost["edited"]?.array?.count == 1)
    }
  }

  @Test func aStoppedOrExpiredChannelIsSilent() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let channel = try await watch(client)
      let wrong = try await client.call(
        "POST", "channels/stop", ["id": "channel-1", "resourceId": "another"])
      #expect(wrong.status == 404)
      let stop: JSONValue = ["id": "channel-1", "resourceId": channel["resourceId"] ?? .null]
      #expect(try await client.call("POST", "channels/stop", stop).status == 204)
      #expect(try await client.call("POST", "channels/stop", stop).status == 404)
      let silent = try await sandbox.control("google/calendar/edit", ["insertions": 1])
      #expect(silent["notifications"] == [])
      _ = try await watch(client, id: "channel-2", ["params": ["ttl": "600"]])
      let told = try await sandbox.control("google/calendar/edit", ["insertions": 1])
      #expect(told["notifications"]?.array?.count == 1)
      clock.advance(by: .seconds(600))
      let late = try await sandbox.control("google/calendar/edit", ["insertions": 1])
      #expect(late["notifications"] == [])
    }
  }

  @Test func channelsLastAWeekAtMost() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let week = (clock.now + .seconds(604_800)).microseconds / 1_000
      #expect(try await watch(client)["expiration"] == .string(String(week)))
      let long = try await watch(client, id: "two", ["expiration": .int(week + 1_000)])
      #expect(long["expiration"] == .string(String(week)))
      let short = try await watch(client, id: "three", ["expiration": .int(week - 1_000)])
      #expect(short["expiration"] == .string(String(week - 1_000)))
    }
  }

  @Test(
    arguments: [
      ["id": ""], ["type": "email"], ["address": "http://example.com/"], ["address": "nowhere"],
      ["id": .string(String(repeating: "x", count: 65))],
      ["token": .string(String(repeating: "x", count: 257))],
    ] as [[String: JSONValue]])
  func whatIsNoWatchIsRefused(fields: [String: JSONValue]) async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      #expect(try await watch(client, fields).status == 400)
      #expect(try await sandbox.get("/_sandbox/google/state")["channels"] == [])
    }
  }

  @Test func aChannelIDIsUsedOnce() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      #expect(try await watch(client).status == 200)
      let twice = try await watch(client)
      #expect(twice["error.errors.0.reason"] == "channelIdNotUnique")
    }
  }

  @Test func notificationsAreSentByHandAlsoForgedAndAgain() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      #expect(try await sandbox.control("google/events", ["type": "exists"]).status == 404)
      _ = try await watch(client)
      _ = try await arrived(1, sandbox)
      let sent = try await sandbox.control("google/events", ["type": "exists"])
      #expect(sent["deliveries.0.status"] == 404)
      let id = sent["events.0.id"] ?? .null
      _ = try await sandbox.control("google/events", ["id": id])
      _ = try await sandbox.control("google/events", ["type": "exists", "forge": true])
      let all = try await arrived(4, sandbox)
      func header(_ index: Int, _ name: String) -> JSONValue? {
        all[index][path: "headers.x-goog-\(name)"]
      }
      #expect(header(1, "message-number") == header(2, "message-number"))
      #expect(header(1, "channel-token") == "tok-en")
      #expect(header(3, "channel-token") != "tok-en")
    }
  }
}
