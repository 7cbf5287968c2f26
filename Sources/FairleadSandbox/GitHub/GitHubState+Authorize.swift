import Fairlead
import HTTPTypes

extension GitHubState {
  /// `/login/oauth/authorize`: shows the consent page, or follows a decision.
  mutating func authorize(_ request: SimulatedRequest) -> SimulatedResponse {
    guard ["GET", "POST"].contains(request.method) else {
      return .text("Method not allowed", status: 405)
    }
    guard let query = request.queryPairs, let form = FormPair.parse(request.body) else {
      return GitHubConsentPage.error("invalid_request")
    }
    let fields = request.method == "POST" ? query + form : query
    guard fields["client_id"] == Sandbox.credentials.githubClientID else {
      return GitHubConsentPage.error("unknown client_id", status: 404)
    }
    guard let redirect = fields["redirect_uri"], EventOrder.isWebURL(redirect),
      !redirect.contains("#")
    else { return GitHubConsentPage.error("redirect_uri_mismatch") }
    if fields["code_challenge"] != nil || fields["code_challenge_method"] != nil {
      guard fields["code_challenge_method"] == "S256", fields["code_challenge"]?.utf8.count == 43
      else {
        return redirected(
          to: redirect, fields["state"],
          [
            ("error", "invalid_request"),
            ("error_description", "The code_challenge_method must be S256."),
          ])
      }
    }
    let code = GitHubCode(
      redirectURI: redirect, challenge: fields["code_challenge"],
      scopes: Self.scopes(fields["scope"]), login: login(asked: fields["login"]),
      expires: request.now + Self.codeLifetime)
    let decision: ConsentDecision? =
      request.method == "POST"
      ? fields["decision"].flatMap(ConsentDecision.init(rawValue:)) : consent
    switch decision {
    case .approve:
      let text = random.hexadecimal(20)
      codes[text] = code
      return redirected(to: redirect, fields["state"], [("code", text)])
    case .deny:
      return redirected(
        to: redirect, fields["state"],
        [
          ("error", "access_denied"),
          ("error_description", "The user has denied your application access."),
        ])
    case .ask, nil: return GitHubConsentPage.ask(code)
    }
  }

  private func redirected(
    to uri: String, _ state: String?, _ answer: [(String, String)]
  ) -> SimulatedResponse {
    var pairs = answer.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }
    if let state { pairs.append("state=\(PercentEncoding.encode(state))") }
    var response = SimulatedResponse.text("Redirecting", status: 302)
    response.headers[.location] =
      uri + (uri.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
    return response
  }

  /// Asked for with spaces; commas are accepted as well.
  private static func scopes(_ text: String?) -> [String] {
    var seen: Set<String> = []
    return (text ?? "").split { $0 == "," || $0 == " " }.prefix(200).map(String.init).filter {
      $0.utf8.count <= 100 && seen.insert($0).inserted
    }
  }
}
