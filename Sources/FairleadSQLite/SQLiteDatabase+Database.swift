public import Fairlead

// GRDB has a `Database` of its own, so the conformance lives where GRDB is not imported.
extension SQLiteDatabase: Database {
  public func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    try await runRead(body)
  }

  public func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    try await runWrite(body)
  }

  /// Announcements made through this object. A listener that falls 64 behind misses the oldest.
  public func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    hub.listen(on: channel)
  }

  public func close() async throws {
    try await runClose()
  }
}
