/// Asks providers whether they accept the credentials a deployment is configured with, without
/// opening its storage.
public struct CredentialCheck: Sendable {
  private let verifier: CredentialVerifier

  public init(transport: any Transport, clock: any FairleadClock = SystemClock()) {
    verifier = CredentialVerifier(exchange: BoundedExchange(transport: transport, clock: clock))
  }

  /// What a check found out.
  public enum Outcome: Sendable, Equatable {
    /// Accepted; `id` and `label` of the account as far as the provider says.
    case accepted(identity: [String: String])
    /// The integration has no credential of the deployment's own, or the definition knows no call
    /// that proves one.
    case unknown
  }

  /// - Throws: `FairleadError`: `invalidRequest` when the provider refuses the credential,
  ///   `serviceUnavailable` when it cannot be asked. `CancellationError`.
  public func verify(_ integration: Integration) async throws -> Outcome {
    guard let credential = integration.standingCredential, credential != .none,
      integration.definition.verify != nil, integration.definition.params.isEmpty
    else { return .unknown }
    return .accepted(
      identity: try await verifier.identity(of: credential, at: integration, params: [:]))
  }
}
