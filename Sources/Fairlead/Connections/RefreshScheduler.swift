public import Logging
public import ServiceLifecycle

/// Refreshes tokens that nobody uses before they expire, so that a refresh token which dies of
/// disuse stays alive and the first call after a quiet time does not wait.
///
/// Several nodes may run it: the lease lets one of them refresh a connection. At shutdown it waits
/// until refreshes under way are stored.
public final class RefreshScheduler: Service {
  private let connections: Connections
  private let interval: Duration
  private let logger: Logger

  /// - Parameter interval: between two looks at what is due, spread by up to a quarter.
  public init(connections: Connections, interval: Duration = .seconds(20), logger: Logger) {
    self.connections = connections
    self.interval = interval
    self.logger = logger
  }

  public func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await self.loop() }
    } catch is CancellationError {
      // Shutting down; what is under way ends below.
    }
    await connections.refresher.drain()
  }

  private func loop() async throws {
    while true {
      do {
        while try await refreshDue() == Self.batch {}
      } catch let error as FairleadError {
        logger.error(
          "connections due for a refresh could not be read",
          metadata: ["code": "\(error.code.rawValue)", "detail": "\(error.detail ?? "")"])
      }
      try await connections.clock.sleep(for: interval * (1 + connections.random.unit() / 4))
    }
  }

  static let batch = 64

  /// Refreshes up to a batch of connections that are due, eight at a time.
  /// - Returns: how many were due.
  func refreshDue() async throws -> Int {
    let due = try await connections.store.due(now: connections.clock.now, limit: Self.batch)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, connection) in due.enumerated() {
        if index >= 8 { try await group.next() }
        group.addTask { try await self.refresh(connection.id, connection.version) }
      }
      try await group.waitForAll()
    }
    return due.count
  }

  private func refresh(_ id: ConnectionID, _ version: Int64) async throws {
    do {
      _ = try await connections.refresher.refreshed(id, after: version)
    } catch let error as FairleadError {
      logger.notice(
        "connection could not be refreshed ahead of time",
        metadata: ["connection": "\(id)", "code": "\(error.code.rawValue)"])
      // Not again for a while, so that those that fail do not crowd out the others.
      let later = connections.clock.now + .seconds(120) * (1 + connections.random.unit())
      try await connections.store.postpone(id, version: version, until: later)
    }
  }
}
