import Fairlead
import Synchronization

/// How many bytes of bodies may be read at once, so that a crowd of senders cannot take all memory.
final class ReadingBudget: Sendable {
  private let limit: Int
  private let taken = Mutex(0)

  init(limit: Int) { self.limit = limit }

  /// - Throws: `FairleadError` (`serviceUnavailable`) when the budget is used up; what `body` throws.
  func reserving<Result>(_ bytes: Int, _ body: () async throws -> Result) async throws -> Result {
    let fits = taken.withLock { taken in
      guard taken + bytes <= limit else { return false }
      taken += bytes
      return true
    }
    guard fits else {
      throw FairleadError(
        .serviceUnavailable, "Too many large events at once. Send it again in a moment.",
        retryAfter: .seconds(5))
    }
    defer { taken.withLock { $0 -= bytes } }
    return try await body()
  }
}
