import Fairlead
import FairleadPostgres
import FairleadTesting
import Synchronization
import Testing

/// What the PostgreSQL driver promises beyond the seam's own suite.
@Suite(.enabled(if: PostgresServer.url != nil)) struct PostgresDatabaseTests {
  private static let table = Migration(name: "001_things") { dialect in
    [
      "CREATE TABLE things (id BIGINT PRIMARY KEY, label TEXT, body \(dialect.blob), size DOUBLE PRECISION)"
    ]
  }

  /// Two nodes on one database.
  private func withNodes(
    pool: Int = 8, _ body: (PostgresDatabase, PostgresDatabase) async throws -> Void
  ) async throws {
    try await PostgresServer.withSchema { url in
      let url = Secret(url.expose().replacing("pool=8", with: "pool=\(pool)"))
      let first = try await PostgresDatabase.open(url)
      let second = try await PostgresDatabase.open(url)
      let result: Result<Void, any Error>
      do {
        try await Migrator.apply([Self.table], to: first, clock: SystemClock())
        try await body(first, second)
        result = .success(())
      } catch { result = .failure(error) }
      try await first.close()
      try await second.close()
      try result.get()
    }
  }

  /// The server process of a connection, found out inside a transaction.
  private static func process(_ connection: any SQLConnection) throws -> Int64 {
    try connection.first("SELECT pg_backend_pid()")?.int(0) ?? 0
  }

  private static func end(_ process: Int64, by database: PostgresDatabase) async throws {
    try await database.write(.locking) {
      _ = try $0.query("SELECT pg_terminate_backend(CAST($1 AS INTEGER))", [.integer(process)])
    }
  }

  // MARK: - Values

  @Test func numbersOfEveryKindComeBackAsTheSeamsOwn() async throws {
    try await withNodes { database, _ in
      let row = try await database.read { connection in
        try connection.first(
          """
          SELECT 1, COUNT(*), SUM(CAST(7 AS BIGINT)), 1 > 0, CAST(NULL AS TEXT), 0.1,
            CAST($1 AS DOUBLE PRECISION), CAST($2 AS BIGINT) - 5, $3 || 'x', CAST($4 AS BYTEA)
          """, [.double(0.1), .integer(.min + 5), "ü", .blob([0, 92, 120])])
      }
      #expect(
        row?.values == [
          1, 1, 7, 1, nil, .double(0.1), .double(0.1), .integer(.min), "üx",
          .blob([0, 92, 120]),
        ])
    }
  }

  @Test func aPlaceholderBesideALiteralTakesAllOf64Bits() async throws {
    try await withNodes { database, _ in
      let found = try await database.read {
        try $0.first(
          "SELECT 1 FROM (SELECT 1) AS one WHERE $1 > 5 AND $1 - 1 > 7", [.integer(.max)])
      }
      #expect(found != nil)
    }
  }

  @Test func messagesHoldNoValues() async throws {
    try await withNodes { database, _ in
      for (sql, arguments) in [
        ("INSERT INTO things (id, label) VALUES (1, $1), (1, $1)", ["planted" as SQLValue]),
        ("SELECT CAST($1 AS BIGINT)", ["planted"]),
      ] {
        let error = await #expect(throws: StorageError.self) {
          try await database.write { _ = try $0.execute(sql, arguments) }
        }
        #expect(error.map { !"\($0)".contains("planted") } == true, "\(String(describing: error))")
      }
    }
  }

  @Test func moreStatementsThanAConnectionKeepsStillRun() async throws {
    try await withNodes(pool: 1) { database, _ in
      let sum = try await database.read { connection in
        var sum: Int64 = 0
        for number in 0..<450 {
          sum += try connection.first("SELECT \(number) + $1", [1])?.int(0) ?? 0
        }
        return sum
      }
      #expect(sum == 450 * 449 / 2 + 450)
    }
  }

  // MARK: - Transactions

  @Test func aTransactionThatLostARaceIsRunAgain() async throws {
    try await withNodes { first, second in
      try await first.write { _ = try $0.execute("INSERT INTO things (id, size) VALUES (1, 0)") }
      try await withThrowingTaskGroup { group in
        for number in 0..<60 {
          let node = number.isMultiple(of: 2) ? first : second
          group.addTask {
            try await node.write { connection in
              guard let row = try connection.first("SELECT size FROM things WHERE id = 1"),
                case .double(let size) = row.values[0]
              else { return }
              try connection.execute(
                "UPDATE things SET size = $1 WHERE id = 1", [.double(size + 1)])
            }
          }
        }
        try await group.waitForAll()
      }
      let row = try await second.read { try $0.first("SELECT size FROM things") }
      #expect(row?.values == [.double(60)])
    }
  }

  /// Snapshots alone would let both through.
  @Test func whatABodyReadStillHoldsWhenItCommits() async throws {
    try await withNodes { first, second in
      try await withThrowingTaskGroup { group in
        for number in 0..<16 {
          let node = number.isMultiple(of: 2) ? first : second
          group.addTask {
            try await node.write { connection in
              let count = try connection.first("SELECT COUNT(*) FROM things")?.int(0) ?? 0
              guard count < 3 else { return }
              try connection.execute(
                "INSERT INTO things (id) VALUES ($1)", [SQLValue(number)])
            }
          }
        }
        try await group.waitForAll()
      }
      let count = try await first.read { try $0.first("SELECT COUNT(*) FROM things")?.int(0) }
      #expect(count == 3)
    }
  }

  @Test func aLostRaceIsNotHiddenByABodyThatCatchesIt() async throws {
    try await withNodes { first, second in
      try await first.write { _ = try $0.execute("INSERT INTO things (id, size) VALUES (1, 0)") }
      let runs = Mutex(0)
      let ready = Gate()
      async let slow: Void = first.write { connection in
        let run = runs.withLock { runs in
          runs += 1
          return runs
        }
        _ = try connection.query("SELECT size FROM things")
        if run == 1 {
          ready.open()
          // Waits until the other node has changed the row.
          while try connection.first(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711") == nil
          {}
        }
        try? connection.savepoint { _ = try connection.execute("UPDATE things SET size = 2") }
      }
      await ready.wait()
      try await second.write { _ = try $0.execute("UPDATE things SET size = 1") }
      try await second.write(.locking) { connection in
        _ = try connection.query("SELECT pg_advisory_lock(4711)")
      }
      try await slow
      #expect(runs.withLock { $0 } == 2)
      let row = try await second.read { try $0.first("SELECT size FROM things") }
      #expect(row?.values == [.double(2)])
    }
  }

  @Test func aDeadlockIsRunAgain() async throws {
    try await withNodes { first, second in
      try await first.write {
        _ = try $0.execute("INSERT INTO things (id, size) VALUES (1, 0), (2, 0)")
      }
      try await withThrowingTaskGroup { group in
        for (node, order) in [(first, [1, 2]), (second, [2, 1])] {
          group.addTask {
            for _ in 0..<10 {
              try await node.write(.locking) { connection in
                for id in order {
                  try connection.execute(
                    "UPDATE things SET size = size + 1 WHERE id = $1", [SQLValue(id)])
                }
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let sizes = try await first.read { try $0.query("SELECT size FROM things").map(\.values) }
      #expect(sizes == [[.double(20)], [.double(20)]])
    }
  }

  @Test func aBodyThatGoesOnAfterAFailedStatementStoresNothing() async throws {
    try await withNodes { database, _ in
      await #expect(throws: StorageError.self) {
        try await database.write { connection in
          try connection.execute("INSERT INTO things (id) VALUES (1)")
          _ = try? connection.execute("INSERT INTO things (id) VALUES (1)")
        }
      }
      let count = try await database.read { try $0.first("SELECT COUNT(*) FROM things")?.int(0) }
      #expect(count == 0)
    }
  }

  // MARK: - Broken connections

  @Test func aConnectionThatTheServerEndedIsReplaced() async throws {
    try await withNodes(pool: 2) { first, second in
      let process = try await first.read(Self.process)
      try await Self.end(process, by: second)
      let next = try await first.write(Self.process)
      #expect(next != process)
    }
  }

  @Test func aTransactionWhoseConnectionBreaksInTheMiddleHappensOnce() async throws {
    try await withNodes { first, second in
      let runs = Mutex(0)
      let victim = Mutex<Int64>(0)
      let ready = Gate()
      async let done: Void = first.write { connection in
        try connection.execute("INSERT INTO things (id) VALUES (1)")
        let run = runs.withLock { runs in
          runs += 1
          return runs
        }
        guard run == 1 else { return }
        let process = try Self.process(connection)
        victim.withLock { $0 = process }
        ready.open()
        _ = try connection.query("SELECT pg_sleep(20)")
      }
      await ready.wait()
      try await Self.end(victim.withLock { $0 }, by: second)
      try await done
      #expect(runs.withLock { $0 } == 2)
      let count = try await second.read { try $0.first("SELECT COUNT(*) FROM things")?.int(0) }
      #expect(count == 1)
    }
  }

  @Test func aServerThatEndsEveryConnectionTwiceIsUnavailable() async throws {
    try await withNodes { first, second in
      let runs = Mutex(0)
      do {
        try await first.write { connection in
          runs.withLock { $0 += 1 }
          _ = try connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
        }
        Issue.record("it was taken")
      } catch StorageError.unavailable {}
      #expect(runs.withLock { $0 } == 2)
    }
  }

  // MARK: - The pool

  @Test func moreTransactionsThanConnectionsWaitTheirTurn() async throws {
    try await withNodes(pool: 2) { database, _ in
      let sum = try await withThrowingTaskGroup { group in
        for number in 0..<40 {
          group.addTask {
            try await database.read {
              try $0.first("SELECT $1 + 0 FROM pg_sleep(0.002)", [SQLValue(number)])?.int(0) ?? 0
            }
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(sum == 40 * 39 / 2)
      let connections = try await database.read {
        try $0.first(
          """
          SELECT COUNT(*) FROM pg_stat_activity
          WHERE application_name = 'fairlead' AND query LIKE '%pg_sleep(0.002)%'
          """)?.int(0)
      }
      #expect((connections ?? 99) <= 3)
    }
  }

  @Test func closingWaitsForTransactionsUnderWay() async throws {
    try await withNodes { database, other in
      let ready = Gate()
      async let late: Void = database.write { connection in
        ready.open()
        _ = try connection.query("SELECT pg_sleep(0.1)")
        try connection.execute("INSERT INTO things (id) VALUES (1)")
      }
      await ready.wait()
      try await database.close()
      try await late
      let count = try await other.read { try $0.first("SELECT COUNT(*) FROM things")?.int(0) }
      #expect(count == 1)
    }
  }

  // MARK: - Announcements

  @Test func anAnnouncementReachesTheOtherNode() async throws {
    try await withNodes { first, second in
      let channel = Channel("things")
      var heard = second.notifications(on: channel).makeAsyncIterator()
      // The listening connection comes about in the background.
      try await untilListening(second)
      try await first.write { try $0.notify(channel, "from the first") }
      #expect(
        await heard.next() == DatabaseNotification(channel: channel, payload: "from the first"))
    }
  }

  @Test func anAnnouncementComesOnceToTheNodeThatMadeIt() async throws {
    try await withNodes { first, second in
      let channel = Channel("things")
      var heard = first.notifications(on: channel).makeAsyncIterator()
      try await untilListening(first)
      try await first.write { try $0.notify(channel, "own") }
      try await second.write { try $0.notify(channel, "other") }
      #expect(await heard.next()?.payload == "own")
      #expect(await heard.next()?.payload == "other")
    }
  }

  @Test func listenersAreWokenWhenTheirConnectionWasAway() async throws {
    try await withNodes { first, second in
      let channel = Channel("things")
      var heard = second.notifications(on: channel).makeAsyncIterator()
      let process = try await untilListening(second)
      try await Self.end(process, by: first)
      #expect(await heard.next() == DatabaseNotification(channel: channel, payload: ""))
      try await first.write { try $0.notify(channel, "after") }
      #expect(await heard.next()?.payload == "after")
    }
  }

  /// Waits until the listening connection of a node does so.
  /// - Returns: its server process.
  @discardableResult
  private func untilListening(_ database: PostgresDatabase) async throws -> Int64 {
    while true {
      let found = try await database.read { connection in
        try connection.first(
          """
          SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'
            AND query LIKE '%' || $1 || '%'
          """, [.text(try Self.serverChannel(connection))])?.int(0)
      }
      if let found { return found }
      await Task.yield()
    }
  }

  /// Part of the channel's name on the server, which is the schema's own.
  private static func serverChannel(_ connection: any SQLConnection) throws -> String {
    let schema = try connection.first("SELECT current_schema()")?.text(0) ?? ""
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in schema.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }
}
