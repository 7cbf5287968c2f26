import Fairlead
import Foundation
import HTTPTypes

extension SlackState {
  /// `/oauth/v2/authorize`: shows the consent page, or follows a decision.
  mutating func authorize(_ request: SimulatedRequest) -> SimulatedResponse {
    guard ["GET", "POST"].contains(request.method) else {
      return .text("Method not allowed", status: 405)
    }
    guard let query = request.queryPairs, let form = FormPair.parse(request.body) else {
      return SlackConsentPage.error("invalid_form_data")
    }
    let fields = request.method == "POST" ? query + form : query
    guard fields["client_id"] == Sandbox.credentials.slackClientID else {
      return SlackConsentPage.error("invalid_client_id")
    }
    guard let redirect = fields["redirect_uri"], EventOrder.isWebURL(redirect),
      !redirect.contains("#")
    else { return SlackConsentPage.error("bad_redirect_uri") }
    let code = SlackCode(
      redirectURI: redirect, challenge: fields["code_challenge"],
      botScopes: Self.scopes(fields["scope"]), userScopes: Self.scopes(fields["user_scope"]),
      teamID: "", expires: request.now + Self.codeLifetime)
    guard !code.botScopes.isEmpty || !code.userScopes.isEmpty else {
      return SlackConsentPage.error("invalid_scope")
    }
    if fields["code_challenge"] != nil || fields["code_challenge_method"] != nil {
      guard fields["code_challenge_method"] == "S256", fields["code_challenge"]?.utf8.count == 43
      else { return redirected(to: redirect, fields["state"], ["error": "invalid_request"]) }
    }
    let decision: ConsentDecision? =
      request.method == "POST"
      ? fields["decision"].flatMap(ConsentDecision.init(rawValue:)) : consent
    switch decision {
    case .approve: return approve(code, fields)
    case .deny: return redirected(to: redirect, fields["state"], ["error": "access_denied"])
    case .ask, nil:
      let workspace = workspaces.first { $0.id == fields["team"] } ?? workspaces.first
      return SlackConsentPage.ask(workspace: workspace?.name ?? "", code: code)
    }
  }

  private mutating func approve(_ code: SlackCode, _ fields: [FormPair]) -> SimulatedResponse {
    var code = code
    code.teamID = workspaceID(asked: fields["team"])
    let text = "\(random.digits(10)).\(random.digits(12)).\(random.hexadecimal(64))"
    codes[text] = code
    return redirected(to: code.redirectURI, fields["state"], ["code": text])
  }

  private func redirected(
    to uri: String, _ state: String?, _ answer: [String: String]
  ) -> SimulatedResponse {
    var pairs = answer.map { "\($0.key)=\(PercentEncoding.encode($0.value))" }
    if let state { pairs.append("state=\(PercentEncoding.encode(state))") }
    var response = SimulatedResponse.text("Redirecting", status: 302)
    response.headers[.location] =
      uri + (uri.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
    return response
  }

  /// Comma-separated; Slack's own pages accept spaces as well.
  private static func scopes(_ text: String?) -> [String] {
    var seen: Set<String> = []
    return (text ?? "").split { $0 == "," || $0 == " " }.prefix(200).map(String.init).filter {
      $0.utf8.count <= 100 && seen.insert($0).inserted
    }
  }
}
