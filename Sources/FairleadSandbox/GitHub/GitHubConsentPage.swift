import HTTPTypes

/// The page on which a person approves or denies.
enum GitHubConsentPage {
  static func ask(_ code: GitHubCode) -> SimulatedResponse {
    let scopes = code.scopes.map { "<li><code>\(escape($0))</code></li>" }
    // The form has no action: it posts to this page's own address, so the query comes along.
    return page(
      """
      <p>An app asks for access to the account <b>\(escape(code.login))</b>.</p>
      <ul>\(scopes.joined())</ul>
      <p>It will return to <code>\(escape(code.redirectURI))</code>.</p>
      <form method="post"><button name="decision" value="approve">Authorize</button></form>
      <form method="post"><button name="decision" value="deny">Cancel</button></form>
      """, status: 200)
  }

  static func error(_ name: String, status: Int = 400) -> SimulatedResponse {
    page("<p>The request cannot be authorised: <code>\(escape(name))</code>.</p>", status: status)
  }

  private static func page(_ body: String, status: Int) -> SimulatedResponse {
    var response = SimulatedResponse.text(
      """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width"><title>Sandbox GitHub</title>
      <style>body{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}
      form{display:inline}button{font:inherit;padding:.5rem 1.5rem}</style></head>
      <body><h1>Sandbox GitHub</h1>\(body)</body></html>
      """, status: status, type: "text/html; charset=utf-8")
    response.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private static func escape(_ text: String) -> String { SlackConsentPage.escape(text) }
}
