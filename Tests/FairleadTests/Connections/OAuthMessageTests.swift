import Fairlead
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite struct OAuthMessageTests {
  @Test func challengeIsTheSHA256OfTheVerifier() {
    #expect(
      PKCE(verifier: Secret("secretpassword")).challenge
        == "ldMBaaWcQYtSATMV_IG8mf3wp7A6EW80arYoSW80ntU")
    #expect(PKCE(random: .system).verifier.expose().utf8.count == 43)
  }

  @Test func authorizeURLCarriesWhatTheDefinitionSays() throws {
    let messages = try OAuthRequest(
      .acme {
        $0.scopeSeparator = ","
        $0.authorizeParams = ["access_type": "offline"]
      })
    let url = messages.authorizeURL(
      redirectURI: "https://f.example/oauth/callback/acme", state: "st&te",
      pkce: PKCE(verifier: Secret("secretpassword")), nonce: "n1")
    #expect(
      url.hasPrefix("https://acme.example/oauth/authorize?response_type=code&client_id=client&"))
    for part in [
      "redirect_uri=https%3A%2F%2Ff.example%2Foauth%2Fcallback%2Facme", "state=st%26te",
      "scope=read%2Cwrite", "code_challenge=ldMBaaWcQYtSATMV_IG8mf3wp7A6EW80arYoSW80ntU",
      "code_challenge_method=S256", "nonce=n1", "access_type=offline",
    ] { #expect(url.contains(part)) }
  }

  @Test func replacedBaseURLMovesTheEndpoints() throws {
    var integration = Integration.acme
    integration.baseURL = "http://127.0.0.1:4010/acme"
    let messages = try OAuthRequest(integration)
    #expect(
      messages.refresh(Secret("r")).url == "http://127.0.0.1:4010/acme/oauth/token")
    #expect(
      messages.authorizeURL(redirectURI: "x", state: "s", pkce: nil, nonce: nil)
        .hasPrefix("http://127.0.0.1:4010/acme/oauth/authorize?"))
  }

  @Test func clientAuthenticatesAsTheDefinitionSays() throws {
    func request(_ auth: ProviderDefinition.OAuth2.ClientAuth) throws -> (HTTPFields, String) {
      let request = try OAuthRequest(.acme { $0.clientAuth = auth })
        .exchange(code: Secret("c"), redirectURI: "https://f.example/cb", pkce: nil)
      guard case .bytes(let body) = request.body else { return ([:], "") }
      return (request.headers, String(buffer: body))
    }
    let basic = try request(.basic)
    #expect(basic.0[.authorization] == "Basic " + "client:s3cret%2F1".utf8.base64)
    #expect(!basic.1.contains("client_secret"))
    let body = try request(.body)
    #expect(body.0[.authorization] == nil)
    #expect(body.1.contains("client_id=client&client_secret=s3cret%2F1"))
    let none = try request(.none)
    #expect(none.1.contains("client_id=client") && !none.1.contains("client_secret"))
  }

  @Test func jsonBodiesWhereTheDefinitionAsks() throws {
    let request = try OAuthRequest(.acme { $0.tokenFormat = .json }).refresh(Secret("r\"1"))
    guard case .bytes(let body) = request.body else {
      Issue.record("no body")
      return
    }
    let json = try JSONValue(parsing: body.readableBytesView)
    #expect(json["refresh_token"] == "r\"1" && json["grant_type"] == "refresh_token")
    #expect(request.headers[.contentType] == "application/json")
  }

  @Test func missingClientSettingsAreTheOperatorsToFix() {
    var integration = Integration.acme
    integration.clientSecret = nil
    #expect(thrownCode { _ = try OAuthRequest(integration) } == .configurationError)
    #expect(thrownCode { _ = try OAuthRequest(.keyed) } == .invalidRequest)
  }
}

@Suite struct TokenResponseTests {
  static let slack = {
    var oauth = ProviderDefinition.OAuth2(authorizeURL: "https://s/a", tokenURL: "https://s/t")
    var success = ProviderDefinition.Condition()
    success.body = ["ok": [true]]
    oauth.successWhen = success
    oauth.scopeSeparator = ","
    return oauth
  }()
  static let usual = ProviderDefinition.OAuth2(authorizeURL: "https://a/a", tokenURL: "https://a/t")

  private func parse(
    _ text: String, status: Int = 200, as oauth: ProviderDefinition.OAuth2 = Self.usual
  ) -> TokenOutcome {
    TokenResponse.parse(status: status, headers: [:], body: Array(text.utf8), oauth: oauth)
  }

  private func grant(_ outcome: TokenOutcome) throws -> TokenGrant {
    guard case .granted(let grant) = outcome else {
      throw FairleadError(.invalidRequest, "not granted: \(outcome)")
    }
    return grant
  }

  @Test func readsAStandardAnswer() throws {
    let grant = try grant(
      parse(
        """
        {"access_token":"a","token_type":"Bearer","expires_in":3599,"scope":"x y",
         "refresh_token":"r"}
        """))
    #expect(grant.accessToken == Secret("a") && grant.refreshToken == Secret("r"))
    #expect(grant.lifetime == .seconds(3_599) && grant.scopes == ["x", "y"])
  }

