import Fairlead
import Testing

/// What every driver promises, on every engine.
@Suite struct DatabaseSeamTests {
  private static let table = Migration(name: "001_things") { dialect in
    [
      "CREATE TABLE things (id BIGINT PRIMARY KEY, label TEXT, body \(dialect.blob), size DOUBLE PRECISION)"
    ]
  }

  @Test(arguments: TestEngine.all)
  func keepsEveryKindOfValue(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      let rows: [[SQLValue]] = [
        [1, "héllo 'quoted' $1", .blob([0, 255, 7]), .double(1.5)],
        [2, "", .blob([]), .double(-0.25)],
        [.integer(.max), nil, nil, nil],
        [
          .integer(.min), "\u{1F600}", .blob([UInt8](repeating: 9, count: 100_000)), .double(1e300),
        ],
      ]
      try await database.write { connection in
        for row in rows {
          try connection.execute("INSERT INTO things VALUES ($1, $2, $3, $4)", row)
        }
      }
      let stored = try await database.read { connection in
        try rows.map { try connection.first("SELECT * FROM things WHERE id = $1", [$0[0]])?.values }
      }
      #expect(stored == rows)
    }
  }

  @Test(arguments: TestEngine.all)
  func bindsPlaceholdersByNumberWhateverTheirOrder(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      let row = try await database.write { connection in
        try connection.execute(
          "INSERT INTO things (label, id) VALUES ($2, $1)", [7, "seven"])
        return try connection.first(
          """
          SELECT label, '$1' /* $3 */ FROM things -- $9
          WHERE id = $2 AND (id = $2 OR label = $1)
          """, ["other", 7])
      }
      #expect(row?.values == ["seven", "$1"])
    }
  }

  @Test(arguments: TestEngine.all)
  func refusesTheWrongNumberOfArguments(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      for arguments in [[SQLValue](), [1, 2]] {
        await #expect(throws: StorageError.self) {
          _ = try await database.read {
            try $0.query("SELECT id FROM things WHERE id = $1", arguments)
          }
        }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func refusesTextWithANUL(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      await #expect(throws: StorageError.self) {
        try await database.write {
          _ = try $0.execute("INSERT INTO things (id, label) VALUES ($1, $2)", [1, "a\u{0}b"])
        }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func countsTheRowsThatAStatementChanged(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      let counts = try await database.write { connection in
        [
          try connection.execute("INSERT INTO things (id) VALUES (1), (2), (3)"),
          try connection.execute("UPDATE things SET label = 'x' WHERE id > 1"),
          try connection.execute("CREATE TABLE others (id BIGINT)"),
          try connection.execute("UPDATE things SET label = 'x' WHERE id > 9"),
          try connection.execute("DELETE FROM things"),
        ]
      }
      #expect(counts == [3, 2, 0, 0, 3])
    }
  }

  @Test(arguments: TestEngine.all)
  func aThrowingWriteLeavesNothing(engine: TestEngine) async throws {
    struct Stop: Error {}
    try await engine.withDatabase(migrations: [Self.table]) { database in
      await #expect(throws: Stop.self) {
        try await database.write { connection in
          try connection.execute("INSERT INTO things (id) VALUES (1)")
          throw Stop()
        }
      }
      let count = try await database.read {
        try $0.first("SELECT COUNT(*) FROM things")?.int(0)
      }
      #expect(count == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func aFailedSavepointUndoesOnlyItself(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      let seen = try await database.write { connection in
        try connection.execute("INSERT INTO things (id) VALUES (1)")
        var violation: StorageError?
        do {
          try connection.savepoint {
            try connection.execute("INSERT INTO things (id) VALUES (2)")
            try connection.execute("INSERT INTO things (id) VALUES (1)")
          }
        } catch let error as StorageError { violation = error }
        try connection.savepoint {
          _ = try connection.execute("INSERT INTO things (id) VALUES (3)")
        }
        guard case .uniqueViolation = violation else { return [Int64]() }
        return try connection.query("SELECT id FROM things ORDER BY id").map { try $0.int(0) }
      }
      #expect(seen == [1, 3])
    }
  }

  @Test(arguments: TestEngine.all)
  func namesConstraintsApartFromUniqueness(engine: TestEngine) async throws {
    let parent = Migration(name: "002_parents") { _ in
      [
        "CREATE TABLE parents (id BIGINT PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE TABLE children (parent BIGINT NOT NULL REFERENCES parents (id))",
      ]
    }
    try await engine.withDatabase(migrations: [parent]) { database in
      for statement in [
        "INSERT INTO parents VALUES (1, NULL)", "INSERT INTO children VALUES (9)",
      ] {
        do {
          try await database.write { _ = try $0.execute(statement) }
          Issue.record("\(statement) was taken")
        } catch StorageError.constraintViolation {}
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func aReadCannotWrite(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      await #expect(throws: StorageError.self) {
        try await database.read { _ = try $0.execute("INSERT INTO things (id) VALUES (1)") }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func reportsADefectInAStatement(engine: TestEngine) async throws {
    try await engine.withDatabase { database in
      do {
        _ = try await database.read { try $0.query("SELECT nonsense FROM nowhere") }
        Issue.record("the statement was taken")
      } catch StorageError.statement {}
    }
  }

  @Test(arguments: TestEngine.all)
  func announcesAfterTheCommitAndOnlyThen(engine: TestEngine) async throws {
    struct Stop: Error {}
    let channel = Channel("things")
    try await engine.withDatabase { database in
      let stream = database.notifications(on: channel)
      try? await database.write { connection in
        try connection.notify(channel, "rolled back")
        throw Stop()
      }
      try await database.write { connection in
        try? connection.savepoint {
          try connection.notify(channel, "undone")
          throw Stop()
        }
        try connection.notify(Channel("others"), "elsewhere")
        try connection.notify(channel, "committed")
      }
      var iterator = stream.makeAsyncIterator()
      #expect(await iterator.next() == DatabaseNotification(channel: channel, payload: "committed"))
    }
  }

  @Test(arguments: TestEngine.all)
  func aClosedDatabaseIsUnavailable(engine: TestEngine) async throws {
    try await engine.withDatabase { database in
      let stream = database.notifications(on: Channel("things"))
      try await database.close()
      for await _ in stream { Issue.record("a closed database announced something") }
      do {
        _ = try await database.read { try $0.query("SELECT 1") }
        Issue.record("a closed database was read")
      } catch StorageError.unavailable {}
      do {
        _ = try await database.write { try $0.query("SELECT 1") }
        Issue.record("a closed database was written")
      } catch StorageError.unavailable {}
    }
  }

  @Test(arguments: TestEngine.all)
  func writersTakeTurnsWithoutLosingAny(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.table]) { database in
      try await database.write { _ = try $0.execute("INSERT INTO things (id, size) VALUES (1, 0)") }
      try await withThrowingTaskGroup { group in
        for _ in 0..<50 {
          group.addTask {
            try await database.write { connection in
              guard let row = try connection.first("SELECT size FROM things WHERE id = 1"),
                case .double(let size) = row.values[0]
              else { return }
              try connection.execute("UPDATE things SET size = $1", [.double(size + 1)])
            }
          }
        }
        try await group.waitForAll()
      }
      let row = try await database.read { try $0.first("SELECT size FROM things") }
      #expect(row?.values == [.double(50)])
    }
  }
}
