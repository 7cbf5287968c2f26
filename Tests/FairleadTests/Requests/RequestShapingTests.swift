import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite struct UpstreamURLTests {
  @Test(arguments: [
    ("/v1/customers?limit=3", "https://api.acme.example/v1/customers?limit=3"),
    ("/", "https://api.acme.example/"),
    ("/a/b%2Fc/d%20e", "https://api.acme.example/a/b%2Fc/d%20e"),
    ("/a/./b/../c", "https://api.acme.example/a/c"),
    ("/a/%2e%2E/b", "https://api.acme.example/b"),
    ("/a/b/..", "https://api.acme.example/a/"),
    ("/a//b", "https://api.acme.example/a//b"),
    ("/@evil.example/x", "https://api.acme.example/@evil.example/x"),
    ("/x:80@evil.example", "https://api.acme.example/x:80@evil.example"),
    ("/http://evil.example", "https://api.acme.example/http://evil.example"),
    ("/q?u=http://evil.example/../..", "https://api.acme.example/q?u=http://evil.example/../.."),
    ("/q?a[0]=1&b={x}", "https://api.acme.example/q?a%5B0%5D=1&b=%7Bx%7D"),
    ("/...", "https://api.acme.example/..."),
  ])
  func staysUnderItsOrigin(path: String, expected: String) throws {
    #expect(try UpstreamURL(path).absolute(under: "https://api.acme.example") == expected)
  }

  @Test(arguments: [
    "", "x", "https://evil.example/", "//evil.example/x", "@evil.example", ".evil.example",
    "/..", "/a/../..", "/%2e%2e/etc", "/a/%2e./..", "/.//evil.example", "/a/..//evil.example",
    "/\\evil.example", "\\\\evil.example", "/a\\b", "/a b", "/a\tb", "/a\r\nHost: evil.example",
    "/a\0b", "/a#b", "/é", "/a%", "/a%2", "/a%zz", "/..%2f..%2fetc", "/a%2f..%2fb",
    "/a%5c..%5cb", "/%2e%2e%2fx", "?x", ":80/", "/x?y z",
  ])
  func refusesHostilePaths(path: String) {
    #expect(throws: UpstreamURL.Refused.self) { try UpstreamURL(path) }
  }

  @Test func refusesPathsThatAreTooLong() {
    #expect(throws: UpstreamURL.Refused.self) {
      try UpstreamURL("/" + String(repeating: "a", count: UpstreamURL.longestPath))
    }
  }

  /// Whatever the path, what is sent starts with the origin and never climbs out of its prefix.
  @Test(arguments: 1...200)
  func noPathLeavesTheOrigin(seed: UInt64) {
    let random = RandomSource(seed: seed)
    let pieces = [
      "/", "//", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", "\\", "@", ":", "evil.example", "a", "?",
      "#", "http:", " ", "%00", "[", "é",
    ]
    for _ in 0..<200 {
      var path = random.next() % 8 == 0 ? "" : "/"
      for _ in 0..<Int(random.next() % 8) {
        path += pieces[Int(random.next() % UInt64(pieces.count))]
      }
      guard let url = try? UpstreamURL(path) else { continue }
      let absolute = url.absolute(under: "https://api.acme.example/prefix")
      #expect(absolute.hasPrefix("https://api.acme.example/prefix/"))
      let segments = url.path.split(separator: "/").map {
        $0.lowercased().replacing("%2e", with: ".")
      }
      #expect(!segments.contains("..") && !segments.contains("."))
      #expect(!url.path.hasPrefix("//"))
      #expect(!absolute.utf8.contains { $0 <= 0x20 || $0 >= 0x7F })
    }
  }

  @Test func aCredentialInTheQueryReplacesTheCallersOwn() throws {
    var url = try UpstreamURL("/x?key=theirs&a=1&key=again&keys=2")
    url.setQuery(name: "key", value: "s e&c=r/t")
    #expect(url.query == "a=1&keys=2&key=s%20e%26c%3Dr%2Ft")
  }
}

