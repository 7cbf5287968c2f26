import Crypto
import Foundation
public import Logging
public import ServiceLifecycle

/// The durable store of received webhook events, and the way in.
///
/// It is a `Service`: deliveries are stored while `run()` runs. Thread-safe.
public final class Inbox: Service {
  let database: any Database
  let integrations: IntegrationRegistry
  let queue: JobQueue
  let clock: any FairleadClock
  let handlers = HandlerRegistry()
  let random: RandomSource
  let observer: (any WebhookObserver)?
  let logger: Logger
  private let batcher: MicroBatcher<IncomingEvent, IntakeOutcome>
  private let budget: IntakeBudget
  private let channelCheck: ChannelCheck?

  /// - Parameter waitingBytes: how many bytes of bodies may wait for their commit together; beyond
  ///   it senders are asked to come back.
  public convenience init(
    database: any Database, integrations: IntegrationRegistry, queue: JobQueue,
    clock: any FairleadClock, random: RandomSource = .system,
    observer: (any WebhookObserver)? = nil, logger: Logger,
    waitingBytes: Int = 256 * 1_024 * 1_024
  ) {
    self.init(
      database: database, integrations: integrations, queue: queue, clock: clock, random: random,
      observer: observer, channelCheck: nil, logger: logger, waitingBytes: waitingBytes)
  }

  /// - Parameter channelCheck: verifies what comes by a channel; such integrations are refused
  ///   without one.
  init(
    database: any Database, integrations: IntegrationRegistry, queue: JobQueue,
    clock: any FairleadClock, random: RandomSource = .system,
    observer: (any WebhookObserver)? = nil, channelCheck: ChannelCheck?, logger: Logger,
    waitingBytes: Int = 256 * 1_024 * 1_024
  ) {
    self.channelCheck = channelCheck
    self.database = database
    self.integrations = integrations
    self.queue = queue
    self.clock = clock
    self.random = random
    self.observer = observer
    self.logger = logger
    budget = IntakeBudget(limit: waitingBytes)
    let store = IntakeStore(queue: queue)
    batcher = MicroBatcher(database: database) { connection, incoming in
      try store.store(incoming, in: connection)
    }
  }

  /// Stores what `receive` accepts; ends on graceful shutdown with everything accepted stored.
  public func run() async throws { try await batcher.run() }

  // MARK: - Receiving

  /// Verifies one delivery and stores it. Returns after the commit: whoever is told `accepted` may
  /// forget the event.
  /// - Throws: `FairleadError`: `notFound` for an integration that does not exist or has no webhook,
  ///   `configurationError` when no secret is configured, `serviceUnavailable` when the event could
  ///   not be stored and the sender has to come back. `CancellationError`.
  public func receive(_ webhook: InboundWebhook) async throws -> Receipt {
    let integration = try integrations.require(webhook.integration)
    guard let settings = integration.definition.webhook else {
      throw FairleadError(
        .notFound, "\(integration.definition.displayName) sends no webhooks to this deployment.",
        integration: integration.name)
    }
    let verdict =
      settings.scheme == .channel
      ? try await verifyChannel(webhook, integration, settings)
      : try verify(webhook, integration, settings)
    switch verdict {
    case .rejected(let reason):
      observer?.observe(.rejected(reason), integration: integration.name)
      logger.info(
        "Webhook refused",
        metadata: ["integration": "\(integration.name)", "reason": "\(reason.rawValue)"])
      return .rejected(status: settings.rejectStatus, message: reason.message)
    case .verified(let verified):
      return try await accept(webhook, integration, settings, verified)
    }
  }

  private func verify(
    _ webhook: InboundWebhook, _ integration: Integration,
    _ settings: ProviderDefinition.WebhookSettings
  ) throws(FairleadError) -> SignatureVerdict {
    do {
      return try SignatureCheck(
        headers: webhook.headers, body: webhook.body, secrets: integration.webhookSecrets,
        now: clock.now, settings: settings
      ).verdict()
    } catch {
      var error = error
      error.integration = integration.name
      logger.error(
        "Webhook cannot be verified: no usable signing secret",
        metadata: ["integration": "\(integration.name)"])
      throw error
    }
  }

