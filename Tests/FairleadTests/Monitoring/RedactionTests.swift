import Fairlead
import HTTPTypes
import Testing

@Suite struct RedactionTests {
  @Test(arguments: [
    ("xoxb-12-34-abCD", "***"), ("a xoxe.xoxp-1-abcd b", "a *** b"),
    ("key sk_live_51HabcDEF, next", "key ***, next"), ("rk_test_51HabcDEF", "***"),
    ("secret is whsec_MfKQ9r8GKYqrTwjU", "secret is ***"),
    ("using sk-proj-abcdef0123456789xyz", "using ***"),
    ("ghp_0123456789abcdefABCDEF0123456789abcd", "***"),
    ("github_pat_11ABC_xyz", "***"), ("ya29.a0AfH6SMB", "***"),
    ("(1//0gabcdefghijkl-mn)", "(***)"), ("shpat_0123456789abcdef", "***"),
    ("AIzaSyA-0123456789abcdefghijklmnopqrst", "***"), ("fl_0123456789abcdefghij", "***"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln ok", "jwt *** ok"),
    ("token=hunter2&x=1", "token=***&x=1"), ("access_token: hunter2", "access_token: ***"),
    (#"{"client_secret":"a\"b","n":1}"#, #"{"client_secret":"***","n":1}"#),
    (#"{"apiKey": "abc", "tokens": ["a","b"]}"#, #"{"apiKey": "***", "tokens": ***}"#),
    (#"{\"password\":\"hunter2\",\"n\":1}"#, #"{\"password\":\"***\",\"n\":1}"#),
    ("Authorization: Bearer abc def\nHost: x", "Authorization: ***\nHost: x"),
    ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
    ("got Bearer abc.DEF123 back", "got Bearer *** back"),
    ("Basic dXNlcjpwYXNz", "Basic ***"),
    ("postgres://joe:hunter2@db.example/x", "postgres://***@db.example/x"),
    ("https://x.example/cb?code=abcdef&state=opaque", "https://x.example/cb?code=***&state=***"),
    ("access_token%3Dhunter2%26n%3D1", "access_token%3D***"),
    ("%22refresh_token%22%3A%22hunter2%22", "%22refresh_token%22%3A%22***%22"),
    ("x%3Dsk-abcdefghijklmnop", "x%3D***"), ("code=SplxlOBeZQQYbYS6WxSbIA", "code=***"),
    ("Stripe-Signature: t=1,v1=abc", "Stripe-Signature: ***"),
    ("signature=ab&n=1", "signature=***&n=1"),
    (
      "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nrest",
      "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nrest"
    ),
  ])
  func credentialsInTextAreMasked(text: String, expected: String) {
    #expect(Redaction.text(text) == expected)
  }

  @Test(arguments: [
    "", "The call to Stripe failed with status 503.", "code=404 state=active",
    "state: needs_reauth",
    #"{"error":{"code":"card_declined","message":"Your card was declined."}}"#,
    "GET /v1/customers/cus_123?limit=3", "a task-force took a risk-free look at work_queue_items",
    "bearer of bad news", "basic authentication", "refresh_token: null", "total_tokens=1234",
    "see http://a/1//b", "request req_0123456789abcdefghijklmnop of conn_default_stripe",
    "token_type=bearer", "π ≈ 3,14 and 🙂", "NEEDS_REAUTH: connect again", "key: integration",
    "-----BEGIN CERTIFICATE-----\nMIIE", "12:30:45 started", "https://example.com/a@b",
  ])
  func plainTextStaysAsItIs(text: String) {
    #expect(Redaction.text(text) == text)
  }

  @Test(arguments: [
    ("Authorization", "Bearer abc", "Bearer ***"), ("proxy-authorization", "abc", "***"),
    ("Cookie", "a=b", "***"), ("Set-Cookie", "a=b; Path=/", "***"), ("X-Api-Key", "k", "***"),
    ("X-Slack-Signature", "v0=abc", "***"), ("Stripe-Signature", "t=1,v1=2", "***"),
    ("X-Hub-Signature-256", "sha256=a", "***"), ("X-Shopify-Access-Token", "t", "***"),
    ("X-Goog-Channel-Token", "t", "***"), ("fairlead-key", "plain", "***"),
    ("Content-Type", "application/json", "application/json"),
    ("X-Custom", "sk_live_abcdef", "***"),
    ("Location", "https://a/cb?code=x&n=1", "https://a/cb?code=***&n=1"),
    ("Idempotency-Key", "order-17", "order-17"), ("Authorization", "", ""),
  ])
  func headersAreMaskedByName(name: String, value: String, expected: String) throws {
    #expect(Redaction.header(name, value) == expected)
    var fields = HTTPFields()
    fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
    #expect(Redaction.headers(fields).first?.value == expected)
  }

  @Test(arguments: [
    (
      "https://joe:pw@h.example/p?x=1&access_token=abc#id_token=def&n=1",
      "https://***@h.example/p?x=1&access_token=***#id_token=***&n=1"
    ),
    ("/cb?CODE=a+b&state=&scope=read", "/cb?CODE=***&state=&scope=read"),
    ("/p?client%5Fsecret=abc", "/p?client%5Fsecret=***"),
    ("/p?q=sk%5Flive%5Fabcdef", "/p?q=***"), ("/p?sk_live_abcdef", "/p?***"),
    ("/p?sk_live_abcdef=1", "/p?***=1"), ("/a%zz?b=%", "/a%zz?b=%"), ("/plain", "/plain"),
    ("/files/xoxb-12-34-ab/x", "/files/***"), ("/p?", "/p?"), ("/p#", "/p#"),
  ])
  func urlsLoseTheirSecretParameters(url: String, expected: String) {
    #expect(Redaction.url(url) == expected)
  }

  @Test func jsonIsMaskedByNameAndByValueAtAnyDepth() throws {
    let source = try JSONValue(
      parsing: #"""
        {"access_token":"a","expires_in":3600,"ok":true,"usage":{"total_tokens":5},
         "team":{"name":"x","refresh":"r"},"code":123456,"password":null,
         "items":[{"note":"key sk_live_abcd"},{"credentials":{"a":"b"}}],"token_type":"bot"}
        """#.utf8)
    let expected = try JSONValue(
      parsing: #"""
        {"access_token":"***","expires_in":3600,"ok":true,"usage":{"total_tokens":5},
         "team":{"name":"x","refresh":"***"},"code":"***","password":null,
         "items":[{"note":"key ***"},{"credentials":"***"}],"token_type":"bot"}
        """#.utf8)
    #expect(Redaction.json(source) == expected)
  }

  @Test func fingerprintsTellSecretsApartAndTellNothingElse() {
    let fingerprinter = Fingerprinter(random: RandomSource(seed: 1))
    let first = fingerprinter.fingerprint(of: Secret("hunter2"))
    #expect(first == fingerprinter.fingerprint(of: Secret("hunter2")))
    #expect(first != fingerprinter.fingerprint(of: Secret("hunter3")))
    #expect(
      first != Fingerprinter(random: RandomSource(seed: 2)).fingerprint(of: Secret("hunter2")))
    #expect(first.count == 8)
  }
}
