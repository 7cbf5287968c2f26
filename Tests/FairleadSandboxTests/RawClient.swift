import NIOCore
import NIOPosix

/// A client below HTTP, for what no HTTP client shows.
enum RawClient {
  /// Everything the peer sends until it closes.
  static func bytes(port: Int, sending text: String) async throws -> [UInt8] {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var bytes: [UInt8] = []
      for try await buffer in inbound { bytes += Array(buffer: buffer) }
      return bytes
    }
  }
}
