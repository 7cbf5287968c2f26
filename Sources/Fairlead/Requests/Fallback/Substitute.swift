import HTTPTypes
import NIOCore

/// What stands in for the provider's answer.
struct Substitute: Sendable {
  var kind: CallReport.Fallback
  var status: Int
  var headers: HTTPFields
  /// One for a document, one an event for a stream.
  var chunks: [ByteBuffer]

  var bytes: Int { chunks.reduce(0) { $0 + $1.readableBytes } }

  var body: BodyStream {
    BodyStream { [chunks] in
      var rest = chunks[...]
      return { rest.popFirst() }
    }
  }
}
