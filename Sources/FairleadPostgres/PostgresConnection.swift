import Fairlead

/// One connection for the length of a transaction.
final class PostgresConnection: SQLConnection {
  private let session: PostgresSession
  private var depth = 0
  private(set) var announcements: [DatabaseNotification] = []
  /// Why this transaction can no longer commit, whatever its body makes of the error.
  private(set) var failure: StatementFailure?

  /// What a notification may carry; the server's own limit is 8,000 bytes.
  private static let payloadLimit = 7_900

  init(_ session: PostgresSession) {
    self.session = session
  }

  func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
    try translating {
      let result = try session.run(sql, arguments)
      return result.changes
    }
  }

  func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
    try translating {
      let result = try session.run(sql, arguments)
      return try result.rows()
    }
  }

  func savepoint<Output>(_ body: () throws -> Output) throws -> Output {
    depth += 1
    let name = "s\(depth)"
    let announced = announcements.count
    defer { depth -= 1 }
    try translating { _ = try session.command("SAVEPOINT \(name)") }
    let output: Output
    do {
      output = try body()
    } catch {
      announcements.removeLast(announcements.count - announced)
      try translating {
        _ = try session.command("ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)")
      }
      throw error
    }
    try translating { _ = try session.command("RELEASE SAVEPOINT \(name)") }
    return output
  }

  func notify(_ channel: Channel, _ payload: String) throws {
    guard payload.utf8.count <= Self.payloadLimit else {
      throw StorageError.statement("a notification is longer than \(Self.payloadLimit) bytes")
    }
    let name = session.serverName(of: channel)
    _ = try query("SELECT pg_notify($1, $2)", [.text(name), .text(payload)])
    announcements.append(DatabaseNotification(channel: channel, payload: payload))
  }

  private func translating<Output>(_ work: () throws -> Output) throws -> Output {
    // The server would only say that the transaction is over.
    if let failure { throw failure.storageError }
    do {
      return try work()
    } catch let failed as StatementFailure {
      if case .refused = failed {} else { failure = failed }
      throw failed.storageError
    }
  }
}

extension PostgresSession {
  /// Channels are the whole database's; deployments in schemas of one database must not wake each
  /// other.
  func serverName(of channel: Channel) -> String {
    // FNV-1a: short and the same on every node.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in schema.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "fl_\(String(hash, radix: 16))_\(channel.name.prefix(40))"
  }
}
