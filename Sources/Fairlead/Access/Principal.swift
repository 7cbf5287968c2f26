/// Who calls, as their key says.
public struct Principal: Sendable, Hashable {
  /// The key's name.
  public let name: String
  /// `nil` for the admin key.
  public let key: APIKeyID?
  public let scopes: Set<Scope>
  public let isAdmin: Bool

  public init(name: String, key: APIKeyID?, scopes: Set<Scope>, isAdmin: Bool) {
    self.name = name
    self.key = key
    self.scopes = scopes
    self.isAdmin = isAdmin
  }

  /// The admin key opens everything.
  public func allows(_ scope: Scope) -> Bool { isAdmin || scopes.contains(scope) }
}
