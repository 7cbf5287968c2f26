import HTTPTypes
import NIOCore

/// A whole answer, held in memory.
struct BoundedReply: Sendable {
  var status: Int
  var headers: HTTPFields
  var body: [UInt8]
}

/// An exchange whose answer is small and soon there: token endpoints and verification calls.
struct BoundedExchange: Sendable {
  static let timeout: Duration = .seconds(15)
  static let limit = 256 * 1_024

  let transport: any Transport
  let clock: any FairleadClock
  /// For the whole answer.
  var timeout = Self.timeout

  /// - Throws: `TransportError`: `timeout` when the whole answer is not there in time, `malformed`
  ///   when it is larger than 256 KiB. `CancellationError`.
  func send(_ request: TransportRequest) async throws -> BoundedReply {
    try await withThrowingTaskGroup(of: BoundedReply?.self) { group in
      group.addTask { try await whole(request) }
      group.addTask {
        try await clock.sleep(for: timeout)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let reply = first else {
        throw TransportError(.timeout, nothingSent: false, detail: "no complete answer in time")
      }
      return reply
    }
  }

  private func whole(_ request: TransportRequest) async throws -> BoundedReply {
    let response = try await transport.send(request, timeout: timeout)
    var body: [UInt8] = []
    for try await chunk in response.body {
      guard body.count + chunk.readableBytes <= Self.limit else {
        throw TransportError(.malformed, nothingSent: false, detail: "an answer above 256 KiB")
      }
      body += chunk.readableBytesView
    }
    return BoundedReply(status: response.status, headers: response.headers, body: body)
  }
}