@Suite struct HeadersTests {
  @Test func whatBelongsToOneHopStaysThere() throws {
    var headers: HTTPFields = [
      .connection: "keep-alive, X-Secret-Hop", .accept: "*/*", .acceptEncoding: "gzip",
      .userAgent: "sdk/1", .contentType: "application/json",
    ]
    for name in [
      "x-secret-hop", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host",
      "content-length", "expect", "proxy-authorization", "fairlead-key", "fairlead-timeout",
      "x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip", "cookie",
    ] {
      headers[try #require(HTTPField.Name(name))] = "x"
    }
    let passed = Headers.outgoing(headers, source: .proxy)
    #expect(
      Set(passed.map(\.name.canonicalName)) == [
        "accept", "accept-encoding", "user-agent", "content-type",
      ])
    #expect(passed[.acceptEncoding] == "gzip")
  }

  @Test func theProviderCannotSpeakForUs() throws {
    let name = try #require(HTTPField.Name("fairlead-error-code"))
    let passed = Headers.incoming([name: "x", .connection: "close", .contentType: "text/plain"])
    #expect(passed.map(\.name.canonicalName) == ["content-type"])
  }

  @Test func anAgentIsAlwaysNamed() {
    #expect(Headers.outgoing([:], source: .library)[.userAgent] != nil)
  }
}

@Suite struct AuthorizationTests {
  private let key = Credential.apiKey(key: Secret("sk_1"), secret: nil)

  private func applied(
    _ credential: Credential, _ placement: ProviderDefinition.CredentialPlacement?,
    headers: HTTPFields = [.authorization: "Bearer callers-own"]
  ) throws -> (HTTPFields, UpstreamURL) {
    var headers = headers
    var url = try UpstreamURL("/x")
    try Authorization.apply(credential, placement: placement, headers: &headers, url: &url)
    return (headers, url)
  }

  @Test func replacesWhatTheCallerBrought() throws {
    let (headers, _) = try applied(key, .header(name: "Authorization", value: "Bearer {api_key}"))
    #expect(headers[.authorization] == "Bearer sk_1")
  }

  @Test func removesTheCallersCredentialWhereOursGoesElsewhere() throws {
    let name = try #require(HTTPField.Name("x-api-key"))
    let (headers, _) = try applied(
      key, .header(name: "x-api-key", value: "{api_key}"),
      headers: [.authorization: "Bearer fl_1", name: "fl_1"])
    #expect(headers[.authorization] == nil)
    #expect(headers[name] == "sk_1")
    let (others, url) = try applied(key, .query(name: "key", value: "{api_key}"))
    #expect(others[.authorization] == nil)
    #expect(url.query == "key=sk_1")
  }

  @Test func basicIsEncoded() throws {
    let basic = Credential.basic(username: "Aladdin", password: Secret("open sesame"))
    #expect(try applied(basic, nil).0[.authorization] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    let (headers, _) = try applied(key, .header(name: "Authorization", value: "Basic {api_key}:"))
    #expect(headers[.authorization] == "Basic c2tfMTo=")
  }

  @Test func aCredentialThatWouldBreakTheHeaderIsRefusedWithoutShowingIt() {
    let credential = Credential.apiKey(key: Secret("sk\r\nX-Evil: 1"), secret: nil)
    do {
      _ = try applied(credential, nil)
      Issue.record("a header with a line break was made")
    } catch {
      #expect(!"\(error)".contains("Evil"))
    }
    #expect(throws: Authorization.Unusable(reason: "the credential has no api_secret")) {
      try applied(key, .header(name: "Authorization", value: "{api_secret}"))
    }
  }
}

@Suite struct IdempotencyTests {
  private let settings = ProviderDefinition.IdempotencySettings(
    header: "Idempotency-Key", methods: ["POST"])

  @Test func aKeyIsMadeOnlyWhereTheProviderHonoursOneAndTheCallerHasNone() throws {
    let name = try #require(HTTPField.Name("Idempotency-Key"))
    let random = RandomSource(seed: 1)
    func establish(
      _ method: HTTPRequest.Method, _ headers: inout HTTPFields,
      _ settings: ProviderDefinition.IdempotencySettings?
    ) -> Idempotency {
      Idempotency.establish(method: method, headers: &headers, settings: settings, random: random)
    }
    var headers = HTTPFields()
    let without = establish(.post, &headers, nil)
    #expect(without == Idempotency.none && headers.isEmpty)
    let ours = establish(.post, &headers, settings)
    #expect(ours == .byOurKey && headers[name]?.isEmpty == false)
    headers = [name: "mine"]
    let theirs = establish(.post, &headers, settings)
    #expect(theirs == .byCallersKey && headers[name] == "mine")
    headers = [:]
    let patch = establish(.patch, &headers, settings)
    #expect(patch == Idempotency.none)
    for method in [HTTPRequest.Method.get, .head, .options, .put, .delete] {
      let safe = establish(method, &headers, settings)
      #expect(safe == .byMethod)
    }
    #expect(headers.isEmpty)
  }
}

