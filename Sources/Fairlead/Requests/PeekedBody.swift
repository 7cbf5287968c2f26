public import NIOCore

/// The beginning of a body, read to learn what an answer means, and the rest as it comes. The bytes
/// are handed on unchanged.
public struct PeekedBody: Sendable {
  /// An answer's meaning stands in its first bytes; no provider's error is longer.
  static let limit = 256 * 1_024

  public let prefix: ByteBuffer
  /// Whether the prefix is all of the body.
  public let isComplete: Bool
  /// Prefix and rest.
  public let stream: BodyStream

  /// Reads up to the limit, and not beyond the deadline by more than one chunk.
  static func read(_ body: BodyStream, deadline: Deadline) async throws -> PeekedBody {
    try await read(body, upTo: limit) { deadline.hasPassed }
  }

  /// Reads up to `limit` bytes and the chunk in which they end. The body must not have been read
  /// from and is not to be used afterwards; `stream` takes its place.
  /// - Throws: what the body throws.
  public static func read(_ body: BodyStream, upTo limit: Int) async throws -> PeekedBody {
    try await read(body, upTo: limit) { false }
  }

  private static func read(
    _ body: BodyStream, upTo limit: Int, isOver: () -> Bool
  ) async throws -> PeekedBody {
    var iterator = body.makeAsyncIterator()
    var prefix = ByteBuffer()
    while prefix.readableBytes == 0 || (prefix.readableBytes < limit && !isOver()) {
      guard var chunk = try await iterator.next() else {
        return PeekedBody(prefix: prefix, isComplete: true, stream: .single(prefix))
      }
      if prefix.readableBytes == 0 { prefix = chunk } else { prefix.writeBuffer(&chunk) }
    }
    let rest = Rest(prefix: prefix, iterator: iterator)
    return PeekedBody(
      prefix: prefix, isComplete: false, stream: BodyStream { { try await rest.next() } })
  }
}

/// A body whose beginning was read already.
///
/// `@unchecked` because an iterator is not `Sendable`: a body is iterated once, by one consumer, and
/// whoever peeked never touches it again.
private final class Rest: @unchecked Sendable {
  private var prefix: ByteBuffer?
  private var iterator: BodyStream.AsyncIterator

  init(prefix: ByteBuffer, iterator: BodyStream.AsyncIterator) {
    self.prefix = prefix
    self.iterator = iterator
  }

  func next() async throws -> ByteBuffer? {
    if let prefix {
      self.prefix = nil
      return prefix
    }
    return try await iterator.next()
  }
}

extension BodyStream {
  /// A body that is in memory already.
  public static func single(_ buffer: ByteBuffer) -> BodyStream {
    BodyStream {
      var left: ByteBuffer? = buffer.readableBytes > 0 ? buffer : nil
      return {
        defer { left = nil }
        return left
      }
    }
  }
}
