import AsyncHTTPClient
import Fairlead
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Testing

@testable import FairleadServer

/// Uploads through the proxy, over real sockets, to upstreams that misbehave.
@Suite(.serialized) struct UploadTests {
  /// What the upstream does with a request.
  enum Manner: Sendable, CaseIterable {
    /// Answers 413 as soon as it has seen the head, and closes.
    case refusesEarly
    /// Answers 413 early and reads nothing more, the connection left open.
    case refusesAndHolds
    /// Closes without an answer once some of the body has come.
    case resets
    /// Answers what is no HTTP.
    case talksGarbage
    /// Reads everything, then answers with how much it was.
    case counts
  }

  private static let size = 8 << 20

  @Test(arguments: Manner.allCases, [Duration.zero, .milliseconds(1)])
  func anUploadEndsWithAnAnswerAndTheServerLives(manner: Manner, pause: Duration) async throws {
    try await withProxy(to: manner) { url, client in
      let rounds = pause == .zero ? 12 : 3
      for _ in 0..<rounds {
        var request = HTTPClientRequest(url: url + "/v1/proxy/acme/upload")
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer \(ServerHarness.adminKey)")
        request.body = .stream(
          Chunks(count: Self.size >> 16, pause: pause), length: .known(Int64(Self.size)))
        let answer = try await client.execute(request, timeout: .seconds(120))
        let body = try await answer.body.collect(upTo: 1 << 20)
        switch manner {
        case .refusesEarly, .refusesAndHolds: #expect(answer.status.code == 413)
        case .counts:
          #expect(answer.status.code == 200)
          #expect(String(buffer: body) == String(Self.size))
        case .resets, .talksGarbage:
          #expect(answer.status.code >= 400)
          #expect(answer.headers.first(name: "fairlead-error-code") != nil)
          #expect(String(buffer: body).contains("\"error\""))
        }
      }
      let alive = try await client.execute(
        HTTPClientRequest(url: url + "/healthz"), timeout: .seconds(60))
      #expect(alive.status == .ok)
    }
  }

  private func withProxy(
    to manner: Manner, _ body: @Sendable (String, HTTPClient) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let upstream = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Upstream(manner))
        }
      }.bind(host: "127.0.0.1", port: 0).get()
    let (ports, port) = AsyncStream<Int>.makeStream()
    let harness = try await ServerHarness(
      origin: "http://127.0.0.1:\(upstream.localAddress?.port ?? 0)",
      onListening: { port.yield($0) },
      // The upstream fails again and again on purpose, and every call is to reach it.
      define: { $0.breaker = nil })
    let client = HTTPClient(eventLoopGroupProvider: .singleton)
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        let services = ServiceGroup(
          services: [harness.fairlead, harness.server], logger: harness.fairlead.logger)
        tasks.addTask { try await services.run() }
        let bound = try #require(await ports.first { _ in true })
        try await body("http://127.0.0.1:\(bound)", client)
        await services.triggerGracefulShutdown()
        try await tasks.waitForAll()
      }
    } catch {
      // A client that is dropped open ends the process, and nobody would learn why.
      Issue.record(error)
    }
    try await client.shutdown()
    try await upstream.close()
    try await harness.fairlead.close()
  }
}

/// A body in chunks of 64 KiB.
private struct Chunks: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  let count: Int
  let pause: Duration

  struct AsyncIterator: AsyncIteratorProtocol {
    var left: Int
    let pause: Duration

    mutating func next() async throws -> ByteBuffer? {
      guard left > 0 else { return nil }
      left -= 1
      try await SystemClock().sleep(for: pause)
      return ByteBuffer(repeating: 0x61, count: 1 << 16)
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(left: count, pause: pause) }
}

/// A raw upstream: it knows just enough HTTP to misbehave.
private final class Upstream: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let manner: UploadTests.Manner
  private var received = 0
  private var headEnd: Int?
  private var head = ByteBuffer()
  private var isDone = false

  init(_ manner: UploadTests.Manner) { self.manner = manner }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received += bytes.readableBytes
    if headEnd == nil {
      head.writeBuffer(&bytes)
      guard let end = head.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
      headEnd = end.upperBound - head.readerIndex
    }
    guard !isDone, let headEnd else { return }
    let body = received - headEnd
    switch manner {
    case .refusesEarly: answer(context, Self.refusal, thenClose: true)
    case .refusesAndHolds: answer(context, Self.refusal, thenClose: false)
    case .resets where body > 1 << 18:
      isDone = true
      context.close(promise: nil)
    case .talksGarbage where body > 0:
      answer(context, "\u{1}\u{2} this is no HTTP\n\n", thenClose: true)
    case .counts where body >= 8 << 20:
      let text = String(body)
      answer(
        context, "HTTP/1.1 200 OK\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)",
        thenClose: true)
    default: break
    }
  }

  private static let refusal =
    "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno"

  private func answer(_ context: ChannelHandlerContext, _ text: String, thenClose: Bool) {
    isDone = true
    let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
      if thenClose { loopBound.value.close(promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
