/// A key of this deployment's API, without its secret.
public struct APIKey: Sendable, Hashable {
  public let id: APIKeyID
  public let name: String
  public let scopes: [Scope]
  /// The secret's last four characters, to tell keys apart.
  public let hint: String
  public let createdAt: Timestamp
  public let revokedAt: Timestamp?
}
