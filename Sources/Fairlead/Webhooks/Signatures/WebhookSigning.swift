public import HTTPTypes

/// Signs a body the way its provider does, from the same definition that incoming events are
/// verified by: for test events and for tests of what receives them.
public struct WebhookSigning: Sendable {
  private let settings: ProviderDefinition.WebhookSettings

  public init(_ settings: ProviderDefinition.WebhookSettings) {
    self.settings = settings
  }

  /// Whether the scheme signs bodies at all; what is announced by other means has no signature.
  public var signsBodies: Bool { [.hmac, .stripe, .standard].contains(settings.scheme) }

  /// The headers of a genuine delivery of exactly these bytes.
  /// - Parameters:
  ///   - id: the event's id, for schemes and providers that send it in a header.
  ///   - type: likewise.
  /// - Throws: `FairleadError` (`configurationError`) when the secret is not of the scheme's form, or
  ///   the scheme signs nothing.
  public func headers(
    body: [UInt8], secret: Secret, id: String, type: String, at time: Timestamp
  ) throws -> HTTPFields {
    var fields = HTTPFields()
    for (location, value) in [(settings.eventID, id), (settings.eventType, type)] {
      if case .header(let name) = location { fields.set(name, value) }
    }
    guard signsBodies else {
      throw FairleadError(
        .configurationError,
        "Events of the scheme \(settings.scheme.rawValue) carry no signature over their body, so "
          + "none can be made.")
    }
    let seconds = String(time.seconds)
    if settings.scheme == .stripe {
      let code = Self.code(
        SignedContent.stripe(timestamp: seconds, body: body), secret.exposeBytes())
      fields.set(settings.header, "t=\(seconds),v1=\(code.hex)")
    } else if settings.scheme == .standard {
      guard let key = StandardWebhooks.key(of: secret) else { throw Self.unusableSecret }
      let family = Self.family(settings)
      fields.set("\(family)-id", id)
      fields.set("\(family)-timestamp", seconds)
      fields.set(
        "\(family)-signature",
        StandardWebhooks.signature(keys: [key], id: id, timestamp: seconds, body: body))
    } else {
      try template(&fields, body, secret, seconds)
    }
    return fields
  }

  private func template(
    _ fields: inout HTTPFields, _ body: [UInt8], _ secret: Secret, _ seconds: String
  ) throws {
    let timestamp = settings.timestampHeader.map { _ in seconds }
    guard
      let parts = SignedContent.template(settings.signed, timestamp: timestamp, body: body)
    else {
      throw FairleadError(
        .configurationError,
        "The definition signs a timestamp, but names no header for it. Add timestamp_header.")
    }
    let code = Self.code(parts, secret.exposeBytes(), settings.algorithm)
    let text = settings.encoding == .hex ? code.hex : code.base64
    fields.set(settings.header, settings.prefix + text)
    if let name = settings.timestampHeader { fields.set(name, seconds) }
  }

  /// `svix` where the definition's own header says so; both families mean the same.
  private static func family(_ settings: ProviderDefinition.WebhookSettings) -> String {
    settings.header.lowercased().hasPrefix("svix-") ? "svix" : "webhook"
  }

  private static func code(
    _ parts: [[UInt8]], _ key: [UInt8],
    _ algorithm: ProviderDefinition.WebhookSettings.Algorithm = .sha256
  ) -> [UInt8] {
    MessageCode.make(algorithm, key: key, parts: parts)
  }

  private static let unusableSecret = FairleadError(
    .configurationError,
    "The webhook signing secret is not of the form whsec_ and base64. Copy it again from the "
      + "provider's dashboard.")
}

extension HTTPFields {
  /// Leaves out what is no header name: definitions are checked when they are loaded.
  fileprivate mutating func set(_ name: String, _ value: String) {
    if let name = HTTPField.Name(name) { self[name] = value }
  }
}

extension WebhookSigning {
  /// Why a secret cannot be what the provider shows for this scheme; `nil` when nothing speaks
  /// against it. Its value is not in the answer.
  public func problem(with secret: Secret) -> String? {
    switch settings.scheme {
    case .stripe where !secret.expose().hasPrefix(StandardWebhooks.secretPrefix):
      "does not begin with whsec_"
    case .standard where StandardWebhooks.key(of: secret) == nil: "is not whsec_ and base64"
    default: secret.isEmpty ? "is empty" : nil
    }
  }
}
