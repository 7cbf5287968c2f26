import Foundation
import Logging

/// The job `alert_announcement`: tells the configured webhook that an alert fired, then that it was
/// resolved, in this order, each until it was taken.
///
/// There is at most one such job for an alert. What was taken is noted with the alert; a message
/// whose note was lost is sent again under the same `webhook-id`.
struct AlertAnnouncer: Sendable {
  static let kind = "alert_announcement"

  let webhook: AlertWebhook?
  let database: any Database
  let queue: JobQueue
  let sender: DestinationSender
  let schedule: DeliverySchedule
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger

  /// Nothing without a webhook, and nothing while the alert's job is there already: it looks again
  /// before it ends.
  func enqueue(_ alert: Alert, at now: Timestamp, in connection: any SQLConnection) throws {
    guard webhook != nil else { return }
    var payload: [String: JSONValue] = ["alert": .string(alert.id.rawValue)]
    if alert.state == .firing {
      // Figures move on while it fires; every attempt is to say the same.
      payload["message"] = .string(alert.message)
      payload["value"] = .double(alert.value)
    }
    try queue.enqueue(
      [
        NewJob(
          kind: Self.kind, payload: JSONValue.object(payload).text, runAt: now,
          key: alert.id.rawValue)
      ], in: connection)
  }

  func handle(_ job: ClaimedJob) async throws -> JobOutcome {
    // Unreadable and missing are the same here: the job cannot be done.
    let payload = try? JSONValue(parsing: job.payload.utf8)
    guard let text = payload?["alert"]?.string else {
      return .dead(error: "the job names no alert")
    }
    let id = AlertID(rawValue: text)
    guard let webhook,
      let (alert, announced) = try await database.read({
        try AlertStore.announcement(of: id, in: $0)
      })
    else { return .done }
    guard let message = AlertMessage(next: alert, after: announced, firedWith: payload) else {
      return try await settle(job, id, announced: announced)
    }
    let result = try await sender.send(try message.webhook(to: webhook, attempt: job.attempt))
    switch result.outcome {
    case .succeeded:
      return try await settle(job, id, announced: message.announces)
    case .refused(let reason):
      return giveUp(message, reason)
    case .failed(let reason, let retryAfter):
      guard
        let wait = schedule.wait(after: job.attempt, floor: retryAfter, random: random.unit())
      else { return giveUp(message, reason) }
      logger.warning(
        "An alert could not be announced; will try again",
        metadata: ["alert": "\(id)", "type": "\(message.type)", "error": "\(reason)"])
      return .retry(at: clock.now + wait, error: reason)
    }
  }

  /// Notes what was taken and ends the job, with a new one after it when there is more to tell by
  /// now. The alert's row makes this and a resolution take turns, so that none is left untold.
  private func settle(
    _ job: ClaimedJob, _ id: AlertID, announced: AlertStore.Announced
  ) async throws -> JobOutcome {
    let now = clock.now
    try await database.write { connection in
      let current = try AlertStore.note(announced, of: id, in: connection)
      // A lost claim means that another worker has the job; the note stands all the same.
      guard try queue.settle(job, .done, in: connection), let current,
        current.announced == .firing, current.alert.state == .resolved
      else { return }
      try enqueue(current.alert, at: now, in: connection)
    }
    return .settled
  }

  private func giveUp(_ message: AlertMessage, _ reason: String) -> JobOutcome {
    logger.error(
      "An alert could not be announced and was given up",
      metadata: [
        "alert": "\(message.data.id)", "type": "\(message.type)", "error": "\(reason)",
      ])
    return .dead(error: reason)
  }
}

/// What the webhook is told: `{type, timestamp, data}`, the shape Standard Webhooks recommends.
struct AlertMessage: Sendable, Encodable {
  var type: String
  var timestamp: Timestamp
  var data: Alert
  var announces: AlertStore.Announced

  private enum CodingKeys: String, CodingKey { case type, timestamp, data }

  /// The next thing to tell of an alert; `nil` when all was told.
  /// - Parameter firedWith: the message and value it fired with, where they are known.
  init?(next alert: Alert, after announced: AlertStore.Announced, firedWith: JSONValue?) {
    data = alert
    switch (announced, alert.state) {
    case (.nothing, _):
      type = "alert.fired"
      timestamp = alert.firedAt
      announces = .firing
      // It may be resolved by now; that is the next message's to tell.
      data.state = .firing
      data.resolvedAt = nil
      data.message = firedWith?["message"]?.string ?? alert.message
      data.value = firedWith?["value"]?.double ?? alert.value
    case (.firing, .resolved):
      type = "alert.resolved"
      timestamp = alert.resolvedAt ?? alert.firedAt
      announces = .resolution
    case (.firing, .firing), (.resolution, _): return nil
    }
  }

  /// The same for every attempt, so that a receiver recognises a repetition.
  private var id: String { "\(data.id.rawValue)_\(announces == .firing ? "fired" : "resolved")" }

  func webhook(to target: AlertWebhook, attempt: Int) throws -> OutgoingWebhook {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return OutgoingWebhook(
      id: id, url: target.url, keys: [StandardWebhooks.key(of: target.secret)].compactMap(\.self),
      body: Array(try encoder.encode(self)),
      headers: [
        ("fairlead-integration", data.integration.rawValue), ("fairlead-event-type", type),
        ("fairlead-attempt", String(attempt)),
      ])
  }
}

extension DeliverySchedule {
  /// 8 attempts over three quarters of a day: later, an alert is history.
  static let alerts = DeliverySchedule(
    waits: [
      .zero, .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1_800),
      .seconds(7_200), .seconds(18_000),
    ], jitter: 0.1)
}
