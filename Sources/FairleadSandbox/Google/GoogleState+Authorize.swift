import Fairlead
import HTTPTypes

extension GoogleState {
  /// `/o/oauth2/v2/auth`: shows the consent page, or follows a decision.
  mutating func authorize(_ request: SimulatedRequest) -> SimulatedResponse {
    guard ["GET", "POST"].contains(request.method) else {
      return .text("Method not allowed", status: 405)
    }
    guard let query = request.queryPairs, let form = FormPair.parse(request.body) else {
      return GoogleConsentPage.error("invalid_request", "The parameters cannot be read.")
    }
    guard query["client_id"] == Sandbox.credentials.googleClientID else {
      return GoogleConsentPage.error("invalid_client", "The OAuth client was not found.")
    }
    guard let redirect = query["redirect_uri"], EventOrder.isWebURL(redirect),
      !redirect.contains("#")
    else {
      return GoogleConsentPage.error("redirect_uri_mismatch", "The redirect_uri is not valid.")
    }
    guard query["response_type"] == "code" else {
      return GoogleConsentPage.error("unsupported_response_type", "Only code is simulated.")
    }
    let scopes = Self.scopes(query["scope"])
    guard !scopes.isEmpty else {
      return GoogleConsentPage.error("invalid_scope", "Missing required parameter: scope")
    }
    if query["code_challenge"] != nil || query["code_challenge_method"] != nil {
      guard query["code_challenge_method"] == "S256", query["code_challenge"]?.utf8.count == 43
      else { return redirected(to: redirect, query["state"], ["error": "invalid_request"]) }
    }
    let answers = request.method == "POST" ? form : []
    let prompts = (query["prompt"] ?? "").split(separator: " ")
    let code = GoogleCode(
      redirectURI: redirect, challenge: query["code_challenge"],
      scopes: granted(scopes, form: answers),
      account: chosenAccount(form: answers, hint: query["login_hint"]),
      isOffline: query["access_type"] == "offline", isForced: prompts.contains("consent"),
      includesGranted: query["include_granted_scopes"] == "true",
      expires: request.now + Self.codeLifetime)
    let decision: ConsentDecision? =
      request.method == "POST"
      ? answers["decision"].flatMap(ConsentDecision.init(rawValue:)) : consent.decision
    switch decision {
    case .approve:
      var code = code
      code.account = account(named: code.account)
      let text = "4/0" + random.alphanumeric(70)
      codes[text] = code
      return redirected(
        to: redirect, query["state"],
        ["code": text, "scope": code.scopes.joined(separator: " ")])
    case .deny: return redirected(to: redirect, query["state"], ["error": "access_denied"])
    case .ask, nil: return GoogleConsentPage.ask(code: code, accounts: accounts)
    }
  }

  private func chosenAccount(form: [FormPair], hint: String?) -> String {
    form["account"] ?? consent.account ?? hint ?? Self.firstAccount
  }

  /// Granular consent: what was ticked on the page, or what the control allows. Signing in itself
  /// cannot be unticked.
  private func granted(_ asked: [String], form: [FormPair]) -> [String] {
    var allowed = consent.scopes.map(Set.init)
    if form["granular"] != nil {
      allowed = Set(form.filter { $0.name == "granted" }.map(\.value))
    }
    guard let allowed else { return asked }
    return asked.filter { $0 == "openid" || allowed.contains($0) }
  }

  private func redirected(
    to uri: String, _ state: String?, _ answer: KeyValuePairs<String, String>
  ) -> SimulatedResponse {
    var pairs = answer.map { "\($0.key)=\(PercentEncoding.encode($0.value))" }
    if let state { pairs.append("state=\(PercentEncoding.encode(state))") }
    var response = SimulatedResponse.text("Redirecting", status: 302)
    response.headers[.location] =
      uri + (uri.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
    return response
  }

  /// Separated by spaces, each once.
  static func scopes(_ text: String?) -> [String] {
    var seen: Set<String> = []
    return (text ?? "").split(separator: " ").prefix(200).map(String.init).filter {
      $0.utf8.count <= 200 && seen.insert($0).inserted
    }
  }
}
