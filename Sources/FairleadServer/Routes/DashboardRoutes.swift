import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The dashboard: sign-in, the Overview page, its live updates and its assets.
struct DashboardRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/", access: .session,
        RouteDocumentation(
          "overview", tag: "Dashboard", "The Overview page", answers: [(200, "A page.", nil)],
          mediaType: "text/html")
      ) { _ in
        let overview = try await Overview.read(from: fairlead)
        return try PageRenderer().page("overview", title: "Overview", overview, live: true)
      },
      .get(
        "/live", access: .session,
        RouteDocumentation(
          "overviewLive", tag: "Dashboard", "The Overview page's live updates",
          answers: [(200, "Server-sent events.", nil)], mediaType: "text/event-stream")
      ) { _ in live() },
      .get(
        "/sign-in", access: .open,
        RouteDocumentation(
          "signInPage", tag: "Dashboard", "The sign-in page", answers: [(200, "A page.", nil)],
          mediaType: "text/html")
      ) { _ in try signInPage(problem: nil, status: .ok) },
      .post(
        "/sign-in", access: .open,
        RouteDocumentation(
          "signIn", tag: "Dashboard", "Sign in with the admin key",
          answers: [(303, "Signed in.", nil)], mediaType: "text/html")
      ) { try await signIn($0) },
      .post(
        "/sign-out", access: .open,
        RouteDocumentation(
          "signOut", tag: "Dashboard", "Sign out", answers: [(303, "Signed out.", nil)],
          mediaType: "text/html")
      ) { exchange in
        try requireSameOrigin(exchange)
        var response = Response.redirect(to: "/sign-in")
        response.headers.append(sessionCookie("", maxAge: 0))
        return response
      },
    ] + Asset.all.map(assetRoute)
  }

  // MARK: - Sign-in

  private func signInPage(problem: String?, status: HTTPResponse.Status) throws -> Response {
    struct Values {
      var problem: String?
      var enabled: Bool
    }
    return try PageRenderer().page(
      "sign-in", title: "Sign in",
      Values(problem: problem, enabled: fairlead.settings.adminKey != nil), bare: true,
      status: status)
  }

  private func signIn(_ exchange: Exchange) async throws -> Response {
    try requireSameOrigin(exchange)
    let fields = try await exchange.form()
    let presented = Secret(fields.first { $0.0 == "key" }?.1 ?? "")
    guard let adminKey = fairlead.settings.adminKey else {
      return try signInPage(problem: nil, status: .forbidden)
    }
    guard presented == adminKey else {
      return try signInPage(
        problem: "That is not the admin key of this deployment.", status: .unauthorized)
    }
    let session = DashboardSession(adminKey: adminKey)
    var response = Response.redirect(to: "/")
    response.headers.append(
      sessionCookie(
        session.issue(
          until: fairlead.clock.now + DashboardSession.lifetime, random: fairlead.random),
        maxAge: Int(DashboardSession.lifetime.inSeconds)))
    return response
  }

  private func sessionCookie(_ value: String, maxAge: Int) -> HTTPField {
    let secure = fairlead.settings.publicURL.hasPrefix("https:") ? "; Secure" : ""
    return HTTPField(
      name: .setCookie,
      value: "\(DashboardSession.cookieName)=\(value); Path=/; HttpOnly; SameSite=Strict; "
        + "Max-Age=\(maxAge)\(secure)")
  }

  // MARK: - Live updates

  private func live() -> Response {
    EventStream.response(clock: fairlead.clock, live: fairlead.live) {
      sent in
      let overview = try await Overview.read(from: fairlead)
      let renderer = try PageRenderer()
      var events: [EventStream.Event] = []
      for card in overview.cards {
        let html = renderer.fragment("card", card)
        if sent[card.integration] != html {
          sent[card.integration] = html
          events.append(
            EventStream.Event(
              name: "card",
              data: ["integration": .string(card.integration), "html": .string(html)]))
        }
      }
      if let section = overview.watched {
        let html = renderer.fragment("alerts", section)
        if sent["alerts"] != html {
          sent["alerts"] = html
          events.append(EventStream.Event(name: "alerts", data: ["html": .string(html)]))
        }
      }
      if sent["summary"] != overview.summary {
        sent["summary"] = overview.summary
        events.append(
          EventStream.Event(name: "summary", data: ["text": .string(overview.summary)]))
      }
      return events
    }
  }

  // MARK: - Assets

  private func assetRoute(_ asset: Asset) -> Route {
    .get(
      "/assets/\(asset.name)", access: .open,
      RouteDocumentation(
        "asset" + asset.name.replacing(".", with: "_"), tag: "Dashboard", "Part of the pages",
        answers: [(200, "The file.", nil)], mediaType: asset.type)
    ) { _ in
      Response(
        status: .ok,
        headers: [
          .contentType: asset.type, .cacheControl: "public, max-age=300",
          .xContentTypeOptions: "nosniff",
        ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
  }
}

/// A file of the pages, from the binary.
struct Asset {
  let name: String
  let type: String
  let bytes: [UInt8]

  static let all = [
    Asset(
      name: "fairlead.css", type: "text/css; charset=utf-8", bytes: PackageResources.fairlead_css),
    Asset(
      name: "live.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.live_js),
    Asset(name: "icon.svg", type: "image/svg+xml", bytes: PackageResources.icon_svg),
  ]
}
