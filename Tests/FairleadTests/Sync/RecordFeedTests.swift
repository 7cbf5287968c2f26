import FairleadTesting
import Synchronization
import Testing

@testable import Fairlead

@Suite struct RecordFeedTests {
  static func change(_ id: String, _ data: String?) -> RecordChange {
    RecordChange(id: id, content: data.map { .data("\"\($0)\"") } ?? .deleted)
  }

  static func write(
    _ changes: [RecordChange], to database: any Database, connection: String = "conn_1",
    at second: Int64 = 100
  ) async throws {
    let store = RecordStore(connection: ConnectionID(rawValue: connection), model: "things")
    let now = Timestamp(seconds: second)
    _ = try await database.write {
      try store.apply(changes, from: .page(fetchedAt: now), generation: 1, now: now, in: $0)
    }
  }

  static func read(
    _ database: any Database, _ cursor: String?, connection: String? = nil, limit: Int = 100
  ) async throws -> FeedPage {
    let feed = RecordFeed(
      model: "things", connection: connection.map { ConnectionID(rawValue: $0) })
    let place = try FeedCursor(cursor, for: feed)
    return try await database.read { try feed.read(after: place, limit: limit, in: $0) }
  }

  @Test(arguments: TestEngine.all)
  func aReaderSeesWhatChangedForIt(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.sync) { database in
      let empty = try await Self.read(database, nil)
      #expect(empty.records.isEmpty && !empty.hasMore)
      try await Self.write([Self.change("a", "1"), Self.change("b", "1")], to: database)
      let first = try await Self.read(database, empty.nextCursor)
      #expect(first.records.map(\.id) == ["a", "b"])
      #expect(first.records.allSatisfy { $0.change == .added })
      try await Self.write(
        [
          Self.change("a", "2"), Self.change("b", nil), Self.change("c", "1"),
          Self.change("d", "1"),
        ], to: database)
      try await Self.write([Self.change("d", nil), Self.change("a", "2")], to: database)
      let second = try await Self.read(database, first.nextCursor)
      #expect(second.records.map(\.id) == ["a", "b", "c"])
      #expect(second.records.map(\.change) == [.updated, .deleted, .added])
      // Whoever comes new is not told of what is gone already.
      #expect(try await Self.read(database, nil).records.map(\.id) == ["a", "c"])
      // What comes back is added to those who saw it go, and no more deleted to others.
      try await Self.write([Self.change("b", "3")], to: database)
      #expect(try await Self.read(database, second.nextCursor).records.map(\.change) == [.added])
      try await Self.write([Self.change("b", nil)], to: database)
      #expect(
        try await Self.read(database, first.nextCursor).records.contains {
          $0.id == "b" && $0.change == .deleted
        })
    }
  }

  @Test(arguments: TestEngine.all)
  func aCursorFitsItsOwnFeedOnly(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.sync) { database in
      try await Self.write([Self.change("a", "1")], to: database)
      let page = try await Self.read(database, nil, connection: "conn_1")
      for cursor in [page.nextCursor, "x", "f1.-1.0.0", "f1.99999999999999999999.0.x", "f1..."] {
        await #expect(throws: FairleadError.self) { _ = try await Self.read(database, cursor) }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func aCursorBehindForgottenDeletionsHasToStartOver(engine: TestEngine) async throws {
    let clock = ManualClock(start: Timestamp(seconds: 1_000))
    try await engine.withDatabase(migrations: Migration.sync, clock: clock) { database in
      try await Self.write(["a", "b", "c", "d"].map { Self.change($0, "1") }, to: database)
      let early = try await Self.read(database, nil, limit: 2)
      let all = try await Self.read(database, nil)
      try await Self.write([Self.change("a", nil)], to: database, at: 100)
      let caughtUp = try await Self.read(database, all.nextCursor)
      try await Self.write([Self.change("e", "1")], to: database, at: 990)
      while try await database.write({
        try RecordRetention.slice(before: Timestamp(seconds: 900), in: $0)
      }) > 0 {}
      for cursor in [early.nextCursor, all.nextCursor] {
        do {
          _ = try await Self.read(database, cursor)
          Issue.record("a deletion was missed")
        } catch let error as FairleadError {
          #expect(error.code == .conflict && error.message.contains("Start over"))
        }
      }
      #expect(try await Self.read(database, caughtUp.nextCursor).records.map(\.id) == ["e"])
      // A new reader, page by page, is not sent back for deletions it cannot have missed.
      var cursor: String?
      var ids: [String] = []
      while true {
        let page = try await Self.read(database, cursor, limit: 1)
        ids += page.records.map(\.id)
        cursor = page.nextCursor
        if !page.hasMore { break }
      }
      #expect(ids == ["b", "c", "d", "e"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aPageOfLargeRecordsIsBounded(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.sync) { database in
      let large = String(repeating: "x", count: 500_000)
      for number in 0..<20 {
        try await Self.write([Self.change("r\(number)", large)], to: database)
      }
      var consumer: [String] = []
      var cursor: String?
      var pages = 0
      while true {
        let page = try await Self.read(database, cursor)
        consumer += page.records.map(\.id)
        pages += 1
        cursor = page.nextCursor
        if !page.hasMore { break }
      }
      #expect(consumer.count == 20 && pages >= 3)
    }
  }

  /// Writers side by side, and a reader in between: it ends with what is stored.
  @Test(arguments: TestEngine.all)
  func aReaderAmongWritersMissesNothing(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.sync) { database in
      let writers = Countdown(4)
      var copy: [String: JSONValue] = [:]
      var cursor: String?
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            let random = RandomSource(seed: UInt64(writer) + 1)
            func below(_ bound: UInt64) -> UInt64 { random.next() % bound }
            for step in 0..<60 {
              let changes = (0...below(5)).map { _ in
                Self.change(
                  "r\(below(40))", below(3) == 0 ? nil : "\(writer) \(step)")
              }
              try await Self.write(
                RecordChange.deduplicated(changes), to: database,
                connection: "conn_\(writer % 2)")
            }
            writers.step()
          }
        }
        var isLast = false
        while true {
          isLast = writers.isOver
          let page = try await Self.read(database, cursor, limit: 7)
          for record in page.records {
            let key = "\(record.connection) \(record.id)"
            copy[key] = record.data
          }
          cursor = page.nextCursor
          if isLast, !page.hasMore { break }
        }
        try await group.waitForAll()
      }
      let stored = try await database.read { sql in
        try sql.query("SELECT connection, record_id, data FROM records WHERE data IS NOT NULL")
          .map { (try $0.text(0) + " " + $0.text(1), try $0.text(2)) }
      }
      #expect(
        copy.mapValues(\.text) == Dictionary(stored, uniquingKeysWith: { $1 }))
    }
  }
}

/// Counts down to the end of something.
private final class Countdown: Sendable {
  private let count: Mutex<Int>

  init(_ count: Int) { self.count = Mutex(count) }
  var isOver: Bool { count.withLock { $0 == 0 } }
  func step() { count.withLock { $0 -= 1 } }
}