  @Test func readsFormEncodedAnswersAndCommaSeparatedScopes() throws {
    let grant = try grant(parse("access_token=gho_1&scope=repo%2Cuser&token_type=bearer"))
    #expect(grant.accessToken == Secret("gho_1") && grant.scopes == ["repo", "user"])
    #expect(parse("error=bad_verification_code") == .grantRefused(code: "bad_verification_code"))
  }

  @Test func readsSlacksBotAndUserInstallations() throws {
    let bot = try grant(
      parse(
        """
        {"ok":true,"access_token":"xoxb-1","token_type":"bot","scope":"chat:write,users:read",
         "team":{"id":"T1"},"authed_user":{"id":"U1","access_token":"xoxp-2"}}
        """, as: Self.slack))
    #expect(bot.accessToken == Secret("xoxb-1") && bot.scopes == ["chat:write", "users:read"])
    let user = try grant(
      parse(
        """
        {"ok":true,"team":{"id":"T1"},"authed_user":{"id":"U1","access_token":"xoxp-2",
         "refresh_token":"xoxe-1","expires_in":43200,"scope":"search:read","token_type":"user"}}
        """, as: Self.slack))
    #expect(user.accessToken == Secret("xoxp-2") && user.refreshToken == Secret("xoxe-1"))
    #expect(user.lifetime == .seconds(43_200) && user.scopes == ["search:read"])
  }

  @Test(
    arguments: [
      (#"{"expires_in":"60"}"#, 60_000), (#"{"expires_in":0}"#, nil), (#"{"expires_in":-5}"#, nil),
      (#"{"expires_in":"soon"}"#, nil), (#"{"expires_in":1e300}"#, 3_200_000_000_000),
      (#"{"expires_in":null}"#, nil), (#"{}"#, nil),
    ] as [(String, Int64?)])
  func hostileLifetimesNeverTrap(text: String, milliseconds: Int64?) throws {
    var answer = try JSONValue(parsing: text.utf8).object ?? [:]
    answer["access_token"] = "a"
    let grant = try grant(parse(JSONValue.object(answer).text))
    #expect(grant.lifetime?.milliseconds == milliseconds)
  }

  @Test func millisecondsWhereTheDefinitionSaysSo() throws {
    var oauth = Self.usual
    oauth.expires.unit = .milliseconds
    let grant = try grant(parse(#"{"access_token":"a","expires_in":1500}"#, as: oauth))
    #expect(grant.lifetime == .milliseconds(1_500))
  }

  @Test(arguments: [
    (400, #"{"error":"invalid_grant"}"#, TokenOutcome.grantRefused(code: "invalid_grant")),
    (401, #"{"error":"invalid_client"}"#, .clientRefused(code: "invalid_client")),
    (401, "", .clientRefused(code: "status 401")),
    (400, #"{"error":"temporarily_unavailable"}"#, .transient(reason: "temporarily_unavailable")),
    (500, #"{"error":"invalid_grant"}"#, .transient(reason: "status 500")),
    (429, "", .transient(reason: "status 429")),
    (400, #"{"error":"<script>"}"#, .otherRefusal(code: "unknown")),
    (400, #"{"error":{"code":400,"message":"x"}}"#, .otherRefusal(code: "400")),
    (403, "nope", .otherRefusal(code: "status 403")),
    (200, "<html>", .ambiguous(reason: "an answer that is no JSON and no form")),
    (200, #"{"access_token":""}"#, .ambiguous(reason: "an answer without an access token")),
    (200, #"{"error":"bad_verification_code"}"#, .grantRefused(code: "bad_verification_code")),
  ])
  func saysWhatARefusalMeans(status: Int, body: String, expected: TokenOutcome) {
    #expect(parse(body, status: status) == expected)
  }

  @Test func slackRefusesWithStatus200() {
    #expect(
      parse(#"{"ok":false,"error":"invalid_refresh_token"}"#, as: Self.slack)
        == .grantRefused(code: "invalid_refresh_token"))
    #expect(
      parse(#"{"ok":false,"error":"bad_client_secret"}"#, as: Self.slack)
        == .clientRefused(code: "bad_client_secret"))
    #expect(
      parse(#"{"ok":false,"error":"ratelimited"}"#, as: Self.slack)
        == .transient(reason: "ratelimited"))
    #expect(
      parse(#"{"ok":false,"access_token":"a"}"#, as: Self.slack)
        == .otherRefusal(code: "status 200"))
  }

  @Test func anOmittedRefreshTokenLeavesTheOldOneInPlace() {
    let old = Credential.OAuth2(
      accessToken: Secret("a0"), refreshToken: Secret("r0"), issuedAt: Timestamp(seconds: 0))
    let grant = TokenGrant(accessToken: Secret("a1"), lifetime: .seconds(10))
    let now = Timestamp(seconds: 100)
    let new = grant.credential(issuedAt: now, keeping: old)
    #expect(new.refreshToken == Secret("r0") && new.accessToken == Secret("a1"))
    #expect(new.expiresAt == Timestamp(seconds: 110))
  }
}

/// The code of the error that `body` throws.
func thrownCode(_ body: () throws -> Void) -> ErrorCode? {
  do { try body() } catch let error as FairleadError { return error.code } catch { return nil }
  return nil
}

/// The same for asynchronous work; `nil` also when nothing is thrown.
func thrownCode(_ body: () async throws -> Void) async -> ErrorCode? {
  do { try await body() } catch let error as FairleadError { return error.code } catch {
    return nil
  }
  return nil
}
