import Fairlead
import Testing

/// One change to a good definition, and what has to be said about it.
struct DefinitionFault: Sendable, CustomTestStringConvertible {
  var old: String
  var new: String
  var message: String
  var testDescription: String { new }

  init(_ old: String, _ new: String, _ message: String) {
    self.old = old
    self.new = new
    self.message = message
  }
}

@Suite struct DefinitionFaultTests {
  static let addresses = [
    DefinitionFault("https://files.acme", "http://files.acme", "hosts.files: is http"),
    DefinitionFault("https://files.acme", "ftp://files.acme", "does not begin with https://"),
    DefinitionFault("https://files.acme", "https://u:p@files.acme", "user name or password"),
    DefinitionFault(":8443", ":99999", "has no valid port"),
    DefinitionFault("https://files.acme.example:8443", "files", "is no URL"),
    DefinitionFault("https://{shop}.acme.example\n", "https://{shop.acme\n", "no valid host name"),
    DefinitionFault("https://{shop}.acme.example\n", "https://{nope}.acme\n", "names {nope}"),
    DefinitionFault("https://{shop}.acme.example\n", "https://a.example?x\n", "has no path"),
    DefinitionFault("oauth/token", "oauth/token#x", "auth.token_url: has a fragment"),
    DefinitionFault("https://developers.acme.example", "nowhere", "docs: is no URL"),
    DefinitionFault("path: /me", "path: me", "verify.path: is `me`; write a path"),
    DefinitionFault("path: /me", "path: /a/../b", "verify.path: is `/a/../b`"),
    DefinitionFault("files:", "Files:", "hosts.Files: a name is"),
  ]

  static let authorization = [
    DefinitionFault("pkce: S256", "pkce: plain", "auth.pkce: is `plain`; write one of S256, off"),
    DefinitionFault("client_auth: basic", "client_auth: private_key_jwt", "not supported by this"),
    DefinitionFault("separator: \",\"", "separator: \";\"", "auth.scopes.separator: is `;`"),
    DefinitionFault("  issuer: https://acme.example\n", "", "issuer_required: needs `issuer`"),
    DefinitionFault(
      "access_type: offline", "state: x", "authorize_params.state: is set by the flow"),
    DefinitionFault("audience: api", "grant_type: x", "token_request.params.grant_type: is set by"),
    DefinitionFault("X-Version:", "\"X Version\":", "is no header name"),
    DefinitionFault("format: json", "format: xml", "auth.token_request.format: is `xml`"),
    DefinitionFault("unit: ms", "unit: minutes", "auth.token_response.expires.unit: is `minutes`"),
    DefinitionFault("rotates: true", "rotates: yes", "refresh.rotates: is `yes`; write true or"),
    DefinitionFault(
      "  revoke_url: https://acme.example/oauth/revoke\n", "", "`revoke_url` is missing"),
    DefinitionFault("type: oauth2_code", "type: api_key", "belongs to type oauth2_code"),
    DefinitionFault("{access_token}", "{api_key}", "apply.value: names {api_key}"),
    DefinitionFault("Token {access_token}", "Token", "names no field of the credential"),
    DefinitionFault("Token {access_token}", "Token {access", "has a { without a }"),
    DefinitionFault("header: X-Token", "header: Host", "is a header of the connection itself"),
    DefinitionFault(
      "header: X-Token,", "header: X-Token, query: { name: a, value: b },", "keep one"),
    DefinitionFault("method: POST", "method: FETCH", "verify.method: is `FETCH`"),
    DefinitionFault("data.access", "data..access", "access_token: is `data..access`"),
  ]

