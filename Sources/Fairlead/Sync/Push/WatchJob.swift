import Logging

/// The job `watch`: does what the plan says about the watches of one model.
struct WatchJob: Sendable {
  static let kind = "watch"

  let channels: WatchChannels

  static func job(for place: WatchPlace, at time: Timestamp) -> NewJob {
    NewJob(
      kind: kind,
      payload: JSONValue.object([
        "integration": .string(place.integration.rawValue),
        "connection": .string(place.connection.rawValue), "model": .string(place.model),
      ]).text, runAt: time, key: "\(place.connection)/\(place.model)")
  }

  private static func place(of job: ClaimedJob) -> WatchPlace? {
    // Unreadable and missing are the same here: the job cannot be done.
    guard let payload = try? JSONValue(parsing: job.payload.utf8),
      let integration = payload["integration"]?.string,
      let connection = payload["connection"]?.string, let model = payload["model"]?.string
    else { return nil }
    return WatchPlace(
      integration: IntegrationName(integration), connection: ConnectionID(rawValue: connection),
      model: model)
  }

  func handle(_ job: ClaimedJob) async throws -> JobOutcome {
    guard let place = Self.place(of: job) else { return .dead(error: "the job names no model") }
    let wanted = try await channels.wanted(place.connection, place.model)
      .first { $0.place == place && channels.address(for: $0.integration) != nil }
    do {
      // Opening the next leaves the one before to be stopped, so the plan is made again.
      for _ in 0..<4 {
        let steps = try await plan(place, isWanted: wanted != nil)
        if steps.isEmpty { break }
        for step in steps { try await perform(step, place, wanted) }
      }
      if wanted == nil {
        // A sync that is gone needs not be told.
        try? await channels.announced(place.connection, place.model, false)
      }
      return .done
    } catch let error as FairleadError {
      return retry(after: error, place, attempt: job.attempt)
    }
  }

  private func plan(_ place: WatchPlace, isWanted: Bool) async throws -> [WatchStep] {
    let now = channels.clock.now
    let all = try await channels.database.guardedRead { connection in
      try PushChannelStore.all(of: place, in: connection)
    }
    return WatchPlan.steps(all, isWanted: isWanted, now: now)
  }

  private func perform(
    _ step: WatchStep, _ place: WatchPlace, _ wanted: WatchedModel?
  ) async throws {
    switch step {
    case .open:
      guard let wanted, let address = channels.address(for: place.integration),
        let (push, params) = channels.definition(place.integration, place.model)
      else { return }
      try await open(wanted, push, params, address: address)
    case .stop(let channel): try await stop(channel)
    }
  }

  /// The row comes first: the provider's first message may be here before its answer.
  private func open(
    _ model: WatchedModel, _ push: ProviderDefinition.Push, _ params: [String: String],
    address: String
  ) async throws {
    let now = channels.clock.now
    let token = channels.random.token(bytes: 32)
    let channel = PushChannel(
      id: PushChannelID(at: now, random: channels.random).rawValue, place: model.place,
      owner: model.owner, state: .opening, resource: nil, openedAt: now,
      expiresAt: now + push.lifetime)
    let digest = channels.vault.digest(
      of: Array(token.utf8), purpose: ChannelVerifier.digestPurpose)
    try await channels.database.guardedWrite { connection in
      try PushChannelStore.insert(channel, digest: digest, in: connection)
    }
    let request = WatchRequest.make(
      push.watch, params: params,
      values: [
        "channel_id": channel.id, "address": address, "token": token,
        "ttl": String(push.lifetime.components.seconds),
        "expiration": String(channel.expiresAt.microseconds / 1_000),
      ])
    let reply: CallReply
    do {
      reply = try await channels.call(model.integration, model.connection, request)
    } catch let error as FairleadError {
      // Where the provider may have opened it all the same, its messages are known as ours.
      if error.code != .outcomeUnknown && error.code != .upstreamTimeout {
        try await channels.database.guardedWrite { connection in
          try PushChannelStore.delete(channel.id, in: connection)
        }
      }
      throw error
    }
    // An answer that is no JSON says nothing about the channel; it is open all the same.
    let answer = try? reply.json()
    let resource = push.resource.flatMap { answer?[path: $0]?.scalarText }
    let end = WatchRequest.expiry(of: answer, push.expires, now: now)
    try await channels.database.guardedWrite { connection in
      try PushChannelStore.opened(
        channel.id, resource: resource, expiresAt: end ?? channel.expiresAt, in: connection)
    }
    try await channels.announced(model.connection, model.model, true)
    channels.logger.info(
      "Watch opened",
      metadata: [
        "integration": "\(model.integration)", "connection": "\(model.connection)",
        "model": "\(model.model)", "channel": "\(channel.id)",
      ])
  }

  /// Best effort: a watch that cannot be stopped ends by itself, and its messages change nothing.
  func stop(_ channel: PushChannel) async throws {
    try await channels.database.guardedWrite { connection in
      try PushChannelStore.close(channel.id, in: connection)
    }
    let found = channels.definition(channel.place.integration, channel.place.model)
    guard let (push, params) = found, let stop = push.stop else { return }
    let request = WatchRequest.make(
      stop, params: params,
      values: ["channel_id": channel.id, "resource": channel.resource ?? ""])
    do {
      _ = try await channels.call(channel.place.integration, channel.place.connection, request)
    } catch let error as FairleadError {
      channels.logger.info(
        "Watch could not be stopped and is left to expire",
        metadata: ["channel": "\(channel.id)", "code": "\(error.code.rawValue)"])
    }
  }

  private func retry(
    after error: FairleadError, _ place: WatchPlace, attempt: Int
  ) -> JobOutcome {
    // A connection that is gone or needs its owner is not wanted any more, or not now.
    if error.code == .needsReauth || error.code == .notFound { return .done }
    channels.logger.warning(
      "Watch could not be opened; changes are found by schedule until it can",
      metadata: [
        "integration": "\(place.integration)", "connection": "\(place.connection)",
        "model": "\(place.model)", "code": "\(error.code.rawValue)", "attempt": "\(attempt)",
      ])
    let wait = Self.backoff(error, attempt: attempt, unit: channels.random.unit())
    return .retry(at: channels.clock.now + wait, error: error.description)
  }

  /// Half a minute, doubled up to an hour; six hours where the provider refused. The last quarter is
  /// by chance.
  static func backoff(_ error: FairleadError, attempt: Int, unit: Double) -> Duration {
    let isRefusal = [ErrorCode.invalidRequest, .forbidden, .configurationError].contains(error.code)
    let doubled = min(30 * Double(UInt64(1) << UInt64(min(max(attempt - 1, 0), 20))), 3_600)
    let seconds = max(isRefusal ? 21_600 : doubled, error.retryAfter?.inSeconds ?? 0)
    return .seconds(seconds * (0.75 + unit / 4))
  }
}

public enum PushChannelKind: IdentifierKind { public static let prefix = "chan" }
typealias PushChannelID = Identifier<PushChannelKind>
