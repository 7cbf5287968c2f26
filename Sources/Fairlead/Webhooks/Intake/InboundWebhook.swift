public import HTTPTypes

/// One request to the ingress, unverified.
public struct InboundWebhook: Sendable {
  public var integration: IntegrationName
  public var headers: HTTPFields
  /// The raw bytes, exactly as they arrived.
  public var body: [UInt8]

  public init(integration: IntegrationName, headers: HTTPFields, body: [UInt8]) {
    self.integration = integration
    self.headers = headers
    self.body = body
  }
}

/// What the sender is answered.
public enum Receipt: Sendable, Equatable {
  /// 200: the event is stored durably under this id. A duplicate names the original.
  case accepted(EventID, duplicate: Bool)
  /// 200 with this text: the provider asked whether the endpoint is ours.
  case challenge(text: String)
  /// The status the definition wants for an invalid signature.
  case rejected(status: Int, message: String)
}
