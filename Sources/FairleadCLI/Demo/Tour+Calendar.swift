import Fairlead
import Foundation
import HTTPTypes

/// A calendar kept in sync: all of it once, then what changes, as the provider says that it did.
extension Tour {
  private static let events = 1_000

  func syncCalendar() async throws {
    guard let user = await story.user else { throw StepFailure("nobody has signed up") }
    _ = try await client.control(
      .post, "/google/calendar", ["events": .int(Int64(Self.events)), "calendar": "primary"])
    let connection = try await connectGoogle(user)
    say("connected         \(connection), by the user's own session")

    let sync = try await followFirstSync(of: connection)
    let all = try await changes(after: nil, connection)
    try expect(
      all.changes.count == Self.events, "the feed holds \(all.changes.count) events, not 1,000")
    say("change feed       1,000 added, each page committed with its checkpoint")
    try await followEdits(sync["id"]?.string ?? "", connection, after: all.cursor)
  }

  /// Watches the first run to its end: a bar that moves on a terminal, its last state in a pipe.
  private func followFirstSync(of connection: String) async throws -> JSONValue {
    let started = clock.uptime
    @Sendable func show(_ records: Int64, _ pages: Int64, last: Bool) {
      let bar = ProgressBar(
        records: records, pages: pages, expected: last ? nil : Int64(Self.events),
        elapsed: clock.uptime - started)
      if last {
        Console.rewrite("")
        say("first sync        \(bar.line)")
      } else {
        Console.rewrite("   first sync        \(bar.line)")
      }
    }
    try await eventually("the first sync", within: .seconds(60)) {
      let now = try await sync(of: connection)
      if let run = now["run"], run["records"] != nil {
        show(run["records"]?.int ?? 0, run["pages"]?.int ?? 0, last: false)
      }
      guard let done = now["last_run"], let status = done["status"]?.string else { return false }
      try expect(status == "succeeded", "the sync failed: \(done["error"]?.text ?? "")")
      show(done["records"]?.int ?? 0, done["pages"]?.int ?? 0, last: true)
      return true
    }
    return try await sync(of: connection)
  }

  private func followEdits(_ sync: String, _ connection: String, after cursor: String) async throws
  {
    try await eventually("the watch on the calendar") {
      try await self.sync(of: connection)["real_time"]?.bool == true
    }
    let edited = try await client.control(
      .post, "/google/calendar/edit", ["calendar": "primary", "edits": 3, "deletions": 1])
    say("at Google         three events edited, one deleted")
    try await eventually("the push notification") {
      try await changes(after: cursor, connection).changes.count >= 4
    }
    // Whatever else came would be here by now: nothing else was changed.
    try await eventually("the end of the run") {
      try await self.sync(of: connection)["running"]?.bool == false
    }
    let seen = try await changes(after: cursor, connection).changes
    let kinds = seen.compactMap { $0["change"]?.string }.sorted()
    try expect(
      kinds == ["deleted", "updated", "updated", "updated"],
      "the feed shows \(kinds.joined(separator: ", "))")
    let ids = Set(seen.compactMap { $0["id"]?.string })
    let expected = Set(
      ((edited.json["edited"]?.array ?? []) + (edited.json["deleted"]?.array ?? [])).compactMap {
        $0.string ?? $0["id"]?.string
      })
    try expect(ids == expected, "the feed names other events than those that were changed")
    let trigger = try await self.sync(of: connection)["last_run"]?["trigger"]?.string
    say("push              a notification came, an incremental sync followed")
    try expect(trigger == "push", "the last run was started by \(trigger ?? "nothing")")
    say("change feed       exactly those four: 3 updated, 1 deleted")
  }

  /// The changes after a cursor, page by page, and the cursor behind them.
  private func changes(
    after cursor: String?, _ connection: String
  ) async throws -> (changes: [JSONValue], cursor: String) {
    var all: [JSONValue] = []
    var cursor = cursor
    while true {
      var path = "/v1/records/calendar_events?limit=200&connection=\(connection)"
      if let cursor { path += "&cursor=\(FormEncoding.encode([("", cursor)]).dropFirst())" }
      let page = try await client.api(.get, path)
      guard page.status == 200, let next = page.json["next_cursor"]?.string else {
        throw StepFailure("the change feed answered \(page.status) \(page.text.prefix(200))")
      }
      all += page.json["records"]?.array ?? []
      cursor = next
      if page.json["has_more"]?.bool != true { return (all, next) }
    }
  }

  private func sync(of connection: String) async throws -> JSONValue {
    let list = try await client.api(.get, "/v1/syncs?connection=\(connection)")
    return list.json["data"]?[0] ?? .null
  }

  /// Through the link that the signed-in user asks for.
  private func connectGoogle(_ user: String) async throws -> String {
    let token = try await sessionToken(of: user)
    let link = try await client.api(
      .post, "/v1/me/connect", ["integration": "google"], as: token)
    guard (200...201).contains(link.status), let url = link.json["url"]?.string else {
      throw StepFailure("no connect link: \(link.status) \(link.text)")
    }
    _ = try await client.control(.post, "/google/consent", ["decision": "approve"])
    try await walk(url, to: "google")
    let mine = try await client.api(
      .get, "/v1/me/connections", as: try await sessionToken(of: user))
    guard let connection = mine.json["data"]?[0], let id = connection["id"]?.string else {
      throw StepFailure("the user has no connection: \(mine.status) \(mine.text)")
    }
    return id
  }
}
