import Fairlead
import FairleadSandbox
import Testing

@Suite struct GoogleCalendarTests {
  @Test func eventsAreReadBackAsTheyWereWritten() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let made = try await client.insert("Lunch", ["location": "Kitchen"])
      #expect(made["kind"] == "calendar#event")
      #expect(made["status"] == "confirmed")
      let path = "\(GoogleClient.events)/\(made["id"]?.string ?? "")"
      #expect(try await client.call("GET", path).json == made.json)
      let patched = try await client.call(
        "PATCH", path, ["summary": "Late lunch", "location": nil])
      #expect(patched["summary"] == "Late lunch")
      #expect(patched["location"] == nil)
      #expect(patched["start"] == made["start"])
      #expect(patched["etag"] != made["etag"])
      let put = try await client.call(
        "PUT", path,
        ["description": "New", "start": ["date": "2026-11-22"], "end": ["date": "2026-11-23"]])
      #expect(put["summary"] == nil)
      #expect(put["start"] == ["date": "2026-11-22"])
      #expect(try await client.call("DELETE", path).status == 204)
      let again = try await client.call("DELETE", path)
      #expect(again.status == 410)
      #expect(again["error.errors.0.reason"] == "deleted")
      #expect(try await client.call("GET", path)["status"] == "cancelled")
    }
  }

  @Test func aChosenIDIsTakenOnce() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      #expect(try await client.insert("One", ["id": "abc123"])["id"] == "abc123")
      let twice = try await client.insert("Two", ["id": "abc123"])
      #expect(twice.status == 409)
      #expect(twice["error.errors.0.reason"] == "duplicate")
      _ = try await client.call("DELETE", "\(GoogleClient.events)/abc123")
      #expect(try await client.insert("Three", ["id": "abc123"]).status == 409)
      #expect(try await client.insert("Four", ["id": "WXYZ-"]).status == 400)
    }
  }

  @Test func aStaleEtagChangesNothing() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let made = try await client.insert("One")
      let path = "\(GoogleClient.events)/\(made["id"]?.string ?? "")"
      let etag = made["etag"]?.string ?? ""
      #expect(made.header("etag") == etag)
      let match = ["if-match": etag]
      #expect(
        try await client.call("PATCH", path, ["summary": "Two"], headers: match).status == 200)
      let stale = try await client.call("PATCH", path, ["summary": "Three"], headers: match)
      #expect(stale.status == 412)
      #expect(try await client.call("DELETE", path, headers: match).status == 412)
      #expect(try await client.call("GET", path)["summary"] == "Two")
    }
  }

  @Test(
    arguments: [
      (["start": nil], "required"), (["end": ["date": "2026-11-22"]], "invalid"),
      (["end": ["dateTime": "2026-11-21T09:00:00+01:00"]], "timeRangeEmpty"),
      (["recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]], "required"),
      (["start": ["dateTime": "yesterday"]], "invalid"),
      (["start": ["dateTime": "2026-11-21T10:00:00", "timeZone": "Mars/Base"]], "invalid"),
    ] as [([String: JSONValue], String)])
  func whatIsNoEventIsRefused(fields: [String: JSONValue], reason: String) async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let answer = try await client.insert("Bad", fields)
      #expect(answer.status == 400)
      #expect(answer["error.errors.0.reason"] == .string(reason))
      #expect(try await client.list().items.isEmpty)
    }
  }

  @Test func windowsWordsAndOrderNarrowAList() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      for (name, hour) in [("noon talk", 12), ("morning talk", 9), ("evening show", 19)] {
        _ = try await client.insert(
          name,
          [
            "start": ["dateTime": .string("2026-11-21T\(hour < 10 ? "0" : "")\(hour):00:00Z")],
            "end": ["dateTime": .string("2026-11-21T\(hour + 1):00:00Z")],
          ])
      }
      func names(_ query: String) async throws -> [String] {
        try await client.list(query).items.compactMap { $0["summary"]?.string }
      }
      #expect(
        try await names("singleEvents=true&orderBy=startTime")
          == ["morning talk", "noon talk", "evening show"])
      #expect(try await names("q=talk") == ["noon talk", "morning talk"])
      // Both bounds are exclusive: on the end of events the lower, on their start the upper.
      #expect(try await names("timeMin=2026-11-21T10:00:00Z") == ["noon talk", "evening show"])
      #expect(try await names("timeMax=2026-11-21T12:00:00Z") == ["morning talk"])
    }
  }

  @Test(arguments: [
    "orderBy=startTime", "maxResults=2501", "maxResults=0", "timeMin=2026-11-21",
    "pageToken=nonsense", "showDeleted=perhaps",
    "timeMin=2026-11-22T00:00:00Z&timeMax=2026-11-21T00:00:00Z",
  ])
  func wrongParametersAreRefused(query: String) async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let answer = try await client.call("GET", "\(GoogleClient.events)?\(query)")
      #expect(answer.status == 400, "\(answer.text)")
    }
  }

  @Test func aSeriesHasInstancesAndItsExceptionsAreTold() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let series = try await client.insert(
        "Stand-up",
        [
          "start": ["dateTime": "2026-10-24T09:00:00+02:00", "timeZone": "Europe/Berlin"],
          "end": ["dateTime": "2026-10-24T09:15:00+02:00", "timeZone": "Europe/Berlin"],
          "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"],
        ])
      let id = series["id"]?.string ?? ""
      #expect(try await client.list().items.count == 1)
      let single = try await client.list("singleEvents=true&orderBy=startTime").items
      // The clocks change on the 25th; nine o'clock stays nine o'clock.
      #expect(
        single.compactMap { $0["id"]?.string }
          == ["20261024T070000Z", "20261025T080000Z", "20261026T080000Z", "20261027T080000Z"]
          .map { "\(id)_\($0)" })
      #expect(single.allSatisfy { $0["recurringEventId"] == .string(id) })
      let second = "\(GoogleClient.events)/\(id)_20261025T080000Z"
      #expect(try await client.call("DELETE", second).status == 204)
      let moved = "\(GoogleClient.events)/\(id)_20261026T080000Z"
      #expect(try await client.call("PATCH", moved, ["summary": "Later"]).status == 200)
      #expect(try await client.list("singleEvents=true").items.count == 3)
      let whole = try await client.list().items
      #expect(whole.count == 3)
      let hole = whole.first { $0["status"] == "cancelled" }
      #expect(hole?["recurringEventId"] == .string(id))
      #expect(hole?[path: "originalStartTime.dateTime"] == "2026-10-25T08:00:00Z")
      #expect(hole?["summary"] == nil)
      #expect(whole.contains { $0["summary"] == "Later" && $0["recurringEventId"] == .string(id) })
    }
  }

  @Test func calendarsAreListedAndAccountsAreApart() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let dana = try await flow.connect()
      let kim = try await flow.connect(account: "kim@example.com")
      _ = try await dana.insert("Dana's")
      #expect(try await kim.list().items.isEmpty)
      let list = try await kim.call("GET", "users/me/calendarList?maxResults=1")
      #expect(list["items.0.id"] == "kim@example.com")
      #expect(list["items.0.primary"] == true)
      let next = encode(list["nextPageToken"]?.string ?? "")
      let rest = try await kim.call("GET", "users/me/calendarList?maxResults=1&pageToken=\(next)")
      #expect(rest["items"]?.array?.count == 1)
      #expect(rest["nextSyncToken"]?.string != nil)
      let foreign = try await kim.call("GET", "calendars/dana@example.com/events")
      #expect(foreign.status == 404)
      #expect(try await kim.call("GET", "calendars/primary")["id"] == "kim@example.com")
    }
  }

  @Test(arguments: [(nil, 403, "rateLimitExceeded"), (429, 429, "rateLimitExceeded")])
  func faultsSpeakGoogle(asked: Int64?, status: Int, reason: String) async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      var fault: [String: JSONValue] = ["provider": "google", "kind": "rate_limit"]
      fault["status"] = asked.map { .int($0) }
      _ = try await sandbox.control("faults", .object(fault))
      let limited = try await client.call("GET", GoogleClient.events)
      #expect(limited.status == status)
      #expect(limited["error.errors.0.reason"] == .string(reason))
      #expect(try await client.call("GET", GoogleClient.events).status == 200)
    }
  }

  @Test func aQuotaCountsByAccountAndMinute() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("google/quota", ["per_minute": 1])
      _ = try await client.call("GET", GoogleClient.events)
      _ = try await client.call("GET", GoogleClient.events)
      let limited = try await client.call("GET", GoogleClient.events)
      #expect(limited["error.errors.0.reason"] == "userRateLimitExceeded")
    }
  }
}