  /// The one scheme that is verified against storage.
  private func verifyChannel(
    _ webhook: InboundWebhook, _ integration: Integration,
    _ settings: ProviderDefinition.WebhookSettings
  ) async throws -> SignatureVerdict {
    let check = SignatureCheck(
      headers: webhook.headers, body: webhook.body, secrets: [], now: clock.now,
      settings: settings)
    guard let channelCheck else {
      throw FairleadError(
        .configurationError,
        "Notifications of this kind cannot be verified here: no watches are kept.",
        integration: integration.name)
    }
    let message: ChannelMessage
    do throws(SignatureRejection) {
      message = try check.channelMessage()
    } catch {
      return .rejected(error)
    }
    guard try await channelCheck(message, integration.name) else { return .rejected(.forged) }
    return .verified(SignatureVerdict.Verified(signedAt: nil, signedID: message.eventID))
  }

  private func accept(
    _ webhook: InboundWebhook, _ integration: Integration,
    _ settings: ProviderDefinition.WebhookSettings, _ verified: SignatureVerdict.Verified
  ) async throws -> Receipt {
    // A body that cannot be read is stored as such.
    let body = try? BodyPlaces(settings.bodyPaths, of: webhook.body)
    if let body, let text = settings.challenge?.answer(headers: webhook.headers, body: body) {
      return .challenge(text: text)
    }
    let envelope = EventEnvelope(
      settings: settings, headers: webhook.headers, body: body, verified: verified)
    let now = clock.now
    let hash = Array(SHA256.hash(data: webhook.body)).hex
    let incoming = IncomingEvent(
      id: EventID(at: now, random: random), integration: integration.name,
      dedupeKey: envelope.dedupeKey(bodyHash: hash), bodyHash: hash, providerEventID: envelope.id,
      type: envelope.type, connectionValue: envelope.connectionValue, receivedAt: now,
      defect: body == nil && settings.scheme != .channel
        ? "The body is no JSON, so it could not be processed."
        : envelope.defect(settings),
      headers: HeaderRecord.json(
        HeaderRecord.make(webhook.headers, signatureHeader: settings.header)),
      body: webhook.body)
    let outcome = try await store(incoming)
    return report(outcome, of: incoming)
  }

  private func store(_ incoming: IncomingEvent) async throws -> IntakeOutcome {
    do {
      return try await budget.reserving(incoming.body.count) { try await batcher.submit(incoming) }
    } catch let error as StorageError {
      logger.error(
        "Webhook could not be stored",
        metadata: ["integration": "\(incoming.integration)", "error": "\(error)"])
      throw FairleadError(
        .serviceUnavailable, "The event could not be stored. Send it again in a moment.",
        integration: incoming.integration, detail: "\(error)")
    }
  }

  private func report(_ outcome: IntakeOutcome, of incoming: IncomingEvent) -> Receipt {
    let integration = incoming.integration
    switch outcome {
    case .stored(let id):
      observer?.observe(.received, integration: integration)
      if let defect = incoming.defect {
        observer?.observe(.dead, integration: integration)
        logger.warning(
          "Webhook stored but unreadable",
          metadata: ["integration": "\(integration)", "event": "\(id)", "reason": "\(defect)"])
      }
      return .accepted(id, duplicate: false)
    case .duplicate(let id):
      observer?.observe(.duplicate, integration: integration)
      return .accepted(id, duplicate: true)
    case .quarantined(let id, let isNew):
      observer?.observe(isNew ? .quarantined : .duplicate, integration: integration)
      if isNew {
        logger.error(
          "Webhook quarantined: another body under a known event id",
          metadata: ["integration": "\(integration)", "event": "\(id)"])
      }
      return .accepted(id, duplicate: !isNew)
    }
  }

  // MARK: - Handling

  /// Registers code for events. Register everything before `run()`: an event that finds no handler is
  /// processed.
  /// - Parameters:
  ///   - type: an exact type, a family such as `invoice.*`, or `*`.
  ///   - name: what deliveries are filed under; keep it the same across releases, as open deliveries
  ///     look for it. Made of integration and type when absent.
  public func on(
    _ type: String, from integration: IntegrationName, name: String? = nil,
    _ handler: @escaping EventHandler
  ) {
    handlers.add(EventTypePattern(type), from: integration, name: name, handler: handler)
  }
}

extension SignatureRejection {
  /// For the sender. It says what is wrong with the request and nothing about the secrets.
  var message: String {
    switch self {
    case .missingHeader: "A signature header is missing."
    case .malformedHeader: "A signature header cannot be read."
    case .stale: "The signature is too old. Check the sender's clock."
    case .future: "The signature's time lies in the future. Check the clocks."
    case .forged: "The signature does not match the body."
    }
  }
}
