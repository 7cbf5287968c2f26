import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// The connect session API and the hosted pages an end user sees.
struct ConnectRoutes: Sendable {
  static let browserCookie = "fairlead_connect"
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .post(
        "/v1/connect/sessions", access: .key(.connections),
        RouteDocumentation(
          "createConnectSession", tag: "Connect", "Make a one-time connect link",
          body: .object(
            [
              ("owner", .string), ("owner_label", .string), ("integration", .string),
              ("redirect", .string),
            ], optional: ["owner_label", "integration", "redirect"]),
          answers: [
            (201, "The link.", .object([("url", .string), ("expires_at", .timestamp)]))
          ])
      ) { exchange in
        let body = try await exchange.json(
          members: ["owner", "owner_label", "integration", "redirect"])
        let session = try await fairlead.connect.createSession(
          NewConnectSession(
            owner: Owner(try body.requiredText("owner")),
            ownerLabel: try body.optionalText("owner_label"),
            integration: try body.optionalText("integration").map { IntegrationName($0) },
            redirect: try body.optionalText("redirect")))
        return .json(
          ["url": .string(session.url), "expires_at": .string(session.expiresAt.rfc3339)],
          status: .created)
      },
      .get(
        "/connect/{token}", access: .open,
        RouteDocumentation(
          "connectPage", tag: "Connect", "The hosted connect page",
          answers: [(200, "A page.", nil)], mediaType: "text/html"), handle: page(showSession)),
      .get(
        "/connect/{token}/{integration}", access: .open,
        RouteDocumentation(
          "startConnect", tag: "Connect", "Leave for the provider's consent page",
          answers: [(303, "To the provider.", nil)], mediaType: "text/html"),
        handle: page(start)),
      .post(
        "/connect/{token}/{integration}", access: .open,
        RouteDocumentation(
          "connectWithKey", tag: "Connect", "Connect with an API key, from the hosted page",
          answers: [(303, "Connected.", nil)], mediaType: "text/html"),
        handle: page(connectWithKey)),
      .get(
        "/oauth/callback/{integration}", access: .open,
        RouteDocumentation(
          "oauthCallback", tag: "Connect", "Where the provider sends the browser back",
          answers: [(303, "To the application.", nil)], mediaType: "text/html"),
        handle: page(complete)),
    ]
  }

  /// People get a page for an error, not JSON.
  private func page(_ handle: @escaping Route.Handler) -> Route.Handler {
    { exchange in
      do {
        return try await handle(exchange)
      } catch {
        let failure = fairleadError(from: error)
        exchange.logger.warning(
          "connect page failed",
          metadata: [
            "code": .string(failure.code.rawValue),
            "detail": .string(failure.detail ?? failure.message),
          ])
        return try PageRenderer().page(
          "outcome", title: "Not connected",
          Outcome(
            heading: "This did not work", message: failure.message, next: nil, nextLabel: nil,
            requestID: exchange.requestID.rawValue),
          bare: true, status: .init(code: failure.code.status))
      }
    }
  }

  // MARK: - Pages

  private func showSession(_ exchange: Exchange) async throws -> Response {
    let token = try exchange.parameter("token")
    let session = try await fairlead.connect.session(token: token)
    var response = try PageRenderer().page(
      "connect", title: "Connect your accounts",
      ConnectPage(session: session, token: token), bare: true)
    if cookies(in: exchange.request.headers)[Self.browserCookie] == nil {
      response.headers.append(browserCookie(fairlead.random.token(bytes: 24)))
    }
    return response
  }

  private func start(_ exchange: Exchange) async throws -> Response {
    guard let browser = cookies(in: exchange.request.headers)[Self.browserCookie] else {
      // Without the cookie the callback could not be tied to this browser; the page sets it.
      return .redirect(to: "/connect/\(try exchange.parameter("token"))")
    }
    let integration = try fairlead.integrations.require(
      IntegrationName(try exchange.parameter("integration")))
    let params = Self.params(in: exchange.queryItems)
    let authorize = try await fairlead.connect.begin(
      sessionToken: try exchange.parameter("token"), integration: integration.name,
      browser: browser, params: params)
    if params.isEmpty { return .redirect(to: authorize) }
    // The page's policy lets no form lead to another site, so a form ends at a link.
    let name = integration.definition.displayName
    return try PageRenderer().page(
      "outcome", title: "Continue to \(name)",
      Outcome(
        heading: "Continue to \(name)", message: "\(name) asks you to confirm the connection.",
        next: authorize, nextLabel: "Continue", requestID: nil),
      bare: true)
  }

  private func connectWithKey(_ exchange: Exchange) async throws -> Response {
    try requireSameOrigin(exchange)
    let fields = try await exchange.form()
    func field(_ name: String) -> String? {
      fields.first { $0.0 == name }.map(\.1).flatMap { $0.isEmpty ? nil : $0 }
    }
    let credential: Credential
    if let key = field("api_key") {
      credential = .apiKey(key: Secret(key), secret: field("api_secret").map { Secret($0) })
    } else if let username = field("username") {
      credential = .basic(username: username, password: Secret(field("password") ?? ""))
    } else {
      throw FairleadError(.invalidRequest, "Enter the key first.")
    }
    let outcome = try await fairlead.connect.connectWithKey(
      sessionToken: try exchange.parameter("token"),
      integration: IntegrationName(try exchange.parameter("integration")),
      credential: credential, params: Self.params(in: fields))
    return try leave(outcome)
  }

  /// `param_shop=…` of the page's forms.
  private static func params(in fields: [(String, String)]) -> [String: String] {
    var params: [String: String] = [:]
    for (name, value) in fields where name.hasPrefix("param_") {
      params[String(name.dropFirst("param_".count))] = value
    }
    return params
  }

  private func complete(_ exchange: Exchange) async throws -> Response {
    let outcome = try await fairlead.connect.complete(
      integration: IntegrationName(try exchange.parameter("integration")),
      query: exchange.queryItems,
      browser: cookies(in: exchange.request.headers)[Self.browserCookie] ?? "")
    return try leave(outcome)
  }

  private func leave(_ outcome: ConnectOutcome) throws -> Response {
    if let redirect = outcome.redirect { return .redirect(to: redirect) }
    let succeeded = outcome.status == .success
    return try PageRenderer().page(
      "outcome", title: succeeded ? "Connected" : "Not connected",
      Outcome(
        heading: succeeded ? "Connected" : "Not connected", message: outcome.message, next: nil,
        nextLabel: nil, requestID: nil),
      bare: true)
  }

  private func browserCookie(_ value: String) -> HTTPField {
    let secure = fairlead.settings.publicURL.hasPrefix("https:") ? "; Secure" : ""
    return HTTPField(
      name: .setCookie,
      value: "\(Self.browserCookie)=\(value); Path=/; HttpOnly; SameSite=Lax; Max-Age=3600\(secure)"
    )
  }
}

