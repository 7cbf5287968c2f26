import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import Fairlead

/// A TCP server on loopback whose every byte a test decides.
enum LoopbackServer {
  /// One accepted connection.
  struct Connection: Sendable {
    let channel: any NIOCore.Channel
    fileprivate let incoming: Incoming

    /// The next bytes; `nil` once the other side has ended.
    func read() async -> ByteBuffer? { await incoming.next(on: channel) }

    /// Reads until the blank line; what was read beyond it is returned too.
    func readHead() async throws -> String {
      var all = ""
      while !all.contains("\r\n\r\n"), let chunk = await read() {
        all += String(buffer: chunk)
      }
      return all
    }

    func write(_ text: String) async throws {
      try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Returns once the bytes are with the system, so that nothing queues up here.
    func writeThrough(_ buffer: ByteBuffer) async throws {
      try await channel.writeAndFlush(buffer).get()
    }

    /// Reads and forgets until the other side ends.
    func drain() async {
      while let chunk = await read() { _ = chunk }
    }

    /// Ends the connection with a reset.
    func reset() async throws {
      try await (channel as? any SocketOptionProvider)?
        .setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
      try await channel.close().get()
    }
  }

  /// What a connection received. It reads on only when asked, so that a slow reader is felt.
  fileprivate final class Incoming: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private struct State {
      var chunks: [ByteBuffer] = []
      var hasEnded = false
      var waiter: CheckedContinuation<ByteBuffer?, Never>?
    }

    private let state = Mutex(State())
    private let accept: @Sendable (Connection) -> Void

    init(accept: @escaping @Sendable (Connection) -> Void) { self.accept = accept }

    /// Only now: a read that is asked for earlier gets lost.
    func channelActive(context: ChannelHandlerContext) {
      accept(Connection(channel: context.channel, incoming: self))
    }

    func next(on channel: any NIOCore.Channel) async -> ByteBuffer? {
      await withCheckedContinuation { continuation in
        let ready: ByteBuffer?? = state.withLock { state in
          if !state.chunks.isEmpty { return .some(state.chunks.removeFirst()) }
          if state.hasEnded { return .some(nil) }
          state.waiter = continuation
          return nil
        }
        if let ready { continuation.resume(returning: ready) } else { channel.read() }
      }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let chunk = unwrapInboundIn(data)
      let waiter = state.withLock { state in
        let waiter = state.waiter
        state.waiter = nil
        if waiter == nil { state.chunks.append(chunk) }
        return waiter
      }
      waiter?.resume(returning: chunk)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if event as? ChannelEvent == .inputClosed { end() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      end()
      context.close(promise: nil)
    }

    private func end() {
      let waiter = state.withLock { state in
        state.hasEnded = true
        let waiter = state.waiter
        state.waiter = nil
        return waiter
      }
      waiter?.resume(returning: nil)
    }
  }

  static func run<R: Sendable>(
    _ serve: @escaping @Sendable (inout Connection) async throws -> Void,
    while body: @Sendable (_ port: Int) async throws -> R
  ) async throws -> R {
    let (accepted, accept) = AsyncStream<Connection>.makeStream()
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Incoming { accept.yield($0) })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    guard let port = server.localAddress?.port else { throw CancellationError() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await withDiscardingTaskGroup { connections in
          for await connection in accepted {
            connections.addTask {
              var connection = connection
              // A connection that fails is what many tests are about.
              try? await serve(&connection)
              try? await connection.channel.close().get()
            }
          }
        }
      }
      func finish() async throws {
        try await server.close().get()
        accept.finish()
      }
      do {
        let result = try await body(port)
        try await finish()
        return result
      } catch {
        try await finish()
        throw error
      }
    }
  }

  /// A transport that is shut down afterwards.
  static func withTransport<R>(
    allowPrivateNetworks: Bool = true, idleTimeout: Duration = .seconds(30),
    _ body: (HTTPClientTransport) async throws -> R
  ) async throws -> R {
    let transport = HTTPClientTransport(
      allowPrivateNetworks: allowPrivateNetworks, idleTimeout: idleTimeout)
    do {
      let result = try await body(transport)
      try await transport.shutdown()
      return result
    } catch {
      try await transport.shutdown()
      throw error
    }
  }
}
