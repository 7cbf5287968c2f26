import Synchronization

/// Bounds the bytes of bodies that wait for their commit: the batcher bounds their number, and a
/// body may have 25 MiB.
final class IntakeBudget: Sendable {
  private let limit: Int
  private let used = Mutex(0)

  init(limit: Int) { self.limit = limit }

  /// Runs `body` while `bytes` are set aside. A body larger than the limit passes when it is alone.
  /// - Throws: `StorageError.overloaded`, or what `body` throws.
  func reserving<Output>(_ bytes: Int, _ body: () async throws -> Output) async throws -> Output {
    let fits = used.withLock { used in
      guard used == 0 || used + bytes <= limit else { return false }
      used += bytes
      return true
    }
    guard fits else { throw StorageError.overloaded }
    defer { used.withLock { $0 -= bytes } }
    return try await body()
  }
}
