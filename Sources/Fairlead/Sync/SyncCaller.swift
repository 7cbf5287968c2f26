import NIOCore

/// Makes a sync's calls: as its connection, through the pipeline, after interactive ones.
struct SyncCaller: Sendable {
  let pipeline: RequestPipeline
  let connection: Connection

  func send(_ request: CallRequest, host: String?) async throws -> CallReply {
    let result = try await pipeline.send(
      Call(
        integration: connection.integration, connection: connection.id, host: host,
        method: request.method, path: request.path, headers: request.headers, body: request.body,
        timeout: .seconds(300), priority: .background, source: .sync))
    if let error = result.report.error {
      // 410 means gone: of a list, that is our place in it.
      if result.report.errorClass == .cursorExpired || result.status == 410 {
        throw SyncInterruption.expired
      }
      throw error
    }
    var body: [UInt8] = []
    for try await chunk in result.body {
      guard body.count + chunk.readableBytes <= DeclaredSync.maximumPageSize else {
        throw SyncInterruption.failed(
          "A page is larger than \(DeclaredSync.maximumPageSize >> 20) MiB. Ask for smaller pages.")
      }
      body.append(contentsOf: chunk.readableBytesView)
    }
    return CallReply(
      status: result.status, headers: result.headers, body: body, report: result.report)
  }
}
