import Fairlead
import FairleadSQLite
import FairleadTesting
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import FairleadServer

@Suite struct LinkRewritingTests {
  private static let proxy = "http://127.0.0.1:8080/v1/proxy/acme:u1"

  @Test(arguments: [
    ("https://api.acme.example/things?page=2#x", "/things?page=2#x"),
    ("HTTPS://API.acme.example:443/things", "/things"), ("https://api.acme.example", ""),
    ("https://api.acme.example?x=1", "?x=1"),
    ("https://api.acme.example/things{/number}", "/things{/number}"),
    ("http://127.0.0.1:9/acme/things", "/things"), ("http://127.0.0.1:9/acme", ""),
    ("//api.acme.example/things", "/things"), ("/acme/things?page=2", "/things?page=2"),
  ])
  func theProvidersOwnAddressesLeadThroughTheProxy(url: String, rest: String) {
    let origins = ProviderOrigins(
      ["http://127.0.0.1:9/acme/", "https://api.acme.example"], proxy: Self.proxy)
    #expect(origins.rewritten(url) == Self.proxy + rest)
  }

  @Test(arguments: [
    "https://api.acme.example.evil.example/x", "https://evil.example/https://api.acme.example/",
    "https://api.acme.example@evil.example/x", "https://u:p@api.acme.example/x",
    "http://api.acme.example/x", "https://api.acme.example:444/x", "http://127.0.0.1:9/acmes/x",
    "http://127.0.0.1:9/other", "/other/things", "things?page=2", "?page=2", "", "mailto:a@b.c",
    "https://api.acme.example/../slack:u2/x", "https://api.acme.example/a/%2E%2e/x",
    "https://api.acme.example/a/./x", "https://api.acme.example/a\\..\\x",
    "https://api.acme.example/a b", "https://api.acme.example/a\">x",
  ])
  func everythingElseIsLeftAlone(url: String) {
    let origins = ProviderOrigins(
      ["http://127.0.0.1:9/acme", "https://api.acme.example"], proxy: Self.proxy)
    #expect(origins.rewritten(url) == nil)
  }

  @Test(arguments: [
    ("localhost:8080", true, "http://localhost:8080/v1/proxy/acme:u1"),
    ("127.0.0.1:8080", true, "http://127.0.0.1:8080/v1/proxy/acme:u1"),
    ("[::1]:8080", true, "http://[::1]:8080/v1/proxy/acme:u1"),
    ("127.0.0.1:8080", false, "https://hooks.example/v1/proxy/acme:u1"),
    ("evil.example", true, "https://hooks.example/v1/proxy/acme:u1"),
    ("localhost.evil.example", true, "https://hooks.example/v1/proxy/acme:u1"),
    ("localhost:80@evil.example", true, "https://hooks.example/v1/proxy/acme:u1"),
    ("localhost:99999", true, "https://hooks.example/v1/proxy/acme:u1"),
    (nil, true, "https://hooks.example/v1/proxy/acme:u1"),
  ])
  func aHostIsBelievedOnThisMachineOnly(host: String?, isLocal: Bool, base: String) {
    let address = ProxyAddress(
      rawPath: "/v1/proxy/acme:u1/things?x=/v1/proxy/", target: "acme:u1", host: host,
      isLocal: isLocal, publicURL: "https://hooks.example/")
    #expect(address?.base == base)
  }

