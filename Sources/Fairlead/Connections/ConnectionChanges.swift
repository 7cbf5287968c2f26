import Synchronization

/// Tells whoever keeps something of a connection's that it has ended or was connected anew. Called
/// synchronously: an observer returns at once.
final class ConnectionChanges: Sendable {
  private let observers = Mutex<[@Sendable (ConnectionID) -> Void]>([])

  func observe(_ observer: @escaping @Sendable (ConnectionID) -> Void) {
    observers.withLock { $0.append(observer) }
  }

  func changed(_ id: ConnectionID) {
    for observer in observers.withLock({ $0 }) { observer(id) }
  }
}
