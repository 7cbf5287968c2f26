public import HTTPTypes
public import NIOCore

/// One HTTP exchange with an upstream. The seam below the request pipeline: AsyncHTTPClient in
/// production, a stub in users' tests.
///
/// A transport neither retries nor follows redirects, and connects to no private address unless it
/// was told that it may.
public protocol Transport: Sendable {
  /// Sends the head and body and returns as soon as the answer's head is there.
  /// - Parameter timeout: for the answer's head to arrive; the body has `idleTimeout` between two
  ///   chunks.
  /// - Throws: `TransportError`; `CancellationError` when cancelled.
  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse
}

public struct TransportRequest: Sendable {
  public var method: HTTPRequest.Method
  /// Absolute, with scheme `http` or `https`.
  public var url: String
  public var headers: HTTPFields
  public var body: RequestBody

  public init(
    method: HTTPRequest.Method, url: String, headers: HTTPFields = [:], body: RequestBody = .none
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// A request body: bytes can be sent again on a retry, a stream only once.
public enum RequestBody: Sendable {
  case none
  case bytes(ByteBuffer)
  /// `length` in bytes where it is known; chunked otherwise. The sequence is iterated once at most.
  case stream(BodyStream, length: Int64?)

  public var canReplay: Bool {
    if case .stream = self { false } else { true }
  }
}

/// Chunks of a body, pulled one by one, in bounded memory.
public struct BodyStream: AsyncSequence, Sendable {
  public typealias Element = ByteBuffer
  private let makeNext: @Sendable () -> () async throws -> ByteBuffer?

  /// - Parameter makeIterator: called once per iteration; gives a function that returns the next
  ///   chunk, `nil` at the end.
  public init(_ makeIterator: @escaping @Sendable () -> () async throws -> ByteBuffer?) {
    makeNext = makeIterator
  }

  public init<Base: AsyncSequence & Sendable>(_ base: Base) where Base.Element == ByteBuffer {
    makeNext = {
      var iterator = base.makeAsyncIterator()
      return { try await iterator.next() }
    }
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    let pull: () async throws -> ByteBuffer?

    public mutating func next() async throws -> ByteBuffer? { try await pull() }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pull: makeNext()) }
}

public struct TransportResponse: Sendable {
  public var status: Int
  public var headers: HTTPFields
  /// Iterated once at most. Dropping it unread closes the exchange.
  public var body: BodyStream

  public init(status: Int, headers: HTTPFields, body: BodyStream) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// How an exchange failed before there was a complete answer.
public struct TransportError: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// No connection came about: refused, unresolvable, TLS failure. Nothing was sent.
    case connect
    /// The head of the answer did not come in time.
    case timeout
    /// The connection ended without a complete answer.
    case disconnected
    /// What came back was no HTTP.
    case malformed
    /// The address is private and private addresses are not allowed.
    case refusedAddress
    /// The caller's own body stream failed.
    case requestBody
    /// The request cannot be sent as it is: a header or a URL that HTTP does not allow.
    case request
  }

  public var kind: Kind
  /// Whether the provider certainly did nothing, because no byte of the request was sent.
  public var nothingSent: Bool
  public var detail: String

  public init(_ kind: Kind, nothingSent: Bool, detail: String) {
    self.kind = kind
    self.nothingSent = nothingSent
    self.detail = detail
  }
}
