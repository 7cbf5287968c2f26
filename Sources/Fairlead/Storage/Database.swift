/// The storage seam: two drivers, every statement written once in what SQLite 3.40 and
/// PostgreSQL 14 share.
///
/// Bodies are synchronous and may run more than once (a driver repeats a transaction that lost a
/// race), so they must have no effect but on their connection.
public protocol Database: Sendable {
  var dialect: Dialect { get }

  /// Runs `body` on a consistent snapshot, without the right to write.
  /// - Throws: `StorageError`, or what `body` throws.
  func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result

  /// Runs `body` in exactly one transaction, durable when this returns; rolled back when it throws.
  /// The outcome is as if transactions ran one after the other (`WriteIsolation.serializable`).
  /// - Throws: `StorageError`, or what `body` throws.
  func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result

  /// Runs `body` in exactly one transaction, as `write(_:)` does, beside others as `isolation` says.
  /// A driver with one writer has no use for the difference and inherits this.
  /// - Throws: `StorageError`, or what `body` throws.
  func write<Result: Sendable>(
    _ isolation: WriteIsolation, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result

  /// What `SQLConnection.notify` announced on `channel` from now on, after its transaction
  /// committed. A hint only: it may come twice, late or not at all, so readers poll as well.
  func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification>

  /// Closes every connection. Later calls throw `StorageError.unavailable`.
  func close() async throws
}

extension Database {
  public func write<Result: Sendable>(
    _ isolation: WriteIsolation, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    try await write(body)
  }
}

/// How a write stands to those that run beside it, in this process and on other nodes.
public enum WriteIsolation: Sendable, Hashable {
  /// As if it were alone: what `body` read still holds when it commits. It is run again when another
  /// got in its way, which costs something where many write the same rows. Right for every body.
  case serializable
  /// Each statement sees what others committed before it. For frequent bodies that are right then
  /// too: each statement decides by itself (`ON CONFLICT`, `UPDATE … WHERE claim = …`), or the rows
  /// that decide are locked first (`Dialect.forUpdate`, `skipLocked`, `takeTurn`).
  case locking
}

/// A connection inside a transaction. Not `Sendable`: it lives as long as the body it is given to.
public protocol SQLConnection {
  /// Runs one statement; placeholders are `$1`, `$2`, … and may repeat.
  /// - Returns: how many rows it changed.
  @discardableResult
  func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

  /// Runs one statement and returns its rows, those of `RETURNING` included.
  func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]

  /// Runs `body` inside a savepoint: when it throws, only what it did is undone.
  func savepoint<Result>(_ body: () throws -> Result) throws -> Result

  /// Wakes the listeners on `channel` once this transaction has committed.
  func notify(_ channel: Channel, _ payload: String) throws
}

extension SQLConnection {
  @discardableResult
  public func execute(_ sql: String) throws -> Int { try execute(sql, []) }

  public func query(_ sql: String) throws -> [SQLRow] { try query(sql, []) }

  /// The first row, or `nil`.
  public func first(_ sql: String, _ arguments: [SQLValue] = []) throws -> SQLRow? {
    try query(sql, arguments).first
  }
}

/// A named signal between the parts of a deployment.
public struct Channel: Hashable, Sendable {
  /// A plain SQL identifier: lower-case letters and underscores.
  public let name: String
  public init(_ name: String) { self.name = name }
}

/// One announcement on a channel.
public struct DatabaseNotification: Sendable, Equatable {
  public let channel: Channel
  public let payload: String

  public init(channel: Channel, payload: String) {
    self.channel = channel
    self.payload = payload
  }
}

/// Where the two engines differ. Statements ask the dialect instead of testing for an engine.
public struct Dialect: Sendable {
  public enum Engine: String, Sendable { case sqlite, postgres }

  public let engine: Engine
  /// Appended to a `SELECT` that claims rows: `FOR UPDATE SKIP LOCKED` where writers run side by
  /// side, nothing where there is only one writer.
  public let skipLocked: String
  /// Appended to a `SELECT` that locks the rows it reads: `FOR UPDATE`, or nothing.
  public let forUpdate: String
  /// The column type for bytes.
  public let blob: String
  /// A query that makes the transactions which run it take turns; `nil` where all writers do anyway.
  public let takeTurn: String?

  public init(
    engine: Engine, skipLocked: String, forUpdate: String, blob: String, takeTurn: String? = nil
  ) {
    self.engine = engine
    self.skipLocked = skipLocked
    self.forUpdate = forUpdate
    self.blob = blob
    self.takeTurn = takeTurn
  }
}
