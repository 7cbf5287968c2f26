/// Talks to a provider's OAuth endpoints and says what the answer means for the grant.
struct TokenEndpoint: Sendable {
  let exchange: BoundedExchange

  /// - Throws: `CancellationError`. Every other failure is an outcome.
  func send(
    _ request: TransportRequest, oauth: ProviderDefinition.OAuth2
  ) async throws -> TokenOutcome {
    do {
      let reply = try await exchange.send(request)
      return TokenResponse.parse(
        status: reply.status, headers: reply.headers, body: reply.body, oauth: oauth)
    } catch let error as TransportError {
      let reason = "network: \(error.kind.rawValue)"
      return error.nothingSent ? .transient(reason: reason) : .ambiguous(reason: reason)
    } catch let error as CancellationError {
      throw error
    } catch {
      return .ambiguous(reason: "network: \(type(of: error))")
    }
  }

  /// Whether the provider confirms that the grant has ended. Never throws: a disconnection goes on
  /// without it.
  func revoke(
    _ credential: Credential, of integration: Integration, params: [String: String]
  ) async -> Bool {
    guard case .oauth2(let tokens) = credential,
      // Without client settings there is nobody to revoke as.
      let messages = try? OAuthRequest(integration, params: params),
      let request = messages.revocation(of: tokens),
      // A failing network means that nothing was confirmed.
      let reply = try? await exchange.send(request)
    else { return false }
    guard (200..<300).contains(reply.status) else { return false }
    guard let condition = messages.oauth.revoke.successWhen else { return true }
    return condition.matches(
      // A body that is no JSON simply matches no condition on it.
      status: reply.status, headers: reply.headers, json: try? JSONValue(parsing: reply.body))
  }
}