  static let policies = [
    DefinitionFault(
      "timeout: 20s", "timeout: 20", "timeout: is `20`; write a duration with its unit"),
    DefinitionFault(
      "timeout: 20s", "timeout: 2h", "timeout: is `2h`; write a duration from 100ms to"),
    DefinitionFault("timeout: 20s", "timeout: 99999999999s", "write a duration"),
    DefinitionFault("timeout: 20s", "timeout:", "timeout: has no value"),
    DefinitionFault("timeout: 20s", "timeout: [20s]", "timeout: is a list; write a duration"),
    DefinitionFault("bulkhead: 8", "bulkhead: 0", "bulkhead: is `0`; write a whole number from 1"),
    DefinitionFault("bulkhead: 8", "bulkhead: 99999999999999999999", "write a whole number from 1"),
    DefinitionFault("bulkhead: 8", "bulkhead: 1.5", "write a whole number"),
    DefinitionFault("requests: 100", "requests: -1", "limits[0].requests: is `-1`"),
    DefinitionFault("burst: 2", "burst: 20", "limits[1].burst: is more than `requests` (10)"),
    DefinitionFault("key: [connection] }", "key: [tenant] }", "limits[0].key[0]: is `tenant`"),
    DefinitionFault("key: [connection] }", "key: [] }", "limits[0].key: is an empty list"),
    DefinitionFault("key: [connection] }", "keys: [connection] }", "did you mean `key`?"),
    DefinitionFault("name: writes", "name: default", "there is a limit named default already"),
    DefinitionFault("limits: [{", "limit: [{", "plans.free.limits: is missing"),
    DefinitionFault("format: epoch_s", "format: epoch", "limit_headers.reset.format: is `epoch`"),
    DefinitionFault("attempts: 4", "attempts: 11", "retry.attempts: is `11`"),
    DefinitionFault("cap: 2s", "cap: 50ms", "`cap` is shorter than `base`"),
    DefinitionFault("class: rate_limited", "class: rateLimited", "did you mean rate_limited?"),
    DefinitionFault("effect: none", "effect: nothing", "errors[0].effect: is `nothing`"),
    DefinitionFault("status: [429, 5xx]", "status: [429, 6xx]", "status[1]: is `6xx`"),
    DefinitionFault("status: [429, 5xx]", "status: [99]", "status[0]: is `99`; write a status"),
    DefinitionFault("{ body: { ok: false } }", "{}", "errors[1].when: matches everything"),
    DefinitionFault("X-Reason:", "\"X:Reason\":", "is no header name"),
    DefinitionFault("[1, null, \"2\"]", "[[1]]", "is a list; write a single value"),
    DefinitionFault("style: cursor", "style: scroll", "pagination.style: is `scroll`"),
    DefinitionFault("  next: meta.next\n", "", "`next` is missing"),
    DefinitionFault("[a-z0-9-]{1,40}", "[a-z0-9-]+", "repeats without a bound"),
    DefinitionFault("[a-z0-9-]{1,40}", "[a-z", "has a [ without a ]"),
    DefinitionFault("[a-z0-9-]{1,40}", "(a{1,9}){1,9}", "repeats a group that repeats"),
    DefinitionFault("[a-z0-9-]{1,40}", "[z-a]", "is no valid regular expression"),
  ]

  static let webhooks = [
    DefinitionFault("scheme: hmac", "scheme: rsa", "webhook.scheme: is `rsa`"),
    DefinitionFault("scheme: hmac", "scheme: stripe", "is fixed by the scheme stripe"),
    DefinitionFault("algorithm: sha512", "algorithm: md5", "webhook.algorithm: is `md5`"),
    DefinitionFault("  header: X-Acme-Signature\n", "", "webhook.header: is missing"),
    DefinitionFault("{timestamp}.{body}", "{timestamp}", "must hold {body} exactly once"),
    DefinitionFault("{timestamp}.{body}", "{url}{body}", "names {url}"),
    DefinitionFault("{timestamp}.{body}", "{body", "has a { without a }"),
    DefinitionFault("  timestamp_header: X-Acme-Time\n", "", "`timestamp_header` is missing"),
    DefinitionFault(
      "{ header: X-Acme-Id }", "{ header: X-A, body: id }", "either `header` or `body`"),
    DefinitionFault("{ header: X-Acme-Id }", "X-Acme-Id", "webhook.event_id: is a single value"),
    DefinitionFault("matches: identity.id", "matches: id", "webhook.connection.matches: is `id`"),
    DefinitionFault(", matches: identity.id", "", "webhook.connection.matches: is missing"),
    DefinitionFault("reject_status: 403", "reject_status: 200", "a whole number from 400 to 499"),
    DefinitionFault(", answer: challenge", "", "webhook.challenge.answer: is missing"),
  ]

