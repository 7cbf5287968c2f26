/// Where the pipeline gets credentials from: `Connections` in a deployment, a stub in tests of the
/// pipeline.
public protocol CredentialSource: Sendable {
  /// The connection with a credential that is valid now; refreshed first when it is about to expire.
  /// - Throws: `FairleadError`: `notFound`, `needsReauth`, `serviceUnavailable` when the token
  ///   endpoint cannot be reached and the old token has expired.
  func usableCredential(for connection: ConnectionID) async throws -> ConnectionCredential

  /// Called after the provider refused the credential of `version`. Refreshes single-flight; when
  /// the stored version is newer already, returns that one without a refresh.
  /// - Throws: as above; `needsReauth` when there is nothing to refresh with.
  func refreshedCredential(
    for connection: ConnectionID, after version: Int64
  ) async throws -> ConnectionCredential

  /// The provider says the grant of `version` is dead: the connection becomes `needs_reauth`, unless
  /// it holds a newer credential meanwhile.
  func grantDied(of connection: ConnectionID, version: Int64, reason: String) async throws
}

public struct ConnectionCredential: Sendable {
  public var connection: Connection
  public var credential: Credential

  public init(connection: Connection, credential: Credential) {
    self.connection = connection
    self.credential = credential
  }
}
