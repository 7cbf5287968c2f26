import Synchronization

/// Tells whoever keeps something of a connection's that it has ended or was connected anew. Called
/// synchronously: an observer returns at once.
final class ConnectionChanges: Sendable {
  private let observers = Mutex<[@Sendable (ConnectionID) -> Void]>([])
  private let farewells = Mutex<[@Sendable (ConnectionID) async -> Void]>([])

  /// Called before a disconnect ends the credential, for what can only be tidied up at the provider
  /// with it. The disconnect waits, so `farewell` has to be bounded in time.
  func beforeEnd(_ farewell: @escaping @Sendable (ConnectionID) async -> Void) {
    farewells.withLock { $0.append(farewell) }
  }

  func ending(_ id: ConnectionID) async {
    for farewell in farewells.withLock({ $0 }) { await farewell(id) }
  }

  func observe(_ observer: @escaping @Sendable (ConnectionID) -> Void) {
    observers.withLock { $0.append(observer) }
  }

  func changed(_ id: ConnectionID) {
    for observer in observers.withLock({ $0 }) { observer(id) }
  }
}
