import HTTPTypes

/// The page on which a person approves or denies.
enum SlackConsentPage {
  static func ask(workspace: String, code: SlackCode) -> SimulatedResponse {
    let scopes = (code.botScopes + code.userScopes).map { "<li><code>\(escape($0))</code></li>" }
    // The form has no action: it posts to this page's own address, so the query comes along.
    return page(
      title: "Sandbox Slack",
      body: """
        <p>An app asks for access to the workspace <b>\(escape(workspace))</b>.</p>
        <ul>\(scopes.joined())</ul>
        <p>It will return to <code>\(escape(code.redirectURI))</code>.</p>
        <form method="post"><button name="decision" value="approve">Approve</button></form>
        <form method="post"><button name="decision" value="deny">Deny</button></form>
        """, status: 200)
  }

  static func error(_ name: String) -> SimulatedResponse {
    page(
      title: "Sandbox Slack",
      body: "<p>The request cannot be authorised: <code>\(escape(name))</code>.</p>", status: 400)
  }

  private static func page(title: String, body: String, status: Int) -> SimulatedResponse {
    var response = SimulatedResponse.text(
      """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width"><title>\(title)</title>
      <style>body{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}
      form{display:inline}button{font:inherit;padding:.5rem 1.5rem}</style></head>
      <body><h1>\(title)</h1>\(body)</body></html>
      """, status: status, type: "text/html; charset=utf-8")
    response.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
    response.headers[.cacheControl] = "no-store"
    return response
  }

  static func escape(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