  static let syncs = [
    DefinitionFault("path: /v1/notes", "path: notes", "syncs.notes.path: is `notes`"),
    DefinitionFault(
      "    id: id\n    updated", "    updated", "syncs.orders.id: is missing"),
    DefinitionFault("host: files", "host: nope", "syncs.orders.host: is `nope`, which `hosts`"),
    DefinitionFault("params: { list: all }", "params: { other: all }", "names {list}, which"),
    DefinitionFault("style: offset", "style: rows", "syncs.orders.pagination.style: is `rows`"),
    DefinitionFault("style: since", "style: delta", "syncs.orders.incremental.style: is `delta`"),
    DefinitionFault("overlap: 10m", "overlap: 30d", "syncs.orders.incremental.overlap: is `30d`"),
    DefinitionFault("overlap: 10m", "next: a.b", "does not belong to the style since"),
    DefinitionFault(
      "next: meta.token,", "style: token,", "syncs.notes.incremental.next: is missing"),
    DefinitionFault("format: epoch_ms", "format: iso", "syncs.orders.incremental.format: is `iso`"),
    DefinitionFault("cast: int", "cast: number", "map.total_cents.cast: is `number`"),
    DefinitionFault("when: { status: [gone, 4] }", "when: {}", "deleted.when: matches everything"),
    DefinitionFault(
      "upsert: [order.created], delete: [order.deleted], ", "", "events: names no event"),
    DefinitionFault("full: \"@daily\"", "full: \"0 0 31 2 *\"", "schedule.full: is `0 0 31 2 *`"),
    DefinitionFault("*/5 * * * *", "every 5m", "schedule.incremental: is `every 5m`"),
    DefinitionFault("deletion_guard: 0.2", "deletion_guard: 2", "deletion_guard: is `2`; write a"),
    DefinitionFault("  notes:", "  Notes:", "syncs.Notes: a name is"),
    DefinitionFault("  event_type: { body: type }\n", "", "needs `webhook.event_type`"),
  ]

  @Test(arguments: addresses + authorization + policies + webhooks + syncs)
  func aFaultIsNamed(fault: DefinitionFault) {
    let problems = DefinitionSamples.problems(DefinitionSamples.complete(fault.old, fault.new))
    #expect(problems.contains { $0.contains(fault.message) }, "\(problems)")
    #expect(problems.allSatisfy { $0.hasPrefix("acme.yaml:") })
  }

  @Test func theSampleItselfHasNoFault() {
    #expect(DefinitionSamples.problems(DefinitionSamples.complete) == [])
  }

  @Test func aFaultInsideAListNamesItsLine() throws {
    let yaml = DefinitionSamples.complete("requests: 10\n", "requests: ten\n")
    let line = try #require(
      yaml.split(separator: "\n", omittingEmptySubsequences: false)
        .firstIndex { $0.contains("requests: ten") })
    let problems = DefinitionSamples.problems(yaml)
    #expect(problems.count == 1)
    #expect(problems[0].hasPrefix("acme.yaml:\(line + 1): limits[1].requests: "))
  }

  @Test func aHostileFileDoesNotFillTheLog() {
    let keys = (0..<180).map { "unknown_key_\($0): 1" }.joined(separator: "\n")
    let problems = DefinitionSamples.problems(DefinitionSamples.minimal + "\n" + keys)
    #expect(problems.count == 51)
    #expect(problems.last?.hasSuffix("… and 130 more.") == true)
  }
}
