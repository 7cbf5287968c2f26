import Fairlead
import HTTPTypes
import HummingbirdCore
import NIOCore
import ServiceLifecycle

/// Thrown after a connection was cut on purpose, so that the server lets go of it.
struct ConnectionCut: Error {}

/// One request from the socket to the kernel and its answer back.
struct Exchange: Sendable {
  let kernel: SandboxKernel

  static let bodyLimit = 10 << 20

  func respond(
    to request: Request, writer: consuming ResponseWriter, channel: any NIOCore.Channel
  ) async throws {
    if request.headers[.expect]?.lowercased() == "100-continue" {
      try await writer.writeInformationalHead(HTTPResponse(status: .continue))
    }
    let rawPath = request.head.path ?? "/"
    let halves = rawPath.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var simulated = SimulatedRequest(
      method: request.method.rawValue,
      path: halves.first.flatMap { PercentEncoding.decode($0.utf8) } ?? "/",
      rawQuery: halves.count > 1 ? String(halves[1]) : "", headers: request.headers, body: [],
      now: kernel.world.clock.now)
    if let authority = request.head.authority, let host = HTTPField.Name("host") {
      simulated.headers[host] = authority
    }
    let answer: SandboxKernel.Answer
    do {
      let body = try await request.body.collect(upTo: Self.bodyLimit)
      simulated.body = Array(buffer: body)
      answer = await kernel.answer(simulated)
    } catch is NIOTooManyBytesError {
      answer = SandboxKernel.Answer(delivery: .whole(kernel.tooLarge(path: simulated.path)))
    }
    switch answer.delivery {
    case .whole(let response):
      try await write(
        response, chunkDelay: answer.chunkDelay, withBody: request.method != .head, to: writer)
    case .cut(let response):
      try await RawWire.send(RawWire.firstHalf(of: dated(response)), thenClose: channel)
      throw ConnectionCut()
    case .garbage:
      try await RawWire.send(RawWire.garbage, thenClose: channel)
      throw ConnectionCut()
    case .drop:
      try await channel.close()
      throw ConnectionCut()
    case .reset:
      try await RawWire.reset(channel)
      throw ConnectionCut()
    }
  }

  private func write(
    _ response: SimulatedResponse, chunkDelay: Duration, withBody: Bool,
    to writer: consuming ResponseWriter
  ) async throws {
    var response = dated(response)
    switch response.body {
    case .bytes(let bytes):
      response.headers[.contentLength] = String(bytes.count)
      let head = HTTPResponse(status: .init(code: response.status), headerFields: response.headers)
      let body = withBody ? ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)) : ResponseBody()
      try await writer.write(response: head, body: body)
    case .chunks(let chunks):
      let head = HTTPResponse(status: .init(code: response.status), headerFields: response.headers)
      var body = try await writer.writeHead(head)
      let clock = kernel.world.clock
      for chunk in chunks where withBody {
        if chunkDelay > .zero {
          // A shutdown ends the pauses; the rest of the answer follows at once.
          try? await cancelWhenGracefulShutdown { try await clock.sleep(for: chunkDelay) }
        }
        try await body.write(ByteBuffer(bytes: chunk))
      }
      try await body.finish(nil)
    }
  }

  private func dated(_ response: SimulatedResponse) -> SimulatedResponse {
    var response = response
    response.headers[.date] = HTTPDate.text(kernel.world.clock.machineNow)
    return response
  }
}

extension SandboxKernel {
  /// The answer to a body above the bound, in the provider's own shape.
  func tooLarge(path: String) -> SimulatedResponse {
    if let (provider, _) = Self.target(path), let simulator = world.simulators[provider] {
      return simulator.tooLarge(limit: Exchange.bodyLimit)
    }
    return ControlError(
      .payloadTooLarge, "The body is larger than \(Exchange.bodyLimit >> 20) MiB."
    ).response
  }
}
