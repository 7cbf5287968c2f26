import AsyncAlgorithms
import Fairlead
import Hummingbird
import NIOCore
import Synchronization

/// Carries a caller's upload to the upstream, in bounded memory, whoever stops first.
///
/// The server's body sequence takes a single consumer and traps when it is handed to another that
/// gives it up half-way; so one task is its only reader from beginning to end. It hands chunks over
/// one by one, and once the upstream is done with them it reads on into nothing, for a while, so
/// that a caller that is still sending gets to read its answer.
///
/// The reader is a task of its own because it spans the handler and the response's writer, which no
/// task group can; `finish()` ends and awaits it, and is called on every path.
final class UploadRelay: Sendable {
  /// How much of an upload that nobody wants is still read, and for how long.
  private static let discardLimit = 64 << 20
  private static let discardTime: Duration = .seconds(10)

  private let channel: AsyncThrowingChannel<ByteBuffer, any Error>
  private let abandoned: Flag
  private let reader: Task<Void, Never>

  init(reading body: Hummingbird.RequestBody) {
    let channel = AsyncThrowingChannel<ByteBuffer, any Error>()
    let abandoned = Flag()
    self.channel = channel
    self.abandoned = abandoned
    reader = Task {
      var discarded = 0
      do {
        for try await chunk in body {
          if abandoned.isSet {
            discarded += chunk.readableBytes
            if discarded > Self.discardLimit { break }
          } else {
            await channel.send(chunk)
          }
        }
        channel.finish()
      } catch {
        channel.fail(error)
      }
    }
  }

  /// The upload, for its one consumer.
  var body: BodyStream { BodyStream(channel) }

  /// The upload as a body for the pipeline. One of unknown length is read up to the limit first:
  /// when it ends there, it can be sent again on a retry.
  func requestBody(length: Int64?, replayLimit: Int) async throws -> CallBody {
    guard length == nil else { return .stream(body, length: length) }
    var upload = body.makeAsyncIterator()
    var head = ByteBuffer()
    while head.readableBytes <= replayLimit {
      guard var chunk = try await upload.next() else { return .bytes(head) }
      head.writeBuffer(&chunk)
    }
    let first = head
    let rest = body
    return .stream(
      BodyStream {
        var pending: ByteBuffer? = first
        var upload = rest.makeAsyncIterator()
        return {
          guard let chunk = pending else { return try await upload.next() }
          pending = nil
          return chunk
        }
      }, length: nil)
  }

  /// Ends the relay: lets a rest that nobody wants run out, within bounds, and waits for the reader.
  func finish(clock: any FairleadClock) async {
    abandoned.set()
    channel.finish()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [reader] in await reader.value }
      group.addTask { [reader] in
        // A cancelled sleep means that the reader has come to its end.
        try? await clock.sleep(for: Self.discardTime)
        reader.cancel()
      }
      await group.next()
      group.cancelAll()
    }
    await reader.value
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
  }
}
