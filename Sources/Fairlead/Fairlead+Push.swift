import NIOCore

extension Fairlead {
  /// How large an answer to a watch may be, in bytes.
  private static let answerLimit = 1 << 20

  /// Watches for the models of `syncs` whose providers can announce changes.
  static func watches(
    _ syncs: Syncs, vault: Vault, pipeline: RequestPipeline, settings: Settings
  ) -> WatchChannels {
    let integrations = syncs.integrations
    let watches = WatchChannels(
      database: syncs.database, vault: vault, queue: syncs.queue, integrations: integrations,
      publicURL: settings.publicURL,
      wanted: { try await watchable(syncs, connection: $0, model: $1) },
      definition: { name, model in
        guard let sync = integrations[name]?.definition.syncs[model], let push = sync.push else {
          return nil
        }
        let params = sync.params.merging(settings.syncs[name, model].params) { $1 }
        return (push, params)
      },
      call: { integration, connection, request in
        try await call(request, as: connection, of: integration, by: pipeline)
      },
      announced: { try await syncs.setRealTime($2, connection: $0, model: $1) },
      trigger: { try await syncs.trigger(connection: $0, model: $1, trigger: .push) },
      clock: syncs.clock, random: syncs.random, logger: syncs.logger)
    for integration in integrations.all where integration.definition.webhook?.scheme == .channel {
      syncs.inbox.on("*", from: integration.name, name: "\(integration.name)/push") { event, _ in
        try await watches.handle(event)
      }
    }
    return watches
  }

  /// The models of active syncs whose providers can announce changes.
  private static func watchable(
    _ syncs: Syncs, connection: ConnectionID?, model: String?
  ) async throws -> [WatchedModel] {
    var found: [WatchedModel] = []
    var request = PageRequest(limit: 200)
    let filter = SyncFilter(connection: connection, model: model, state: .active)
    while true {
      let page = try await syncs.list(filter, page: request)
      for sync in page.items
      where sync.state == .active && syncs.isAnnounced(sync.model, of: sync.integration) {
        found.append(
          WatchedModel(
            integration: sync.integration, connection: sync.connection, owner: sync.owner,
            model: sync.model))
      }
      guard let next = page.nextCursor else { return found }
      request.cursor = next
    }
  }

  private static func call(
    _ request: CallRequest, as connection: ConnectionID, of integration: IntegrationName,
    by pipeline: RequestPipeline
  ) async throws -> CallReply {
    let result = try await pipeline.send(
      Call(
        integration: integration, connection: connection, method: request.method,
        path: request.path, headers: request.headers, body: request.body,
        priority: .background, source: .sync))
    if let error = result.report.error { throw error }
    var body: [UInt8] = []
    for try await chunk in result.body {
      guard body.count + chunk.readableBytes <= answerLimit else {
        throw FairleadError(
          .payloadTooLarge, "The answer to a watch is too large.", integration: integration)
      }
      body.append(contentsOf: chunk.readableBytesView)
    }
    return CallReply(
      status: result.status, headers: result.headers, body: body, report: result.report)
  }
}
