import Fairlead

/// The three kinds of transaction.
enum TransactionKind: String, Sendable {
  case read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
  case serializable = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
  case locking = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
}

/// What to do about a transaction that failed in a way that may pass.
struct RerunPolicy {
  enum Step: Equatable {
    /// Run it again after a pause drawn from `0..<pause`.
    case again(pause: Duration)
    /// Run it again while it holds the turn of those that lost several races.
    case inTurn
    case giveUp
  }

  static let racesBeforeTurn = 3
  static let raceLimit = 40

  private(set) var races = 0
  private(set) var breaks = 0

  mutating func step(after failure: StatementFailure) -> Step {
    switch failure {
    case .refused: return .giveUp
    case .broken, .stalePlan:
      breaks += 1
      return breaks > 1 ? .giveUp : .again(pause: .zero)
    case .lostRace:
      races += 1
      if races >= Self.raceLimit { return .giveUp }
      if races >= Self.racesBeforeTurn { return .inTurn }
      return .again(pause: .milliseconds(4 << races))
    }
  }
}

extension PostgresDatabase {
  /// Runs `body` in one transaction, again where its policy says so.
  func run<Output: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any SQLConnection) throws -> Output
  ) async throws -> Output {
    var policy = RerunPolicy()
    var isInTurn = false
    while true {
      let session = try await session()
      do {
        let (output, announcements) = try await session.perform { [isInTurn] in
          try $0.transaction(kind, isInTurn: isInTurn, body)
        }
        pool.release(session, isUsable: true)
        hub.publish(announcements)
        return output
      } catch let failure as StatementFailure {
        if case .stalePlan = failure {
          pool.release(session, isUsable: false)
        } else {
          await release(session)
        }
        switch policy.step(after: failure) {
        case .giveUp: throw failure.storageError
        case .inTurn: isInTurn = true
        case .again(let pause):
          // Cancelled, it goes on at once: transactions are not cut short.
          if pause > .zero { try? await clock.sleep(for: pause * random.unit()) }
        }
      } catch {
        await release(session)
        throw error
      }
    }
  }

  /// Gives a connection back after a failure.
  private func release(_ session: PostgresSession) async {
    let isUsable = await session.isUsable()
    if !isUsable { pool.discardIdle() }
    pool.release(session, isUsable: isUsable)
  }

  private func session() async throws -> PostgresSession {
    do {
      return try await pool.acquire()
    } catch let failure as ConnectFailure {
      throw StorageError.unavailable("PostgreSQL cannot be reached. \(failure.words)")
    }
  }
}

extension PostgresSession {
  /// Whether the connection works and is in no transaction.
  fileprivate func isUsable() async -> Bool {
    // Nothing here throws; `perform` could only pass an error on.
    (try? await perform { !$0.isBroken && $0.isOutsideTransaction }) ?? false
  }

  /// One run of a transaction, on the session's queue.
  /// - Throws: `StatementFailure` for what may be run again, with nothing of it stored; else
  ///   `StorageError` or what `body` throws.
  func transaction<Output>(
    _ kind: TransactionKind, isInTurn: Bool, _ body: (any SQLConnection) throws -> Output
  ) throws -> (Output, [DatabaseNotification]) {
    guard isInTurn else { return try transaction(kind, body) }
    // Before BEGIN, so that what the transaction sees is what the one before has left.
    let lock = "(\(PostgresDatabase.lockSpace + 1), hashtext(current_schema()))"
    try command("SELECT pg_advisory_lock\(lock)")
    defer {
      // Should it fail, the connection is broken, and with it the lock is gone.
      _ = try? command("SELECT pg_advisory_unlock\(lock)")
    }
    return try transaction(kind, body)
  }

  private func transaction<Output>(
    _ kind: TransactionKind, _ body: (any SQLConnection) throws -> Output
  ) throws -> (Output, [DatabaseNotification]) {
    try command(kind.rawValue)
    let connection = PostgresConnection(self)
    let output: Output
    do {
      output = try body(connection)
      if let failure = connection.failure { throw failure.storageError }
    } catch {
      let failure = connection.failure ?? (isBroken ? .broken : nil)
      // Should it fail, the connection is broken, and with it the transaction is gone.
      _ = try? command("ROLLBACK")
      throw failure ?? error
    }
    try commit(kind)
    return (output, connection.announcements)
  }

  private func commit(_ kind: TransactionKind) throws {
    let done: String
    do {
      done = try command("COMMIT")
    } catch StatementFailure.broken where kind != .read {
      throw StorageError.outcomeUnknown(
        "The connection to PostgreSQL broke during a commit, so it is not known whether it was "
          + "stored.")
    }
    // The server undoes a transaction with a failed statement in it, and does not call that an error.
    guard done == "COMMIT" else {
      throw StorageError.statement(
        "a transaction went on after one of its statements failed; nothing of it was stored")
    }
  }
}
