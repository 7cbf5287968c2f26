import NIOCore
import Synchronization

/// A request body that knows whether it can be sent again: bytes always, a stream as long as nothing
/// was pulled from it.
final class OnceBody: Sendable {
  private let body: RequestBody
  private let pulled = Atomic(false)

  init(_ body: RequestBody) { self.body = body }

  var isReplayable: Bool { body.canReplay || !pulled.load(ordering: .acquiring) }

  /// The body for one attempt.
  func make() -> RequestBody {
    guard case .stream(let stream, let length) = body else { return body }
    let counted = BodyStream { [self] in
      var iterator: BodyStream.AsyncIterator?
      return { [self] in
        if iterator == nil {
          pulled.store(true, ordering: .releasing)
          iterator = stream.makeAsyncIterator()
        }
        return try await iterator?.next()
      }
    }
    return .stream(counted, length: length)
  }
}
