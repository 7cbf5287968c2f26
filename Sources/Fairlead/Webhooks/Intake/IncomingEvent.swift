/// A verified delivery, ready to be stored.
struct IncomingEvent: Sendable {
  var id: EventID
  var integration: IntegrationName
  var dedupeKey: String
  /// SHA-256 of the body.
  var bodyHash: String
  var providerEventID: String?
  var type: String
  var connectionValue: String?
  var receivedAt: Timestamp
  /// Why it cannot be processed; stored as `dead` then.
  var defect: String?
  /// JSON, see `HeaderRecord`.
  var headers: String
  var body: [UInt8]
}

/// What became of it.
enum IntakeOutcome: Sendable, Equatable {
  case stored(EventID)
  /// Nothing new; the original's id.
  case duplicate(EventID)
  /// Another body under a known id: stored apart under this id, `isNew` for the first of its kind.
  case quarantined(EventID, isNew: Bool)
}
