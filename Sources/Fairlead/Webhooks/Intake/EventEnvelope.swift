import HTTPTypes

/// What a definition says about where an event's id, type and connection stand, applied to one
/// verified delivery. Nothing else of the body is looked at.
struct EventEnvelope: Sendable, Equatable {
  /// Longer values are no ids; they are treated as absent.
  static let maximumLength = 255
  static let unknownType = "unknown"

  /// The provider's id of the event.
  var id: String?
  /// Whether the signature covers the id, so that nobody can choose it.
  var idIsSigned: Bool
  var type: String
  var connectionValue: String?

  init(
    settings: ProviderDefinition.WebhookSettings, headers: HTTPFields, body: BodyPlaces?,
    verified: SignatureVerdict.Verified
  ) {
    func value(at location: ProviderDefinition.WebhookSettings.Location?) -> String? {
      let text: String?
      switch location {
      case .header(let name): text = HTTPField.Name(name).flatMap { headers[$0] }
      case .body(let path): text = body?[path]?.scalarText
      case nil: text = nil
      }
      guard let text, !text.isEmpty, text.utf8.count <= Self.maximumLength,
        !text.utf8.contains(0)
      else { return nil }
      return text
    }
    if let signedID = verified.signedID, !settings.readsIDFromBody {
      id = signedID
      idIsSigned = true
    } else {
      id = value(at: settings.eventID)
      idIsSigned = id != nil && settings.readsIDFromBody
    }
    let name = value(at: settings.eventType)
    let action = name == nil ? nil : value(at: settings.eventAction)
    let full = [name, action].compactMap(\.self).joined(separator: ".")
    type = full.isEmpty || full.utf8.count > Self.maximumLength ? Self.unknownType : full
    connectionValue = value(at: settings.connection)
  }

  /// Why the event cannot be given to anyone; `nil` when it can.
  func defect(_ settings: ProviderDefinition.WebhookSettings) -> String? {
    guard case .body(let path) = settings.eventType, type == Self.unknownType else { return nil }
    return "The body has no event type at \(path), so it could not be processed."
  }

  /// What makes two deliveries the same event: the id where it is signed, else the body itself.
  func dedupeKey(bodyHash: String) -> String {
    if idIsSigned, let id { "id:\(id)" } else { "body:\(bodyHash)" }
  }
}

extension ProviderDefinition.WebhookSettings {
  fileprivate var readsIDFromBody: Bool {
    if case .body = eventID { true } else { false }
  }
}
