import Fairlead
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import FairleadServer

@Suite struct AccessTests {
  @Test func everyRouteUnderV1NeedsAKey() async throws {
    let harness = try await ServerHarness()
    let routes = harness.fairlead.routes.table.filter { $0.path.hasPrefix("/v1") }
    #expect(routes.count > 15)
    try await harness.test { client in
      for route in routes {
        let path = route.path.replacing("{path…}", with: "x")
          .replacing(/\{[a-z]+\}/, with: "acme")
        let answer = try await client.execute(uri: path, method: route.methods[0])
        #expect(answer.status == .unauthorized, "\(route.path)")
        #expect(answer.errorCode == "UNAUTHENTICATED", "\(route.path)")
        #expect(answer.headers[.wwwAuthenticate] == "Bearer", "\(route.path)")
      }
    }
  }

  @Test func aKeyOpensOnlyWhatItsScopesSay() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let (_, secret) = try await harness.fairlead.keys.create(name: "reader", scopes: [.read])
      let headers: HTTPFields = [.authorization: "Bearer \(secret.expose())"]
      let health = try await client.execute(uri: "/v1/health", method: .get, headers: headers)
      #expect(health.status == .ok)
      let list = try await client.execute(uri: "/v1/connections", method: .get, headers: headers)
      #expect(list.status == .forbidden)
      #expect(list.errorCode == "FORBIDDEN")
    }
  }

  @Test(arguments: [
    "Bearer KEY", "bearer KEY", "token KEY", "Basic \(Data("KEY:".utf8).base64EncodedString())",
    "Basic \(Data("someone:KEY".utf8).base64EncodedString())",
  ])
  func theKeyIsFoundWhereSDKsPutIt(template: String) async throws {
    let harness = try await ServerHarness()
    let value =
      template.contains("Basic")
      ? Self.basic(template) : template.replacing("KEY", with: ServerHarness.adminKey)
    try await harness.test { client in
      let answer = try await client.execute(
        uri: "/v1/health", method: .get, headers: [.authorization: value])
      #expect(answer.status == .ok)
    }
  }

  private static func basic(_ template: String) -> String {
    let encoded = template.dropFirst("Basic ".count)
    let pair = String(decoding: Data(base64Encoded: String(encoded)) ?? Data(), as: UTF8.self)
      .replacing("KEY", with: ServerHarness.adminKey)
    return "Basic " + Data(pair.utf8).base64EncodedString()
  }

  @Test func theSessionOfTheDashboardOpensNothingUnderV1() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let signIn = try await client.execute(
        uri: "/sign-in", method: .post, body: ByteBuffer(string: "key=\(ServerHarness.adminKey)"))
      #expect(signIn.status == .seeOther)
      let cookie = try #require(signIn.headers[.setCookie]).prefix { $0 != ";" }
      let page = try await client.execute(
        uri: "/", method: .get, headers: [.cookie: String(cookie)])
      #expect(page.status == .ok)
      #expect(String(buffer: page.body).contains("Acme"))
      let api = try await client.execute(
        uri: "/v1/health", method: .get, headers: [.cookie: String(cookie)])
      #expect(api.status == .unauthorized)
    }
  }

  @Test func theOverviewSendsStrangersToTheSignIn() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      for cookie in ["", "fairlead_session=9999999999.x.AAAA", "fairlead_session=.."] {
        let page = try await client.execute(uri: "/", method: .get, headers: [.cookie: cookie])
        #expect(page.status == .seeOther)
        #expect(page.headers[.location] == "/sign-in")
      }
      let wrong = try await client.execute(
        uri: "/sign-in", method: .post, body: ByteBuffer(string: "key=wrong"))
      #expect(wrong.status == .unauthorized)
      #expect(wrong.headers[.setCookie] == nil)
    }
  }

  @Test func aSessionEndsAndCannotBeStretched() {
    let session = DashboardSession(adminKey: Secret("a"))
    let now = Timestamp(seconds: 1_000)
    let cookie = session.issue(until: now + .seconds(60), random: .system)
    #expect(session.isValid(cookie, now: now))
    #expect(!session.isValid(cookie, now: now + .seconds(60)))
    #expect(!session.isValid(cookie.replacing("1060", with: "9060"), now: now))
    #expect(!DashboardSession(adminKey: Secret("b")).isValid(cookie, now: now))
  }
}
