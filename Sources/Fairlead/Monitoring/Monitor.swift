/// Feeds what the pipeline and the inbox report into the call log. Never blocks.
final class Monitor: CallObserver, WebhookObserver {
  private let callLog: CallLog
  private let live: LiveUpdates

  init(callLog: CallLog, live: LiveUpdates) {
    self.callLog = callLog
    self.live = live
  }

  func breakerChanged(_ change: BreakerChange) { live.publish(.health(change.integration)) }

  func callEnded(_ record: CallRecord) {
    let rateLimitHits = record.attemptOutcomes.count { $0.errorClass == .rateLimited }
    let outcome =
      record.bodyEnd == .broken
      ? HealthOutcome.failure
      : HealthOutcome.of(
        errorClass: record.errorClass, errorCode: record.errorCode, cancelled: record.cancelled)
    callLog.record(
      CallLogEntry(
        requestID: record.requestID, integration: record.integration,
        connection: record.connection, owner: record.owner, source: record.source.rawValue,
        method: record.method, path: record.path, status: record.status,
        errorCode: record.errorCode, errorClass: record.errorClass, attempts: record.attempts,
        serverErrors: record.transient5xxCount, rateLimitHits: rateLimitHits,
        waited: record.waited, waitReason: record.waitReason, startedAt: record.startedAt,
        duration: record.duration, outcome: outcome, fallback: record.fallback))
  }

  func observe(_ occurrence: WebhookOccurrence, integration: IntegrationName) {
    switch occurrence {
    case .received, .quarantined: callLog.webhookReceived(integration)
    case .duplicate:
      callLog.webhookReceived(integration)
      callLog.webhookDuplicate(integration)
    case .rejected(let reason):
      callLog.webhookRejected(integration, forged: reason == .forged)
    case .processed: callLog.webhookProcessed(integration)
    case .attemptFailed: callLog.webhookFailed(integration)
    case .dead: callLog.webhookDead(integration)
    }
  }
}
