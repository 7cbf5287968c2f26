import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1

/// What HTTP alone cannot do to a connection: cut, reset and garble it.
enum RawWire {
  /// Neither HTTP nor JSON.
  static let garbage: [UInt8] = [0x16, 0x03, 0x00, 0xFF, 0xFE, 0x00] + Array("}{not http\n\n".utf8)

  /// Sends bytes past the HTTP encoder, waits until they left, then closes the connection.
  static func send(_ bytes: [UInt8], thenClose channel: any Channel) async throws {
    let sent = channel.eventLoop.flatSubmit {
      let promise = channel.eventLoop.makePromise(of: Void.self)
      do {
        let context = try channel.pipeline.syncOperations.context(
          handlerType: HTTPResponseEncoder.self)
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: promise)
      } catch {
        promise.fail(error)
      }
      return promise.futureResult
    }
    try await sent.get()
    try await channel.close()
  }

  /// Closes with a TCP reset: without lingering, what is unsent is dropped and the peer is told so.
  static func reset(_ channel: any Channel) async throws {
    if let options = channel as? any SocketOptionProvider {
      try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    }
    try await channel.close()
  }

  /// The whole head and the first half of the body, as they look on the wire.
  static func firstHalf(of response: SimulatedResponse) -> [UInt8] {
    var head =
      "HTTP/1.1 \(response.status) \(HTTPResponseStatus(statusCode: response.status).reasonPhrase)\r\n"
    for field in response.headers where field.name != .contentLength {
      head += "\(field.name.rawName): \(field.value)\r\n"
    }
    switch response.body {
    case .bytes(let bytes):
      head += "content-length: \(bytes.count)\r\n\r\n"
      return Array(head.utf8) + bytes.prefix(bytes.count / 2)
    case .chunks(let chunks):
      head += "transfer-encoding: chunked\r\n\r\n"
      return chunks.prefix(chunks.count / 2).reduce(into: Array(head.utf8)) { wire, chunk in
        wire += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
      }
    }
  }
}