/// Refuses a form that another site sent.
func requireSameOrigin(_ exchange: Exchange) throws {
  guard let origin = exchange.request.headers[.origin] else { return }
  let host = exchange.request.head.authority ?? ""
  guard origin.hasSuffix("://" + host) else {
    throw FairleadError(.forbidden, "This form was sent from another site.")
  }
}

/// What the outcome template shows.
struct Outcome {
  var heading: String
  var message: String
  var next: String?
  var nextLabel: String?
  var requestID: String?
}

/// What the connect template shows.
struct ConnectPage {
  struct State {
    var word: String
    var `class`: String
    var connected: Bool
  }
  struct Param {
    var id: String
    var name: String
    var label: String
    var pattern: String
  }
  struct Entry {
    var integration: String
    var name: String
    var purpose: String
    var monogram: String
    var hue: Int
    var state: State?
    /// A plain link does: nothing has to be filled in first.
    var link: Bool
    var form: Bool
    var method: String
    var params: [Param]
    var apiKey: Bool
    var basic: Bool
    var start: String
    var action: String
  }

  var owner: String
  var problem: String?
  var integrations: [Entry]

  init(session: ConnectSessionInfo, token: String) {
    owner = session.ownerLabel ?? session.owner.rawValue
    integrations = session.choices.map { Self.entry($0, token: token) }
  }

  private static func entry(_ choice: ConnectChoice, token: String) -> Entry {
    let name = choice.integration.rawValue
    let state = choice.connections.first.map { connection in
      connection.state == .active
        ? State(word: "Connected", class: "active", connected: true)
        : State(word: "Connect again", class: "needs", connected: false)
    }
    let params = choice.params.sorted { $0.key < $1.key }.map {
      Param(id: "\(name)-\($0.key)", name: $0.key, label: $0.value.label, pattern: $0.value.pattern)
    }
    let link = choice.method == .signIn && params.isEmpty
    return Entry(
      integration: name, name: choice.displayName, purpose: choice.purpose,
      monogram: Monogram.letters(choice.displayName), hue: Monogram.hue(choice.integration),
      state: state, link: link, form: !link, method: choice.method == .signIn ? "get" : "post",
      params: params, apiKey: choice.method == .apiKey, basic: choice.method == .basic,
      start: "/connect/\(token)/\(name)",
      action: "Connect \(choice.displayName)" + (choice.connections.isEmpty ? "" : " again"))
  }
}

/// The tile that stands for a provider.
enum Monogram {
  static func letters(_ name: String) -> String {
    let words = name.split(separator: " ")
    let initials = words.count > 1 ? words.prefix(2).compactMap(\.first) : Array(name.prefix(2))
    return String(initials)
  }

  /// One of eight colours, the same for a name every time.
  static func hue(_ name: IntegrationName) -> Int {
    Int(name.rawValue.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } >> 14)
      % 8
  }
}
