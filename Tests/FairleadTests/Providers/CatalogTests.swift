import Foundation
import Testing

@testable import Fairlead

@Suite struct CatalogTests {
  private func definition(_ name: String) throws -> ProviderDefinition {
    try #require(try DefinitionLoader.catalog().first { $0.name == name })
  }

  /// The class of an answer by the rules of a definition, as the request pipeline reads them.
  private func rule(
    _ definition: ProviderDefinition, status: Int, body: JSONValue
  ) -> ProviderDefinition.ErrorRule? {
    definition.errors.first { rule in
      (rule.when.status.isEmpty || rule.when.status.contains(status))
        && rule.when.headers.isEmpty
        && rule.when.body.allSatisfy { path, values in
          body[path: path].map(values.contains) ?? false
        }
    }
  }

  @Test func holdsTheBuiltInProviders() throws {
    #expect(
      try DefinitionLoader.catalog().map(\.name)
        == ["clerk", "github", "google", "openai", "slack", "stripe"])
  }

  @Test func everyFileOfTheFolderIsEmbedded() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appendingPathComponent("Sources/Fairlead/Providers/Catalog")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(Catalog.files.map(\.name) == names)
    for (name, bytes) in Catalog.files {
      #expect(try Data(contentsOf: folder.appendingPathComponent(name)) == Data(bytes), "\(name)")
    }
  }

  @Test func theLintHasNothingToSay() throws {
    for (name, bytes) in Catalog.files {
      let warnings = try DefinitionLint.warnings(
        yaml: String(decoding: bytes, as: UTF8.self), file: name)
      #expect(warnings == [], "\(warnings)")
    }
  }

  @Test func everyMessageIsASentence() throws {
    for definition in try DefinitionLoader.catalog() {
      for message in definition.errors.compactMap(\.message) {
        #expect(message.hasSuffix("."), "\(message)")
        #expect(!message.contains("429"))
      }
    }
  }

  @Test func slackAuthorizesAsAConfidentialClient() throws {
    guard case .oauth2Code(let oauth) = try definition("slack").auth else {
      Issue.record("not OAuth")
      return
    }
    #expect(oauth.authorizeURL == "https://slack.com/oauth/v2/authorize")
    #expect(oauth.tokenURL == "https://slack.com/api/oauth.v2.access")
    #expect(oauth.revokeURL == "https://slack.com/api/auth.revoke")
    #expect(oauth.revoke.tokenIn == .bearer)
    #expect(oauth.pkce == .off)
    #expect(oauth.clientAuth == .basic)
    #expect(oauth.scopeSeparator == ",")
    #expect(oauth.refreshRotates)
    #expect(oauth.successWhen?.body == ["ok": [true]])
  }

  @Test(arguments: [
    (429, "", ErrorClass.rateLimited, ProviderDefinition.Effect.none),
    (200, "ratelimited", .rateLimited, .none),
    (200, "rate_limited", .rateLimited, .none),
    (200, "message_limit_exceeded", .quotaExhausted, .none),
    (200, "token_expired", .authExpired, .none),
    (200, "invalid_auth", .authExpired, .none),
    (200, "token_revoked", .authRevoked, .none),
    (200, "account_inactive", .authRevoked, .none),
    (200, "not_authed", .invalid, .none),
    (200, "missing_scope", .forbidden, .none),
    (200, "not_in_channel", .forbidden, .none),
    (200, "channel_not_found", .notFound, .none),
    (503, "service_unavailable", .transient, .none),
    (200, "service_unavailable", .transient, .none),
    (200, "internal_error", .transient, .unknown),
    (200, "fatal_error", .transient, .unknown),
    (200, "request_timeout", .transient, .unknown),
    (200, "something_new", .invalid, .unknown),
  ])
  func slackErrors(
    status: Int, error: String, errorClass: ErrorClass, effect: ProviderDefinition.Effect
  ) throws {
    let rule = rule(
      try definition("slack"), status: status, body: ["ok": false, "error": .string(error)])
    #expect(rule?.errorClass == errorClass)
    #expect(rule?.effect == effect)
  }

  @Test func aGoodSlackAnswerMatchesNoRule() throws {
    #expect(rule(try definition("slack"), status: 200, body: ["ok": true]) == nil)
  }

  @Test func slackVerifiesWebhooksAndAnswersTheChallenge() throws {
    let webhook = try #require(try definition("slack").webhook)
    #expect(webhook.scheme == .hmac)
    #expect(webhook.prefix == "v0=")
    #expect(webhook.signed == "v0:{timestamp}:{body}")
    #expect(webhook.header == "X-Slack-Signature")
    #expect(webhook.timestampHeader == "X-Slack-Request-Timestamp")
    #expect(webhook.tolerance == .seconds(300))
    #expect(webhook.eventID == .body("event_id"))
    #expect(webhook.challenge?.when.body == ["type": ["url_verification"]])
    #expect(webhook.challenge?.answer == "challenge")
  }

  @Test func slackLimitsAreCountedPerMethodAndWorkspace() throws {
    let limits = try definition("slack").limits
    #expect(limits.allSatisfy { $0.key == [.connection, .path] && $0.period == .seconds(60) })
    #expect(limits.first?.paths == [])
    let tier2 = try #require(limits.first { $0.name == "tier2" })
    #expect(tier2.requests == 20)
    #expect(tier2.paths.contains("/api/conversations.list"))
  }

  @Test(arguments: [
    (429, "lock_timeout", "invalid_request_error", ErrorClass.conflictRetryable),
    (429, "rate_limit", "invalid_request_error", .rateLimited),
    (409, "idempotency_key_in_use", "invalid_request_error", .conflictRetryable),
    (400, "", "idempotency_error", .invalid),
    (402, "card_declined", "card_error", .invalid),
    (401, "api_key_expired", "invalid_request_error", .authRevoked),
    (403, "", "invalid_request_error", .forbidden),
    (404, "resource_missing", "invalid_request_error", .notFound),
  ])
  func stripeErrors(status: Int, code: String, type: String, errorClass: ErrorClass) throws {
    let rule = rule(
      try definition("stripe"), status: status,
      body: ["error": ["code": .string(code), "type": .string(type)]])
    #expect(rule?.errorClass == errorClass)
    if status == 429 { #expect(rule?.effect == ProviderDefinition.Effect.none) }
  }

  @Test func stripeHonoursIdempotencyKeysAndRejectsForgeriesWith400() throws {
    let stripe = try definition("stripe")
    #expect(stripe.idempotency == .init(header: "Idempotency-Key", methods: ["POST"]))
    #expect(stripe.webhook?.scheme == .stripe)
    #expect(stripe.webhook?.rejectStatus == 400)
    #expect(stripe.webhook?.eventID == .body("id"))
    #expect(stripe.apply == .header(name: "Authorization", value: "Bearer {api_key}"))
    #expect(stripe.verify?.path == "/v1/customers?limit=1")
    #expect(stripe.plans.keys.sorted() == ["live", "test"])
  }

  @Test(arguments: [
    (429, "insufficient_quota", "", ErrorClass.quotaExhausted),
    (429, "", "insufficient_quota", .quotaExhausted),
    (429, "billing_hard_limit_reached", "", .quotaExhausted),
    (429, "rate_limit_exceeded", "requests", .rateLimited),
    (503, "slow_down", "", .transient),
    (500, "", "server_error", .transient),
    (401, "invalid_api_key", "", .authRevoked),
    (404, "model_not_found", "", .notFound),
    (400, "context_length_exceeded", "", .invalid),
  ])
  func openAIErrors(status: Int, code: String, type: String, errorClass: ErrorClass) throws {
    let rule = rule(
      try definition("openai"), status: status,
      body: ["error": ["code": .string(code), "type": .string(type)]])
    #expect(rule?.errorClass == errorClass)
    if status == 429 { #expect(rule?.effect == ProviderDefinition.Effect.none) }
  }

  @Test(arguments: [
    (403, "rateLimitExceeded", ErrorClass.rateLimited, ProviderDefinition.Effect.none),
    (403, "userRateLimitExceeded", .rateLimited, .none), (429, "", .rateLimited, .none),
    (403, "quotaExceeded", .quotaExhausted, .none),
    (403, "insufficientPermissions", .forbidden, .none), (403, "forbidden", .forbidden, .none),
    (401, "authError", .authExpired, .none), (404, "notFound", .notFound, .none),
    (409, "duplicate", .invalid, .none), (410, "deleted", .notFound, .none),
    (410, "fullSyncRequired", .cursorExpired, .none), (410, "", .cursorExpired, .none),
    (412, "conditionNotMet", .invalid, .none), (503, "backendError", .transient, .unknown),
  ])
  func googleErrors(
    status: Int, reason: String, errorClass: ErrorClass, effect: ProviderDefinition.Effect
  ) throws {
    let rule = rule(
      try definition("google"), status: status,
      body: ["error": ["code": .int(Int64(status)), "errors": [["reason": .string(reason)]]]])
    #expect(rule?.errorClass == errorClass)
    #expect(rule?.effect == effect)
  }

  @Test func googleAsksForARefreshTokenEachTimeAndKeepsIt() throws {
    let google = try definition("google")
    guard case .oauth2Code(let oauth) = google.auth else {
      Issue.record("not OAuth")
      return
    }
    #expect(oauth.authorizeParams["access_type"] == "offline")
    #expect(oauth.authorizeParams["prompt"] == "consent")
    #expect(oauth.pkce == .s256)
    #expect(!oauth.refreshRotates)
    #expect(oauth.revokeURL == "https://oauth2.googleapis.com/revoke")
    #expect(google.verify?.identityID == "sub")
    #expect(google.hosts["gmail"] == "https://gmail.googleapis.com")
    #expect(google.limits.map(\.key) == [[.connection], [.integration]])
  }

  @Test func openAIReadsItsQuotaFromHeaders() throws {
    let headers = try definition("openai").limitHeaders
    #expect(headers?.remaining == "x-ratelimit-remaining-requests")
    #expect(headers?.resetFormat == .goDuration)
  }
}
