import Foundation
import HTTPTypes

/// What a token endpoint granted.
struct TokenGrant: Sendable, Equatable {
  var accessToken: Secret
  /// `nil` where the answer omits it: an earlier one stays good then.
  var refreshToken: Secret?
  var tokenType: String?
  var lifetime: Duration?
  /// What was granted; `nil` means exactly what was asked for (RFC 6749 section 5.1).
  var scopes: [String]?
  var idToken: String?

  /// - Parameter issuedAt: when the request was sent, so that the expiry errs to the early side.
  func credential(issuedAt: Timestamp, keeping old: Credential.OAuth2? = nil) -> Credential.OAuth2 {
    Credential.OAuth2(
      accessToken: accessToken, refreshToken: refreshToken ?? old?.refreshToken,
      tokenType: tokenType ?? old?.tokenType ?? "Bearer",
      expiresAt: lifetime.map { issuedAt + $0 }, issuedAt: issuedAt)
  }
}

/// What an exchange with a token endpoint means for the grant.
enum TokenOutcome: Sendable, Equatable {
  case granted(TokenGrant)
  /// The code or refresh token is dead.
  case grantRefused(code: String)
  /// Our client id, secret or redirect URI is not accepted: the operator's to fix, and no reason to
  /// bother the connection's owner.
  case clientRefused(code: String)
  /// The provider said no for a reason we do not know.
  case otherRefusal(code: String)
  /// It certainly did nothing, and may do it in a moment.
  case transient(reason: String)
  /// It may have issued tokens that we never saw.
  case ambiguous(reason: String)
}

/// Reads a token endpoint's answer by the definition. Pure.
enum TokenResponse {
  static func parse(
    status: Int, headers: HTTPFields, body: [UInt8], oauth: ProviderDefinition.OAuth2
  ) -> TokenOutcome {
    // A failing server is never believed about the grant, whatever its body says.
    if status >= 500 || status == 408 || status == 429 {
      return .transient(reason: "status \(status)")
    }
    guard let json = document(body) else {
      return (200..<300).contains(status)
        ? .ambiguous(reason: "an answer that is no JSON and no form")
        : refusal(status: status, code: nil)
    }
    let code = errorCode(json)
    let looksRight =
      oauth.successWhen?.matches(status: status, headers: headers, json: json) ?? true
    guard (200..<300).contains(status), looksRight, code == nil else {
      return refusal(status: status, code: code)
    }
    guard let grant = grant(json, oauth: oauth) else {
      return .ambiguous(reason: "an answer without an access token")
    }
    return .granted(grant)
  }

  private static func document(_ body: [UInt8]) -> JSONValue? {
    let start = body.first { ![9, 10, 13, 32].contains($0) }
    if start == 123 {
      // Whatever does not parse is reported as no document by the caller.
      return try? JSONValue(parsing: body)
    }
    let fields = FormEncoding.decode(String(decoding: body, as: UTF8.self))
    guard fields.contains(where: { $0.0 == "access_token" || $0.0 == "error" }) else { return nil }
    return .object(Dictionary(fields.map { ($0, .string($1)) }) { first, _ in first })
  }

  private static func grant(_ json: JSONValue, oauth: ProviderDefinition.OAuth2) -> TokenGrant? {
    func text(_ path: String) -> String? {
      guard let text = json[path: path]?.string, !text.isEmpty else { return nil }
      return text
    }
    // Slack nests the tokens of an installation that asked for user scopes only.
    let nested = "authed_user."
    let prefix = text(oauth.accessTokenPath) == nil ? nested : ""
    guard let access = text(prefix + oauth.accessTokenPath) else { return nil }
    return TokenGrant(
      accessToken: Secret(access),
      refreshToken: text(prefix + oauth.refreshTokenPath).map { Secret($0) },
      tokenType: text(prefix + "token_type"),
      lifetime: lifetime(json[path: prefix + oauth.expires.path], unit: oauth.expires.unit),
      scopes: scopes(json[path: prefix + oauth.scopePath], separator: oauth.scopeSeparator),
      idToken: text("id_token"))
  }

  /// Nothing, zero and nonsense all mean that no expiry is known.
  private static func lifetime(
    _ value: JSONValue?, unit: ProviderDefinition.Expiry.Unit
  ) -> Duration? {
    let number = value?.double ?? value?.string.flatMap(Double.init)
    guard let number, number.isFinite, number > 0 else { return nil }
    let seconds = unit == .seconds ? number : number / 1_000
    let century = 3_200_000_000.0
    return .milliseconds(Int64(min(seconds, century) * 1_000))
  }

  /// Some providers ask with spaces and answer with commas (GitHub), or answer with a list.
  private static func scopes(_ value: JSONValue?, separator: String) -> [String]? {
    switch value {
    case .array(let elements): elements.compactMap(\.string)
    case .string(let text):
      text.replacing(separator, with: " ")
        .split { $0 == " " || $0 == "," }.map(String.init)
    default: nil
    }
  }

  private static func errorCode(_ json: JSONValue) -> String? {
    let value = json[path: "error"]
    let text = value?.string ?? value?["code"]?.scalarText ?? value?["type"]?.string
    guard let text else { return value?.object == nil ? nil : "unknown" }
    let isPlain =
      text.utf8.count <= 64
      && text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || [45, 46, 95].contains($0)
      }
    return isPlain ? text : "unknown"
  }

  private static func refusal(status: Int, code: String?) -> TokenOutcome {
    guard let code else {
      return status == 401
        ? .clientRefused(code: "status 401") : .otherRefusal(code: "status \(status)")
    }
    if deadGrantCodes.contains(code.lowercased()) { return .grantRefused(code: code) }
    if clientCodes.contains(code) { return .clientRefused(code: code) }
    if transientCodes.contains(code) { return .transient(reason: code) }
    return .otherRefusal(code: code)
  }

  // RFC 6749 section 5.2, with the words of Slack, Google, GitHub and HubSpot.
  private static let deadGrantCodes: Set<String> = [
    "invalid_grant", "invalid_refresh_token", "bad_refresh_token", "token_revoked",
    "token_expired", "account_inactive", "admin_policy_enforced", "invalid_code",
    "code_already_used", "bad_verification_code", "invalid_code_verifier", "expired_token",
    "invalid_auth",
  ]
  private static let clientCodes: Set<String> = [
    "invalid_client", "unauthorized_client", "invalid_client_id", "bad_client_secret",
    "incorrect_client_credentials", "bad_redirect_uri", "redirect_uri_mismatch",
    "invalid_scope", "unsupported_grant_type", "invalid_grant_type", "pkce_not_allowed",
    "oauth_authorization_url_mismatch",
  ]
  private static let transientCodes: Set<String> = [
    "temporarily_unavailable", "server_error", "internal_error", "internal_failure",
    "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited",
  ]
}
