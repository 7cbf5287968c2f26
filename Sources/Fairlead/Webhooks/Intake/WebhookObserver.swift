/// Something that happened to a webhook, for counters and live views.
public enum WebhookOccurrence: Sendable, Hashable {
  /// Stored for the first time.
  case received
  /// Received again; nothing new was stored.
  case duplicate
  /// Refused before it was read.
  case rejected(SignatureRejection)
  /// Stored apart: another body under an id already used.
  case quarantined
  /// Every handler has it.
  case processed
  /// An attempt of a handler failed; it will be tried again.
  case attemptFailed
  /// Given up: a handler failed for the last time, or the body could not be read.
  case dead
}

/// Told what happens to webhooks, after it is durable. Called synchronously on the path of a
/// request: it must return at once.
public protocol WebhookObserver: Sendable {
  func observe(_ occurrence: WebhookOccurrence, integration: IntegrationName)
}
