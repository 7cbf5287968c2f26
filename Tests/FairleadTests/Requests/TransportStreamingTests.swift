import Foundation
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import Fairlead

@Suite(.serialized, .timeLimit(.minutes(5))) struct TransportStreamingTests {
  /// Counts what lives, so that a test sees a leak.
  private final class Probe: Sendable {
    static let alive = Atomic(0)
    init() { Self.alive.add(1, ordering: .relaxed) }
    deinit { Self.alive.subtract(1, ordering: .relaxed) }
  }

  /// How much was made and not yet taken.
  private final class Outstanding: Sendable {
    private let bytes = Mutex((now: 0, peak: 0, total: 0))
    func made(_ count: Int) {
      bytes.withLock {
        $0.now += count
        $0.total += count
        $0.peak = max($0.peak, $0.now)
      }
    }
    func took(_ count: Int) { bytes.withLock { $0.now -= count } }
    var peak: Int { bytes.withLock { $0.peak } }
    var total: Int { bytes.withLock { $0.total } }
  }

  private static let chunk = ByteBuffer(repeating: 120, count: 65_536)
  private static let total = 200 * 1_024 * 1_024

  /// Without back pressure all of it would be outstanding. Most of what is allowed is the system's: a
  /// socket on loopback takes up to 36 MB by itself on some machines.
  private static let bound = 64 * 1_024 * 1_024

  private func eventually(_ condition: () -> Bool) async throws {
    let clock = SystemClock()
    let limit = clock.uptime + .seconds(30)
    while !condition() {
      try #require(clock.uptime < limit, "it did not happen in time")
      try await clock.sleep(for: .milliseconds(2))
    }
  }

  @Test func uploadsAreBoundedInMemory() async throws {
    let outstanding = Outstanding()
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      var received = 0
      while received < Self.total - 1_000_000, let chunk = await connection.read() {
        received += chunk.readableBytes
        outstanding.took(chunk.readableBytes)
        if received % 7 == 0 { await Task.yield() }
      }
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let body = BodyStream {
          var left = Self.total
          return {
            guard left > 0 else { return nil }
            left -= Self.chunk.readableBytes
            outstanding.made(Self.chunk.readableBytes)
            return Self.chunk
          }
        }
        let response = try await transport.send(
          TransportRequest(
            method: .post, url: "http://127.0.0.1:\(port)/",
            body: .stream(body, length: Int64(Self.total))), timeout: .seconds(120))
        #expect(response.status == 200)
        _ = try await response.body.text()
      }
    }
    #expect(outstanding.peak < Self.bound)
  }

  @Test func downloadsAreBoundedInMemory() async throws {
    let outstanding = Outstanding()
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(Self.total)\r\n\r\n")
      var left = Self.total
      while left > 0 {
        outstanding.made(Self.chunk.readableBytes)
        try await connection.writeThrough(Self.chunk)
        left -= Self.chunk.readableBytes
      }
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let response = try await transport.send(
          TransportRequest(method: .get, url: "http://127.0.0.1:\(port)/"), timeout: .seconds(30))
        // The reader starts late: what is made meanwhile is what back pressure lets through.
        try await SystemClock().sleep(for: .milliseconds(300))
        #expect(outstanding.total < Self.bound)
        var received = 0
        for try await chunk in response.body {
          received += chunk.readableBytes
          outstanding.took(chunk.readableBytes)
        }
        #expect(received == Self.total)
      }
    }
    #expect(outstanding.peak < Self.bound)
  }

  @Test func chunksPassInBothDirectionsAtOnce() async throws {
    try await LoopbackServer.run { connection in
      // The first chunk may come with the head, and one read may bring any part of a chunk or
      // several: what is answered is counted in the text itself.
      var received = try await connection.readHead()
      try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      var answered = 0
      while true {
        let whole = received.components(separatedBy: "up ").count - 1
        for _ in answered..<whole { try await connection.write("1\r\n.\r\n") }
        answered = whole
        if received.hasSuffix("\r\n0\r\n\r\n") { break }
        guard let chunk = await connection.read() else { break }
        received += String(buffer: chunk)
      }
      try await connection.write("0\r\n\r\n")
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        // Each next chunk goes up only after something has come down.
        let (echoes, echo) = AsyncStream.makeStream(of: Void.self)
        let body = BodyStream {
          var sent = 0
          var iterator = echoes.makeAsyncIterator()
          return {
            sent += 1
            if sent > 1 { _ = await iterator.next() }
            return sent <= 5 ? ByteBuffer(string: "up \(sent)") : nil
          }
        }
        let response = try await transport.send(
          TransportRequest(
            method: .post, url: "http://127.0.0.1:\(port)/", body: .stream(body, length: nil)),
          timeout: .seconds(60))
        var dots = 0
        for try await chunk in response.body {
          dots += chunk.readableBytes
          echo.yield()
        }
        #expect(dots == 5)
      }
    }
  }

  /// The provider refuses while the upload is still going: the answer arrives, the upload ends, and
  /// nothing of it stays behind. Fast uploads wait for the socket just then, slow ones for data.
  @Test(arguments: [true, false])
  func anEarlyAnswerPassesAndTheUploadIsGivenUp(fast: Bool) async throws {
    for (status, keepsAlive) in [(413, false), (413, true), (200, false)] {
      try await LoopbackServer.run { connection in
        _ = try await connection.readHead()
        let close = keepsAlive ? "" : "Connection: close\r\n"
        try await connection.write(
          "HTTP/1.1 \(status) Early\r\nContent-Length: 7\r\n\(close)\r\nnothing")
        // Lingering, as servers do, so that the answer is not lost in a reset.
        await connection.drain()
      } while: { port in
        try await LoopbackServer.withTransport { transport in
          for round in 0..<50 {
            let response = try await transport.send(
              TransportRequest(
                method: .post, url: "http://127.0.0.1:\(port)/",
                body: .stream(Self.endless(fast: fast), length: round % 2 == 0 ? nil : 1 << 40)),
              timeout: .seconds(60))
            #expect(response.status == status)
            #expect(try await response.body.text() == "nothing")
          }
        }
      }
      try await eventually { Probe.alive.load(ordering: .relaxed) == 0 }
    }
  }

  @Test func droppingTheAnswerEndsTheUpload() async throws {
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        for fast in [true, false] {
          _ = try await transport.send(
            TransportRequest(
              method: .post, url: "http://127.0.0.1:\(port)/",
              body: .stream(Self.endless(fast: fast), length: nil)), timeout: .seconds(60))
          try await eventually { Probe.alive.load(ordering: .relaxed) == 0 }
        }
      }
    }
  }

  @Test func anUploadThatFailsNeverLooksComplete() async throws {
    let received = Box("")
    let ended = Box(false)
    try await LoopbackServer.run { connection in
      // How the connection ends is told by what came before.
      while let chunk = await connection.read() {
        received.withLock { $0 += String(buffer: chunk) }
      }
      ended.withLock { $0 = true }
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        struct Broken: Error {}
        let body = BodyStream {
          var sent = 0
          return {
            sent += 1
            if sent > 3 { throw Broken() }
            return ByteBuffer(string: "part")
          }
        }
        let error = await #expect(throws: TransportError.self) {
          _ = try await transport.send(
            TransportRequest(
              method: .post, url: "http://127.0.0.1:\(port)/", body: .stream(body, length: nil)),
            timeout: .seconds(60))
        }
        #expect(error?.kind == .requestBody)
        try await eventually { ended.current }
      }
    }
    #expect(!received.current.contains("\r\n0\r\n"))
  }

  /// A body without end that lives as long as somebody holds it.
  private static func endless(fast: Bool) -> BodyStream {
    let probe = Probe()
    return BodyStream {
      var first = true
      return {
        _ = probe
        defer { first = false }
        if fast || first { return chunk }
        // Waits for data that never comes, until it is cancelled.
        try await SystemClock().sleep(for: .seconds(600))
        return nil
      }
    }
  }
}
