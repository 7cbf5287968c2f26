import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension HTTPField.Name {
  static let fairleadAttempts = HTTPField.Name("fairlead-attempts")!
  static let fairleadWaited = HTTPField.Name("fairlead-waited-ms")!
  static let fairleadWaitReason = HTTPField.Name("fairlead-wait-reason")!
  static let fairleadErrorCode = HTTPField.Name("fairlead-error-code")!
  static let fairleadErrorMessage = HTTPField.Name("fairlead-error-message")!
  static let fairleadFallback = HTTPField.Name("fairlead-fallback")!
  static let fairleadFallbackKind = HTTPField.Name("fairlead-fallback-kind")!
  static let fairleadErrors = HTTPField.Name("fairlead-errors")!
  static let fairleadIdempotencyKey = HTTPField.Name("fairlead-idempotency-key")!
  static let fairleadTimeout = HTTPField.Name("fairlead-timeout")!
}

/// The transparent proxy: the provider's own API under `/v1/proxy/{target}`, with authorisation,
/// waiting, retries and classification added.
struct ProxyRoute: Sendable {
  /// Bodies up to this size are kept, so that a retry can send them again.
  static let replayLimit = 1 << 20
  /// Answers up to this size leave in one piece.
  private static let smallAnswer = 64 << 10
  private static let marker = "/v1/proxy/"

  let fairlead: Fairlead

  var route: Route {
    Route(
      [.get, .head, .post, .put, .patch, .delete, .options], "/v1/proxy/{target}/{path…}",
      access: .key(.proxy),
      RouteDocumentation(
        "proxy", tag: "Calls", "Call the provider",
        details: """
          The provider's answer passes through as it is, with `fairlead-request-id`, \
          `fairlead-attempts`, `fairlead-waited-ms` and, on errors, `fairlead-error-code` and \
          `fairlead-error-message` added. An official SDK works with its base URL pointed here and a \
          Fairlead key as its API key. Where the answer leads to further addresses of the provider \
          (`Link`, `Location`), they lead through here. Where the integration has a fallback, an \
          answer that is not the provider's carries `fairlead-fallback: true` and \
          `fairlead-fallback-kind`, `canned` or `stale`, and the error headers say why.
          """,
        parameters: [
          .header("fairlead-timeout", "The total deadline, for example `20s`."),
          .header("fairlead-fallback", "`off` for the failure itself, whatever could stand in."),
          .header("fairlead-errors", "`plain` for our error shape instead of the provider's."),
        ],
        answers: [(200, "What the provider answered, with its own status.", nil)],
        mediaType: "*/*"),
      handle: handle)
  }

  private func handle(_ exchange: Exchange) async throws -> Response {
    do {
      return try await forward(exchange)
    } catch {
      let error = fairleadError(from: error)
      if let detail = error.detail {
        exchange.logger.info(
          "proxied call failed",
          metadata: ["code": .string(error.code.rawValue), "detail": .string(detail)])
      }
      var response = error.response(requestID: exchange.requestID)
      Self.stopRetries(&response.headers)
      if let attempts = error.attempts {
        response.headers[.fairleadAttempts] = String(attempts)
        response.headers[.fairleadWaited] = String((error.waited ?? .zero).milliseconds)
        response.headers[.fairleadWaitReason] = error.waitReason.map(headerText)
      }
      response.headers[.fairleadErrorCode] = error.code.rawValue
      response.headers[.fairleadErrorMessage] = headerText(error.message)
      return response
    }
  }

  private func forward(_ exchange: Exchange) async throws -> Response {
    let (target, path) = try Self.split(exchange.request.head.path ?? "")
    let resolved = try await fairlead.connections.resolve(target: target)
    var headers = exchange.request.headers
    if let presentedIn = exchange.presentedIn { headers[presentedIn] = nil }
    headers[.fairleadKey] = nil
    // A second header may carry one of our keys too; none may reach the provider.
    for key in headers[values: .apiKey]
    where try await fairlead.keys.authenticate(Secret(key)) != nil {
      headers[.apiKey] = nil
    }
    let plainErrors = headers[.fairleadErrors]?.lowercased() == "plain"
    let timeout = try Self.timeout(headers[.fairleadTimeout])
    if headers[.fairleadIdempotencyKey] != nil {
      throw FairleadError(
        .invalidRequest,
        "fairlead-idempotency-key is not supported by this version yet. Use the provider's own "
          + "idempotency key where it has one.")
    }

    let (body, relay) = try await requestBody(of: exchange.request)
    do {
      var call = Call(
        integration: resolved.integration, connection: resolved.connection, host: resolved.host,
        method: exchange.request.method, path: path, headers: headers, body: body,
        timeout: timeout, source: .proxy)
      call.allowsFallback = headers[.fairleadFallback]?.lowercased() != "off"
      let result = try await fairlead.pipeline.send(call)
      if plainErrors, result.report.fallback == nil, var error = result.report.error {
        await relay?.finish(clock: fairlead.clock)
        error.attempts = result.report.attempts
        error.waited = result.report.waited
        error.waitReason = result.report.waitReason
        throw error
      }
      let led = try await LinkRewriting(
        fairlead: fairlead, exchange: exchange, resolved: resolved
      ).applied(to: result)
      return try await answer(led, to: exchange, relay: relay)
    } catch {
      await relay?.finish(clock: fairlead.clock)
      throw error
    }
  }

