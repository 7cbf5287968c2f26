import Fairlead
import HTTPTypes
import Testing

@testable import FairleadCLI

@Suite struct AddressTests {
  private func configuration(
    _ change: (inout FairleadConfiguration) -> Void = { _ in }
  ) -> FairleadConfiguration {
    var configuration = FairleadConfiguration()
    change(&configuration)
    return configuration
  }

  @Test func theServerIsWhereTheConfigurationSays() throws {
    #expect(try ServerAddress.url(of: configuration()) == "http://127.0.0.1:8080")
    #expect(
      try ServerAddress.url(
        of: configuration {
          $0.host = "0.0.0.0"
          $0.port = 9_000
        }) == "http://127.0.0.1:9000")
    #expect(
      try ServerAddress.url(of: configuration { $0.host = "::1" }) == "http://[::1]:8080")
    #expect(
      try ServerAddress.url(of: configuration { $0.publicURL = "http://localhost:7000" })
        == "http://localhost:7000")
    // The public way in may be closed to this machine; the server's own port is not.
    #expect(
      try ServerAddress.url(of: configuration { $0.publicURL = "https://fairlead.example.com" })
        == "http://127.0.0.1:8080")
  }

  @Test func aPortTheSystemChoseCannotBeGuessed() {
    #expect(throws: CommandFailure.self) {
      try ServerAddress.url(of: configuration { $0.port = 0 })
    }
  }

  @Test(arguments: [
    "http://127.0.0.1:8080", "http://localhost:1/", "https://fairlead.example.com",
    "http://[::1]:8080",
  ])
  func takesAddresses(given: String) throws {
    let url = try ServerAddress.url(given: given, configuration: nil)
    #expect(!url.hasSuffix("/") && given.hasPrefix(url))
  }

  @Test(arguments: [
    "fairlead.example.com", "ftp://x", "http://", "http://fairlead.example.com",
    "http://127.0.0.1.evil.example", "https://user:password@x.example", "https://x.example?a=b", "",
  ])
  func refusesWhatWouldLeakTheKeyOrIsNoAddress(given: String) {
    #expect(throws: CommandFailure.self) {
      try ServerAddress.url(given: given, configuration: configuration())
    }
  }

  @Test func plainHTTPNeedsPrivateNetworks() throws {
    let allowed = configuration { $0.allowPrivateNetworks = true }
    #expect(
      try ServerAddress.url(given: "http://fairlead:8080", configuration: allowed)
        == "http://fairlead:8080")
  }

  @Test(arguments: [
    ("stripe", "/v1/x?limit=3", "/v1/proxy/stripe/v1/x?limit=3"),
    ("stripe", "v1/x", "/v1/proxy/stripe/v1/x"),
    ("slack:user_42", "/api/a", "/v1/proxy/slack:user_42/api/a"),
    ("slack:a/b:c d", "/api/a", "/v1/proxy/slack:a%2Fb%3Ac%20d/api/a"),
    ("stripe@files", "/v1/files", "/v1/proxy/stripe@files/v1/files"),
    ("conn_01", "/x%2Fy/ü", "/v1/proxy/conn_01/x%2Fy/%C3%BC"),
    ("../x", "/", "/v1/proxy/..%2Fx/"),
  ])
  func makesTheProxysPath(target: String, path: String, expected: String) throws {
    #expect(try ProxyPath.path(target: target, path: path) == expected)
  }

  @Test(arguments: ["/a b", "/a\r\nHost: x", "/a\u{7F}"])
  func refusesPathsThatAreNoPath(path: String) {
    #expect(throws: CommandFailure.self) { try ProxyPath.path(target: "stripe", path: path) }
  }

  @Test func readsHeaders() throws {
    let field = try #require(HeaderText.field("X-One:  a: b"))
    #expect(field.name.rawName == "X-One" && field.value == "a: b")
    #expect(HeaderText.field("no colon") == nil)
    #expect(HeaderText.field("bad name: x") == nil)
    #expect(HeaderText.field("x: a\r\ny: b") == nil)
  }
}
