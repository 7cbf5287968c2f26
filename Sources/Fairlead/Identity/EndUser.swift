/// A person that a verified session token stands for.
public struct EndUser: Sendable, Hashable {
  /// The token's subject, which is the owner of the person's connections.
  public let owner: Owner
  /// Who says so.
  public let issuer: String
  /// When the token ends.
  public let expiresAt: Timestamp
  /// Every claim of the token, those of the issuer's templates too.
  public let claims: [String: JSONValue]

  public init(
    owner: Owner, issuer: String, expiresAt: Timestamp, claims: [String: JSONValue] = [:]
  ) {
    self.owner = owner
    self.issuer = issuer
    self.expiresAt = expiresAt
    self.claims = claims
  }

  /// A claim that is text.
  public func text(_ claim: String) -> String? { claims[claim]?.string }

  /// The session the token belongs to (`sid`).
  public var session: String? { text("sid") }
  public var email: String? { text("email") }
  public var firstName: String? { text("first_name") }
  public var lastName: String? { text("last_name") }

  /// What to call the person: the claim `name`, else the two names together.
  public var name: String? {
    if let name = text("name"), !name.isEmpty { return name }
    let names = [firstName, lastName].compactMap(\.self).filter { !$0.isEmpty }
    return names.isEmpty ? nil : names.joined(separator: " ")
  }

  /// Who acts in this person's place, where somebody does (RFC 8693 `act`).
  public var actor: String? { claims["act"]?["sub"]?.string }
}