  /// Small bodies are read first, so that they can be sent again; larger ones stream once.
  private func requestBody(
    of request: Request
  ) async throws -> (CallBody, UploadRelay?) {
    let length = request.headers[.contentLength].flatMap { Int64($0) }
    let chunked = request.headers[.transferEncoding] != nil
    if length == nil && !chunked { return (.none, nil) }
    if let length, length <= Self.replayLimit {
      if length == 0 { return (.bytes(ByteBuffer()), nil) }
      return (.bytes(try await request.body.collect(upTo: Self.replayLimit)), nil)
    }
    let relay = UploadRelay(reading: request.body)
    do {
      let body = try await relay.requestBody(length: length, replayLimit: Self.replayLimit)
      return (body, relay)
    } catch {
      await relay.finish(clock: fairlead.clock)
      throw error
    }
  }

  private func answer(
    _ result: CallResult, to exchange: Exchange, relay: UploadRelay?
  ) async throws -> Response {
    var headers = result.headers
    let report = result.report
    headers[.fairleadRequestID] = report.requestID.rawValue
    headers[.fairleadAttempts] = String(report.attempts)
    headers[.fairleadWaited] = String(report.waited.milliseconds)
    if let reason = report.waitReason { headers[.fairleadWaitReason] = headerText(reason) }
    if let error = report.error {
      headers[.fairleadErrorCode] = error.code.rawValue
      headers[.fairleadErrorMessage] = headerText(error.message)
      Self.stopRetries(&headers)
    }
    if let fallback = report.fallback {
      headers[.fairleadFallback] = "true"
      headers[.fairleadFallbackKind] = fallback.rawValue
    }
    let status = HTTPResponse.Status(code: result.status)
    let length = headers[.contentLength].flatMap { Int($0) }
    if exchange.request.method == .head || result.status == 204 || result.status == 304 {
      await relay?.finish(clock: fairlead.clock)
      return Response(status: status, headers: headers)
    }
    if relay == nil, let length, length <= Self.smallAnswer {
      var whole = ByteBuffer()
      for try await var chunk in result.body {
        if whole.readableBytes == 0 { whole = chunk } else { whole.writeBuffer(&chunk) }
      }
      return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: whole))
    }
    let clock = fairlead.clock
    let stream = result.body
    // A reader that left is noticed at the next chunk; the server's own way of watching for it ends
    // the process when both sides close at once. An idle stream is bounded by the transport.
    return Response(
      status: status, headers: headers,
      body: ResponseBody(contentLength: length) { writer in
        do {
          for try await chunk in stream { try await writer.write(chunk) }
          try await writer.finish(nil)
        } catch {
          await relay?.finish(clock: clock)
          throw error
        }
        await relay?.finish(clock: clock)
      })
  }

  /// SDKs must neither multiply our retries nor repeat what we refused to repeat.
  private static func stopRetries(_ headers: inout HTTPFields) {
    headers[.shouldRetry] = "false"
    headers[.stripeShouldRetry] = "false"
  }

  /// The target segment and, untouched, what follows it: the provider's own path and query.
  static func split(_ rawPath: String) throws -> (target: String, path: String) {
    // Only in the path: a query may hold anything.
    let end = rawPath.firstIndex(of: "?") ?? rawPath.endIndex
    guard let marker = rawPath[..<end].firstRange(of: Self.marker) else {
      throw FairleadError(.notFound, "There is nothing at this address.")
    }
    let rest = rawPath[marker.upperBound...]
    let targetEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let target = String(rest[..<targetEnd])
    guard !target.isEmpty else {
      throw FairleadError(
        .notFound,
        "Name a target: /v1/proxy/{connection id, integration or integration:owner}/…")
    }
    let path = rest[targetEnd...]
    return (target, path.hasPrefix("/") ? String(path) : "/" + path)
  }

  static func timeout(_ text: String?) throws -> Duration {
    guard let text else { return .seconds(60) }
    guard let duration = DurationText.parse(text), duration > .zero, duration <= .seconds(3_600)
    else {
      throw FairleadError(
        .invalidRequest, "fairlead-timeout must be a duration up to 1h, such as 500ms, 20s or 2m.")
    }
    return duration
  }
}

/// Text made fit for a header value: printable ASCII, the rest left out.
func headerText(_ text: String) -> String {
  String(
    decoding: text.utf8.filter { (0x20...0x7E).contains($0) }.prefix(400), as: UTF8.self)
}