  @Test func aTargetThatNoAddressHoldsIsNotRewrittenTo() {
    #expect(
      ProxyAddress(
        rawPath: "/v1/proxy/a\">x/things", target: "a\">x", host: nil, isLocal: false,
        publicURL: "https://hooks.example") == nil)
  }

  // MARK: - Bodies

  private func rewrite(_ text: String) -> String? {
    BodyRewriting(names: ["url", "*_url"]).rewritten(ByteBuffer(string: text)) {
      $0.hasPrefix("https://a/") ? "http://p/" + $0.dropFirst(10) : nil
    }.map { String(buffer: $0) }
  }

  @Test(arguments: [
    (#"{"url":"https://a/1","x":"https://a/2"}"#, #"{"url":"http://p/1","x":"https://a/2"}"#),
    (
      #"[{"self_url" : "https://a/1{/n}" , "n":1.50}, {"url":"https:\/\/a\/2"}]"#,
      #"[{"self_url" : "http://p/1{/n}" , "n":1.50}, {"url":"http://p/2"}]"#
    ),
    (
      #"{"body":"\"url\":\"https://a/1\"","url":"https://a/3"}"#,
      #"{"body":"\"url\":\"https://a/1\"","url":"http://p/3"}"#
    ),
  ])
  func namedMembersAreRewrittenAndNoOtherByte(before: String, after: String) {
    #expect(rewrite(before) == after)
  }

  @Test(arguments: [
    #"{"x":"https://a/1"}"#, #"{"url":["https://a/1"]}"#, #"{"url":{"x":"https://a/1"}}"#,
    #"{"_url":"https://b/1","url":null}"#, #"{"url":"see https://a/1"}"#, #"{"url":"https://a/1"#,
    #"{"url":"https://a/\q"}"#, #"["url","https://a/1"]"#, "", "\"", "\\", #"{"url":"#,
  ])
  func whatIsNoAddressUnderANameIsNot(text: String) {
    #expect(rewrite(text) == nil)
  }

  // MARK: - Through the proxy

  private func throughProxy(
    _ answer: StubTransport.Answer, method: HTTPRequest.Method = .get,
    _ check: @escaping @Sendable (TestResponse) throws -> Void
  ) async throws {
    var definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "Orders", baseURL: "https://api.acme.example",
      auth: .apiKey)
    definition.rewrite.bodyURLs = ["url", "*_url"]
    var settings = Settings(publicURL: "https://hooks.example", adminKey: Secret("admin-key-0123"))
    settings.allowPrivateNetworks = true
    let fairlead = try await Fairlead(
      database: .sqlite(":memory:"), vault: .keys(Secret(try KeyRing.generate(id: "k1"))),
      integrations: [
        Integration(
          name: "acme", definition: definition,
          defaultCredential: .apiKey(key: Secret("key"), secret: nil))
      ], settings: settings, transport: StubTransport([answer]),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let server = WebServer(fairlead, host: "127.0.0.1", port: 0, logger: fairlead.logger)
    try await server.application().test(.router) { client in
      try await client.execute(
        uri: "/v1/proxy/acme/things?page=1", method: method,
        headers: [.authorization: "Bearer admin-key-0123"]
      ) { try check($0) }
    }
    try await fairlead.close()
  }

  private static let home = "https://hooks.example/v1/proxy/acme"

  @Test func headersAndBodyLeadBackHere() async throws {
    let link =
      "<https://api.acme.example/things?page=2>; rel=\"next\", <https://cdn.example/x>; rel=\"x\""
    try await throughProxy(
      .json(
        201, ["url": "https://api.acme.example/things/1", "name": "https://api.acme.example/n"],
        headers: [
          .link: link, .location: "/things/1", .eTag: "\"abc\"",
          HTTPField.Name("content-md5")!: "x",
        ])
    ) { response in
      #expect(
        response.headers[.link]
          == "<\(Self.home)/things?page=2>; rel=\"next\", <https://cdn.example/x>; rel=\"x\"")
      #expect(response.headers[.location] == "\(Self.home)/things/1")
      #expect(response.headers[.eTag] == "W/\"abc\"")
      #expect(response.headers[HTTPField.Name("content-md5")!] == nil)
      #expect(
        response.headers[.contentLength].flatMap { Int($0) } == response.body.readableBytes)
      #expect(response.json["url"] == .string("\(Self.home)/things/1"))
      #expect(response.json["name"] == "https://api.acme.example/n")
    }
  }

  @Test func largeEncodedAndOtherBodiesPassAsTheyAre() async throws {
    let address = #"{"url":"https://api.acme.example/1","x":""#
    let padding = String(repeating: "x", count: BodyRewriting.limit)
    let large = [address, padding, "\"}"]
    let answers: [StubTransport.Answer] = [
      .chunks(200, large, headers: [.contentType: "application/json"]),
      .chunks(
        200, [address + "\"}"],
        headers: [.contentType: "application/json", .contentEncoding: "gzip"]),
      .chunks(200, [address + "\"}"], headers: [.contentType: "text/plain"]),
      .chunks(206, [address + "\"}"], headers: [.contentType: "application/json"]),
    ]
    for answer in answers {
      try await throughProxy(answer) { response in
        #expect(String(buffer: response.body).hasPrefix(address))
        #expect(
          [address.utf8.count + 2, address.utf8.count + padding.utf8.count + 2]
            .contains(response.body.readableBytes))
      }
    }
  }

  @Test func chunkedJSONIsRewrittenAcrossItsChunks() async throws {
    try await throughProxy(
      .chunks(
        200, [#"{"ur"#, #"l":"https://api.ac"#, #"me.example/1"}"#],
        headers: [.contentType: "application/vnd.acme+json; charset=utf-8"])
    ) { #expect($0.json["url"] == .string("\(Self.home)/1")) }
  }
}
