import AsyncHTTPClient
import HTTPTypes
public import NIOCore
import NIOHTTP1
import Synchronization

/// The transport over AsyncHTTPClient: pooled HTTP/1.1 connections (HTTP/2 is off for now), TLS with
/// the system's roots, no redirects, no decompression, no retries of its own.
///
/// Thread-safe. `shutdown()` must be called before the last reference goes.
public final class HTTPClientTransport: Transport {
  private let client: HTTPClient
  private let uploads: UploadRegistry
  /// `nil` where any address will do.
  private let hosts: HostCheck?

  /// - Parameters:
  ///   - eventLoopGroup: the process's own by default; not shut down by this transport.
  ///   - allowPrivateNetworks: whether it may connect to loopback, private and other addresses that
  ///     are not on the public internet.
  ///   - connectTimeout: for name resolution, TCP and TLS.
  ///   - idleTimeout: between two chunks of an answer's body, while the reader waits for one.
  public init(
    eventLoopGroup: (any EventLoopGroup)? = nil, allowPrivateNetworks: Bool,
    connectTimeout: Duration = .seconds(10), idleTimeout: Duration = .seconds(120)
  ) {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.decompression = .disabled
    configuration.httpVersion = .http1Only
    configuration.timeout = HTTPClient.Configuration.Timeout(
      connect: TimeAmount(connectTimeout))
    // Below the keep-alive of common servers, so that a call rarely meets a connection that is just
    // being closed.
    configuration.connectionPool = HTTPClient.Configuration.ConnectionPool(
      idleTimeout: .seconds(30), concurrentHTTP1ConnectionsPerHostSoftLimit: 1_024)
    configuration.connectionPool.retryConnectionEstablishment = false
    let idle = TimeAmount(idleTimeout)
    let uploads = UploadRegistry()
    self.uploads = uploads
    hosts = allowPrivateNetworks ? nil : HostCheck()
    configuration.http1_1ConnectionDebugInitializer = { channel in
      guard allowPrivateNetworks || channel.remoteAddress.map(AddressGuard.isPublic) == true else {
        // After the pool has heard of the failure, or it would take the close for one of its own.
        channel.eventLoop.execute { channel.close(promise: nil) }
        return channel.eventLoop.makeFailedFuture(RefusedAddress())
      }
      return channel.eventLoop.submit {
        let decoder = try channel.pipeline.syncOperations.handler(
          type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try channel.pipeline.syncOperations.addHandler(
          ExchangeGuard(idleTimeout: idle, uploads: uploads), position: .after(decoder))
      }
    }
    client = HTTPClient(
      eventLoopGroup: eventLoopGroup ?? HTTPClient.defaultEventLoopGroup,
      configuration: configuration)
  }

  /// Ends idle connections at once and the others with their exchanges.
  public func shutdown() async throws {
    try await client.shutdown()
  }

  public func send(
    _ request: TransportRequest, timeout: Duration
  ) async throws -> TransportResponse {
    try await hosts?.require(request.url)
    var outgoing = HTTPClientRequest(url: request.url)
    outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
    for field in request.headers {
      outgoing.headers.add(name: field.name.rawName, value: field.value)
    }
    var upload: Upload?
    var uploadName: String?
    switch request.body {
    case .none: break
    case .bytes(let buffer): outgoing.body = .bytes(buffer)
    case .stream(let stream, let length):
      let started = Upload(stream)
      upload = started
      let name = uploads.add(started)
      uploadName = name
      outgoing.headers.add(name: UploadRegistry.header, value: name)
      outgoing.body = .stream(
        started.stream, length: length.map { .known($0) } ?? .unknown)
    }
    do {
      let response = try await client.execute(outgoing, timeout: TimeAmount(timeout))
      var headers = HTTPFields()
      headers.reserveCapacity(response.headers.count)
      for (name, value) in response.headers {
        if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
      }
      return TransportResponse(
        status: Int(response.status.code), headers: headers,
        body: Self.body(response.body, upload: upload))
    } catch {
      upload?.stop()
      // It never reached a connection, or the connection's guard has it.
      if let uploadName { _ = uploads.take(uploadName) }
      throw Self.mapped(error)
    }
  }

  /// The answer's body, whose end or disposal also ends the upload.
  private static func body(
    _ body: HTTPClientResponse.Body, upload: Upload?
  ) -> BodyStream {
    let lifetime = Lifetime(upload)
    return BodyStream {
      // A second iterator is a bug of the reader's, for which the client would end the process.
      guard lifetime.isFirstReader() else {
        return {
          throw TransportError(.disconnected, nothingSent: false, detail: "body read twice")
        }
      }
      var iterator = body.makeAsyncIterator()
      return {
        do {
          if let chunk = try await iterator.next() { return chunk }
          lifetime.upload?.stop()
          return nil
        } catch {
          lifetime.upload?.stop()
          if error is ExchangeGuard.UploadAbandoned { return nil }
          throw mapped(error)
        }
      }
    }
  }

  /// Stops the upload when the answer's body is dropped.
  private final class Lifetime: Sendable {
    let upload: Upload?
    private let wasRead = Atomic(false)

    init(_ upload: Upload?) { self.upload = upload }
    deinit { upload?.stop() }

    func isFirstReader() -> Bool { !wasRead.exchange(true, ordering: .relaxed) }
  }

  struct RefusedAddress: Error {}
}

extension TimeAmount {
  /// To the nanosecond, within what 64 bits hold.
  init(_ duration: Duration) {
    let microseconds = duration.microseconds
    self =
      microseconds > Int64.max / 1_000
      ? .nanoseconds(.max / 4) : .microseconds(max(0, microseconds))
  }
}
