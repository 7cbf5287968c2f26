import HTTPTypes

/// The page on which a person chooses an account and what the app may do, or declines.
enum GoogleConsentPage {
  static func ask(code: GoogleCode, accounts: [String]) -> SimulatedResponse {
    let scopes = code.scopes.map { scope in
      let name = escape(scope)
      // Signing in cannot be unticked, as at Google.
      let fixed = scope == "openid" ? " checked disabled" : " checked"
      return """
        <li><label><input type="checkbox" name="granted" value="\(name)"\(fixed)> \
        <code>\(name)</code></label></li>
        """
    }
    let options = accounts.map { "<option value=\"\(escape($0))\">" }
    // The form has no action: it posts to this page's own address, so the query comes along.
    return page(
      """
      <form method="post">
      <p><label>Account <input name="account" type="email" list="accounts" required
      value="\(escape(code.account))"></label>
      <datalist id="accounts">\(options.joined())</datalist></p>
      <p>An app asks for access:</p>
      <ul>\(scopes.joined())</ul>
      <p>It will return to <code>\(escape(code.redirectURI))</code>.</p>
      <input type="hidden" name="granular" value="1">
      <button name="decision" value="approve">Continue</button>
      <button name="decision" value="deny" formnovalidate>Cancel</button></form>
      """, status: 200)
  }

  static func error(_ name: String, _ message: String) -> SimulatedResponse {
    page(
      "<p>The request cannot be authorised: <code>\(escape(name))</code>. \(escape(message))</p>",
      status: 400)
  }

  private static func page(_ body: String, status: Int) -> SimulatedResponse {
    var response = SimulatedResponse.text(
      """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width"><title>Sandbox Google</title>
      <style>body{font:16px system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}
      button,input{font:inherit}button{padding:.5rem 1.5rem}
      code{overflow-wrap:anywhere}ul{list-style:none;padding:0}</style></head>
      <body><h1>Sandbox Google</h1>\(body)</body></html>
      """, status: status, type: "text/html; charset=utf-8")
    response.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private static func escape(_ text: String) -> String { SlackConsentPage.escape(text) }
}
