import Fairlead
import Testing

@testable import FairleadServer

@Suite struct ProxyPathTests {
  @Test(arguments: [
    ("/v1/proxy/stripe/v1/customers?limit=3", "stripe", "/v1/customers?limit=3"),
    ("/v1/proxy/slack:u%2F1/api/chat.postMessage", "slack:u%2F1", "/api/chat.postMessage"),
    ("/v1/proxy/stripe@files/v1/a%20b//c", "stripe@files", "/v1/a%20b//c"),
    ("/v1/proxy/acme", "acme", "/"),
    ("/v1/proxy/acme?x=1", "acme", "/?x=1"),
    ("/prefix/v1/proxy/acme/v1/proxy/x", "acme", "/v1/proxy/x"),
  ])
  func theProvidersOwnPathPassesUntouched(raw: String, target: String, path: String) throws {
    let split = try ProxyRoute.split(raw)
    #expect(split.target == target)
    #expect(split.path == path)
  }

  @Test(arguments: ["/v1/proxy/", "/v1/proxy//x", "/v1/other"])
  func aMissingTargetIsNotFound(raw: String) {
    #expect(throws: FairleadError.self) { try ProxyRoute.split(raw) }
  }

  @Test func theTimeoutIsADurationWithItsUnit() throws {
    #expect(try ProxyRoute.timeout(nil) == .seconds(60))
    #expect(try ProxyRoute.timeout("250ms") == .milliseconds(250))
    #expect(try ProxyRoute.timeout("2m") == .seconds(120))
    for wrong in ["", "10", "0s", "-1s", "2h", "1e3s", "ten seconds"] {
      #expect(throws: FairleadError.self, "\(wrong)") { try ProxyRoute.timeout(wrong) }
    }
  }
}
