public import Fairlead

extension PostgresDatabase: Database {
  public func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    try await run(.read, body)
  }

  public func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    try await run(.serializable, body)
  }

  public func write<Result: Sendable>(
    _ isolation: WriteIsolation, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    switch isolation {
    case .serializable: try await run(.serializable, body)
    case .locking: try await run(.locking, body)
    }
  }

  /// Announcements of every node. A listener that falls 64 behind misses the oldest; after the
  /// connection to the server was away, each gets one with an empty payload, as it may have missed
  /// some.
  public func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    let stream = hub.listen(on: channel)
    if !isClosed { listener.add(channel) }
    return stream
  }

  /// Lets the transactions under way finish, then closes.
  public func close() async throws {
    guard markClosed() else { return }
    hub.finish()
    await listener.stop()
    await pool.close()
  }
}
