import Foundation
import NIOCore
import NIOPosix

@testable import Fairlead

/// A TCP server on loopback whose every byte a test decides.
enum LoopbackServer {
  /// One accepted connection.
  struct Connection {
    let channel: any NIOCore.Channel
    var incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outgoing: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Reads until the blank line; what was read beyond it is returned too.
    mutating func readHead() async throws -> String {
      var all = ""
      while !all.contains("\r\n\r\n"), let chunk = try await incoming.next() {
        all += String(buffer: chunk)
      }
      return all
    }

    func write(_ text: String) async throws {
      try await outgoing.write(ByteBuffer(string: text))
    }

    /// Returns once the bytes are with the system, so that nothing queues up here.
    func writeThrough(_ buffer: ByteBuffer) async throws {
      try await channel.writeAndFlush(buffer).get()
    }

    /// Reads and forgets until the other side ends.
    mutating func drain() async {
      // How it ends does not matter here.
      while let chunk = try? await incoming.next() { _ = chunk }
    }

    /// Ends the connection with a reset.
    func reset() async throws {
      try await (channel as? any SocketOptionProvider)?
        .setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
      try await channel.close().get()
    }
  }

  static func run<R: Sendable>(
    _ serve: @escaping @Sendable (inout Connection) async throws -> Void,
    while body: @Sendable (_ port: Int) async throws -> R
  ) async throws -> R {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    guard let port = server.channel.localAddress?.port else { throw CancellationError() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await server.executeThenClose { accepted in
          await withDiscardingTaskGroup { connections in
            // There is nobody to tell of an accept that failed.
            var incoming = accepted.makeAsyncIterator()
            while let channel = try? await incoming.next() {
              connections.addTask {
                // A connection that fails is what many tests are about.
                try? await channel.executeThenClose { incoming, outgoing in
                  var connection = Connection(
                    channel: channel.channel, incoming: incoming.makeAsyncIterator(),
                    outgoing: outgoing)
                  try await serve(&connection)
                }
              }
            }
          }
        }
      }
      // Closed and not cancelled: a connection that was accepted has to be seen to its end.
      do {
        let result = try await body(port)
        try await server.channel.close().get()
        return result
      } catch {
        try await server.channel.close().get()
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
