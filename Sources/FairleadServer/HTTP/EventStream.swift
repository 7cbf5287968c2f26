import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Answers of server-sent events. They end when the reader has left or the server shuts down.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
enum EventStream {
  struct Event {
    var name: String
    var data: [UInt8]

    init(name: String, data: JSONValue) {
      self.name = name
      self.data = data.bytes
    }

    init(name: String, encoding value: some Encodable) throws {
      self.name = name
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      data = Array(try encoder.encode(value))
    }

    var buffer: ByteBuffer {
      var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
      buffer.writeBytes(data)
      buffer.writeString("\n\n")
      return buffer
    }
  }

  /// What was sent last, by key, for `produce` to compare with.
  typealias Sent = [String: String]

  private static let pace: Duration = .seconds(1)
  /// Seconds without news before a comment shows that the stream is alive, and before relative
  /// times on a page are brought up to date.
  private static let heartbeat = 15

  /// Every update that the reader may see, as it comes.
  static func response(
    clock: any FairleadClock, updates: AsyncStream<LiveUpdate>,
    allows: @escaping @Sendable (LiveUpdate) -> Bool
  ) -> Response {
    stream { write in
      try await write(comment)
      try await withThrowingTaskGroup(of: Void.self) { group in
        let lines = AsyncStream<ByteBuffer>.makeStream(bufferingPolicy: .bufferingNewest(256))
        group.addTask {
          for await update in updates where allows(update) {
            lines.continuation.yield(try Event(name: update.name, encoding: update).buffer)
          }
          lines.continuation.finish()
        }
        group.addTask {
          while true {
            try await clock.sleep(for: .seconds(heartbeat))
            lines.continuation.yield(comment)
          }
        }
        for await line in lines.stream { try await write(line) }
        group.cancelAll()
      }
    }
  }

  /// Events worked out afresh whenever something happened, a second apart at most often, so that a
  /// busy deployment does not flood its watchers.
  static func response(
    clock: any FairleadClock, live: LiveUpdates,
    produce: @escaping @Sendable (inout Sent) async throws -> [Event]
  ) -> Response {
    stream { write in
      let news = News()
      let updates = try live.subscribe()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for await _ in updates { news.mark() }
          news.end()
        }
        var sent: Sent = [:]
        var quiet = heartbeat
        while !news.hasEnded {
          quiet += 1
          if news.take() || quiet >= heartbeat {
            quiet = 0
            let events = try await produce(&sent)
            for event in events { try await write(event.buffer) }
            if events.isEmpty { try await write(comment) }
          }
          try await clock.sleep(for: pace)
        }
        group.cancelAll()
      }
    }
  }

  private static let comment = ByteBuffer(string: ": alive\n\n")

  private static func stream(
    _ body: @escaping @Sendable (_ write: (ByteBuffer) async throws -> Void) async throws -> Void
  ) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close",
        HTTPField.Name("x-accel-buffering")!: "no",
      ],
      body: ResponseBody { writer in
        // The writer stays with the one task that `body` runs in. A reader that left is noticed at
        // the next line, at the latest the next heartbeat.
        nonisolated(unsafe) var output = writer
        do {
          try await cancelWhenGracefulShutdown {
            try await body { try await output.write($0) }
          }
        } catch is CancellationError {
          // The server is shutting down.
        }
        try await output.finish(nil)
      })
  }

  private final class News: Sendable {
    private let flag = Atomic(true)
    private let ended = Atomic(false)
    var hasEnded: Bool { ended.load(ordering: .relaxed) }
    func mark() { flag.store(true, ordering: .relaxed) }
    func take() -> Bool { flag.exchange(false, ordering: .relaxed) }
    func end() { ended.store(true, ordering: .relaxed) }
  }
}
