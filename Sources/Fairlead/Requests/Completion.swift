import NIOCore
import Synchronization

/// The end of a logical call: gives its permit back and emits its record, exactly once, when the
/// answer's body has ended, broken off, or been dropped.
final class Completion: Sendable {
  private let record: Mutex<CallRecord?>
  private let bytes = Atomic(0)
  private let observer: any CallObserver
  /// Where a permit is held.
  private let bulkhead: Bulkhead?

  init(_ record: CallRecord, observer: any CallObserver, bulkhead: Bulkhead?) {
    self.record = Mutex(record)
    self.observer = observer
    self.bulkhead = bulkhead
  }

  deinit { finish(.dropped) }

  func finish(_ end: CallRecord.BodyEnd) {
    let record = record.withLock { record in
      defer { record = nil }
      return record
    }
    guard var record else { return }
    record.bytes = bytes.load(ordering: .relaxed)
    record.bodyEnd = end
    bulkhead?.release()
    observer.callEnded(record)
  }

  func count(_ bytes: Int) { self.bytes.add(bytes, ordering: .relaxed) }

  /// The body as the caller reads it.
  /// - Parameter failure: what the caller gets when the body breaks off.
  func track(
    _ body: BodyStream, failure: @escaping @Sendable (any Error) -> any Error
  ) -> BodyStream {
    BodyStream { [self] in
      var iterator = body.makeAsyncIterator()
      return { [self] in
        do {
          if let chunk = try await iterator.next() {
            count(chunk.readableBytes)
            return chunk
          }
        } catch {
          finish(error is CancellationError || Task.isCancelled ? .dropped : .broken)
          throw failure(error)
        }
        finish(.complete)
        return nil
      }
    }
  }
}