@Suite struct ClassifierTests {
  private func rule(
    _ errorClass: ErrorClass, status: [Int] = [], headers: [String: [String]] = [:],
    body: [String: [JSONValue]] = [:], effect: ProviderDefinition.Effect = .unknown
  ) -> ProviderDefinition.ErrorRule {
    var condition = ProviderDefinition.Condition()
    condition.status = status
    condition.headers = headers
    condition.body = body
    return ProviderDefinition.ErrorRule(when: condition, errorClass: errorClass, effect: effect)
  }

  @Test(
    arguments: [
      (200, nil), (302, nil), (400, .invalid), (401, .authExpired), (402, .quotaExhausted),
      (403, .forbidden), (404, .notFound), (408, .transient), (409, .invalid), (410, .notFound),
      (422, .invalid), (429, .rateLimited), (500, .transient), (501, .invalid), (503, .transient),
      (529, .transient), (599, .transient),
    ] as [(Int, ErrorClass?)])
  func readsTheStatusWhereNoRuleMatches(status: Int, expected: ErrorClass?) {
    let meaning = Classifier([]).classify(status: status, headers: [:], json: nil)
    #expect(meaning.errorClass == expected)
  }

  @Test func theFirstRuleThatMatchesDecides() {
    let classifier = Classifier([
      rule(.quotaExhausted, status: [429], body: ["error.code": ["insufficient_quota", "x"]]),
      rule(.conflictRetryable, status: [429], headers: ["x-lock": ["yes"]], effect: .none),
      rule(.rateLimited, status: [200], body: ["ok": [false], "error": ["ratelimited"]]),
      rule(.transient, status: [503], effect: .none),
    ])
    func classify(_ status: Int, _ json: JSONValue?, _ headers: HTTPFields = [:]) -> Classification
    {
      classifier.classify(status: status, headers: headers, json: json)
    }
    #expect(
      classify(429, ["error": ["code": "insufficient_quota"]]).errorClass == .quotaExhausted)
    #expect(classify(429, ["error": ["code": "other"]]).errorClass == .rateLimited)
    #expect(
      classify(429, nil, [HTTPField.Name("X-Lock")!: "Yes"])
        == Classification(errorClass: .conflictRetryable, effect: .none))
    #expect(classify(200, ["ok": false, "error": "ratelimited"]).errorClass == .rateLimited)
    #expect(classify(200, ["ok": true]).errorClass == nil)
    #expect(classify(503, nil).effect == .none)
    #expect(classify(500, nil).effect == .unknown)
    #expect(classifier.needsBody(status: 200))
    #expect(!classifier.needsBody(status: 503))
  }
}

@Suite struct AddressGuardTests {
  @Test(arguments: [
    "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
    "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::1",
  ])
  func publicAddressesPass(address: String) throws {
    #expect(AddressGuard.isPublic(try SocketAddress(ipAddress: address, port: 443)))
  }

  @Test(arguments: [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "fc00::1", "fd12::1", "fe80::1", "fec0::1",
    "ff02::1", "2001:db8::1", "2001:2::1", "2001:20::1", "3fff::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::",
    "2001:0:7f00:1::", "2001:0:808:808::f5ff:fffe", "100::1", "5f00::1",
  ])
  func addressesThatAreNotOnThePublicInternetDoNot(address: String) throws {
    #expect(!AddressGuard.isPublic(try SocketAddress(ipAddress: address, port: 443)))
  }

  @Test func aSocketFileIsNotPublic() throws {
    #expect(!AddressGuard.isPublic(try SocketAddress(unixDomainSocketPath: "/run/x.sock")))
  }
}
