import Fairlead
import FairleadSandbox
import Testing

@Suite struct GoogleSyncTests {
  @Test func pagesHoldEveryEventOnceAndOnlyTheLastHasASyncToken() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let seeded = try await sandbox.control("google/calendar", ["events": 1_000])
      #expect(seeded["events"] == 1_000)
      let (items, sync) = try await client.list("maxResults=333")
      #expect(items.count == 1_000)
      #expect(Set(items.compactMap { $0["id"]?.string }).count == 1_000)
      #expect(sync.hasPrefix("CP"))
      let whole = try await sandbox.get("/_sandbox/google/calendar")
      #expect(whole["data"]?.array == items)
    }
  }

  @Test func aSyncTokenTellsExactlyWhatChanged() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("google/calendar", ["events": 50])
      let first = try await client.list()
      let done = try await sandbox.control(
        "google/calendar/edit", ["edits": 3, "deletions": 1, "insertions": 2])
      let token = encode(first.sync)
      let (changes, next) = try await client.list("maxResults=2&syncToken=\(token)")
      func ids(_ name: String) -> [String] {
        (done[name]?.array ?? []).compactMap(\.string)
      }
      #expect(ids("edited").count == 3 && ids("deleted").count == 1 && ids("inserted").count == 2)
      #expect(
        Set(changes.compactMap { $0["id"]?.string })
          == Set(ids("edited") + ids("deleted") + ids("inserted")))
      #expect(changes.count == 6)
      let gone = changes.filter { $0["status"] == "cancelled" }
      #expect(gone.compactMap { $0["id"]?.string } == ids("deleted"))
      // Of a deleted event nothing but its id is sure.
      #expect(gone.first?["summary"] == nil)
      #expect(try await client.list("syncToken=\(encode(next))").items.isEmpty)
    }
  }

  @Test func whatChangesBetweenPagesIsToldByThisListingOrTheNext() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("google/calendar", ["events": 20])
      var known: [String: JSONValue] = [:]
      func take(_ items: [JSONValue]) {
        for item in items {
          let id = item["id"]?.string ?? ""
          if item["status"] == "cancelled" { known[id] = nil } else { known[id] = item }
        }
      }
      var query = "maxResults=4"
      var isSettled = false
      for round in 0..<500 where !isSettled {
        let page = try await client.call("GET", "\(GoogleClient.events)?\(query)")
        take(page["items"]?.array ?? [])
        if round < 30 {
          _ = try await sandbox.control(
            "google/calendar/edit", ["edits": 2, "deletions": 1, "insertions": 1])
        }
        if let next = page["nextPageToken"]?.string {
          let base = query.split(separator: "&").filter { !$0.hasPrefix("pageToken") }
          query = base.joined(separator: "&") + "&pageToken=\(encode(next))"
        } else {
          isSettled = round > 30 && page["items"] == []
          query = "maxResults=4&syncToken=\(encode(page["nextSyncToken"]?.string ?? ""))"
        }
      }
      #expect(isSettled)
      let truth = try await sandbox.get("/_sandbox/google/calendar")
      let events = truth["data"]?.array ?? []
      #expect(events.count == known.count)
      for event in events { #expect(known[event["id"]?.string ?? ""] == event) }
    }
  }

  @Test(arguments: [
    "orderBy=updated", "q=x", "timeMin=2026-11-21T00:00:00Z", "timeMax=2026-11-21T00:00:00Z",
    "updatedMin=2026-11-21T00:00:00Z", "iCalUID=x", "showDeleted=false", "singleEvents=true",
  ])
  func whatASyncTokenForbidsIsRefused(parameter: String) async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let sync = try await client.list().sync
      let path = "\(GoogleClient.events)?syncToken=\(encode(sync))"
      #expect(try await client.call("GET", path).status == 200)
      #expect(try await client.call("GET", "\(path)&\(parameter)").status == 400)
    }
  }

  @Test func pageTokensBelongToTheirQuery() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("google/calendar", ["events": 5])
      let page = try await client.call("GET", "\(GoogleClient.events)?maxResults=2&q=1")
      let first = try await client.call("GET", "\(GoogleClient.events)?maxResults=2")
      let token = encode(first["nextPageToken"]?.string ?? "")
      #expect(page.status == 200)
      let path = "\(GoogleClient.events)?pageToken=\(token)"
      #expect(try await client.call("GET", path).status == 200)
      #expect(try await client.call("GET", "\(path)&singleEvents=true").status == 400)
      #expect(
        try await client.call("GET", "calendars/dana@example.com/events?pageToken=\(token)").status
          == 200)
    }
  }

  @Test func anExpiredTokenAsksForAFullSync() async throws {
    try await TestSandbox.with { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      let sync = try await client.list().sync
      #expect(try await sandbox.control("google/sync-tokens/expire")["affected"] == 1)
      let path = "\(GoogleClient.events)?syncToken=\(encode(sync))"
      let answer = try await client.call("GET", path)
      #expect(answer.status == 410)
      #expect(answer["error.errors.0.reason"] == "fullSyncRequired")
      let fresh = try await client.list().sync
      #expect(
        try await client.call("GET", "\(GoogleClient.events)?syncToken=\(encode(fresh))").status
          == 200)
    }
  }
}
