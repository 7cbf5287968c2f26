/// The keys of a definition, mapping by mapping. docs/definitions.md describes each of them; a test
/// compares the two.
enum DefinitionKey: String, YAMLKeySet {
  case name, purpose, docs, dashboard, setup, hosts, params, auth, apply, verify, timeout, bulkhead
  case plans, limits, retry, idempotency, errors, endpoints, pagination, webhook, syncs
  case breaker, fallback
  case displayName = "display_name"
  case baseURL = "base_url"
  case limitHeaders = "limit_headers"
  case defaultHeaders = "default_headers"
  case rewrite
  case replacesCatalog = "replaces_catalog"

}

enum ParameterKey: String, YAMLKeySet { case pattern, label }

enum AuthKey: String, YAMLKeySet {
  case type, scopes, pkce, nonce, issuer, refresh, revoke
  case authorizeURL = "authorize_url"
  case tokenURL = "token_url"
  case revokeURL = "revoke_url"
  case issuerRequired = "issuer_required"
  case clientAuth = "client_auth"
  case authorizeParams = "authorize_params"
  case tokenRequest = "token_request"
  case tokenResponse = "token_response"
}

enum AuthType: String, CaseIterable {
  case oauth2Code = "oauth2_code"
  case apiKey = "api_key"
  case basic, none

  static let later = ["oauth2_client_credentials", "oauth2_device", "jwt_bearer", "two_step"]
}

enum ScopesKey: String, YAMLKeySet {
  case separator
  case defaultScopes = "default"
}

enum TokenRequestKey: String, YAMLKeySet { case format, params, headers }

enum TokenResponseKey: String, YAMLKeySet {
  case scope, expires
  case successWhen = "success_when"
  case accessToken = "access_token"
  case refreshToken = "refresh_token"
}

enum ExpiresKey: String, YAMLKeySet { case path, unit }
enum RefreshKey: String, YAMLKeySet { case rotates }

enum RevokeKey: String, YAMLKeySet {
  case method, token
  case clientAuth = "client_auth"
  case tokenIn = "token_in"
  case tokenParam = "token_param"
  case successWhen = "success_when"
}

enum ApplyKey: String, YAMLKeySet { case header, value, query }
enum ApplyQueryKey: String, YAMLKeySet { case name, value }
enum VerifyKey: String, YAMLKeySet { case method, path, identity }
enum IdentityKey: String, YAMLKeySet { case id, label }
enum PlanKey: String, YAMLKeySet { case limits }
enum LimitKey: String, YAMLKeySet { case name, requests, per, key, burst, paths, methods }
enum LimitHeadersKey: String, YAMLKeySet { case remaining, reset }
enum LimitResetKey: String, YAMLKeySet { case header, format }

enum RetryKey: String, YAMLKeySet {
  case attempts, base, cap
  case retryAfterCap = "retry_after_cap"
}

enum BreakerKey: String, YAMLKeySet {
  case window, open, probes, consecutive
  case failureRatio = "failure_ratio"
  case minimumCalls = "minimum_calls"
  case openCap = "open_cap"
}

enum FallbackKey: String, YAMLKeySet {
  case message, on, responses
  case staleIfError = "stale_if_error"
}

enum FallbackResponseKey: String, YAMLKeySet {
  case method, path, when, unless, effect, status, headers, json, events
}

enum FallbackEventKey: String, YAMLKeySet { case event, data, when }
enum IdempotencyKeys: String, YAMLKeySet { case header, methods }

enum ErrorRuleKey: String, YAMLKeySet {
  case when, effect, message, wait
  case errorClass = "class"
}

enum ConditionKey: String, YAMLKeySet {
  case status, headers, body
  case bodyContains = "body_contains"
}

enum RewriteKey: String, YAMLKeySet {
  case links
  case bodyURLs = "body_urls"
}

enum PaginationKey: String, YAMLKeySet {
  case style, param, next, items, size
  case hasMore = "has_more"
}

enum PageSizeKey: String, YAMLKeySet { case param, max }

enum WebhookKey: String, YAMLKeySet {
  case scheme, algorithm, encoding, header, prefix, signed, tolerance, connection, events
  case configuration, challenge, timestamped, channel
  case timestampHeader = "timestamp_header"
  case eventID = "event_id"
  case eventType = "event_type"
  case eventAction = "event_action"
  case rejectStatus = "reject_status"
  case ownerDeleted = "owner_deleted"
}

enum LocationKey: String, YAMLKeySet { case header, body }
enum WebhookConnectionKey: String, YAMLKeySet { case header, body, matches }
enum ChallengeKey: String, YAMLKeySet { case when, answer }
enum OwnerDeletedKey: String, YAMLKeySet { case events, owner }
enum ChannelKey: String, YAMLKeySet { case id, resource, number }

/// Every key with its dotted path, for documentation, completion and tests.
enum DefinitionFormat {
  static let keys: [String] = {
    var all = paths("", DefinitionKey.self)
    all += paths("params.NAME.", ParameterKey.self) + paths("auth.", AuthKey.self)
    all += paths("auth.scopes.", ScopesKey.self)
    all += paths("auth.token_request.", TokenRequestKey.self)
    all += paths("auth.token_response.", TokenResponseKey.self)
    all += paths("auth.token_response.expires.", ExpiresKey.self)
    all += paths("auth.refresh.", RefreshKey.self) + paths("auth.revoke.", RevokeKey.self)
    all += paths("apply.", ApplyKey.self) + paths("apply.query.", ApplyQueryKey.self)
    all += paths("verify.", VerifyKey.self) + paths("verify.identity.", IdentityKey.self)
    all += paths("plans.NAME.", PlanKey.self) + paths("limits[].", LimitKey.self)
    all += paths("limit_headers.", LimitHeadersKey.self)
    all += paths("limit_headers.reset.", LimitResetKey.self) + paths("retry.", RetryKey.self)
    all += paths("idempotency.", IdempotencyKeys.self) + paths("errors[].", ErrorRuleKey.self)
    all += paths("when.", ConditionKey.self) + paths("pagination.", PaginationKey.self)
    all += paths("pagination.size.", PageSizeKey.self) + paths("webhook.", WebhookKey.self)
    all += paths("rewrite.", RewriteKey.self)
    all += paths("webhook.event_id.", LocationKey.self)
    all += paths("webhook.connection.", WebhookConnectionKey.self)
    all += paths("webhook.challenge.", ChallengeKey.self)
    all += paths("syncs.NAME.", SyncKey.self)
    all += paths("syncs.NAME.incremental.", SyncIncrementalKey.self)
    all += paths("syncs.NAME.deleted.", SyncDeletedKey.self)
    all += paths("syncs.NAME.map.FIELD.", SyncFieldKey.self)
    all += paths("syncs.NAME.events.", SyncEventsKey.self)
    all += paths("syncs.NAME.schedule.", SyncScheduleKey.self)
    all += paths("breaker.", BreakerKey.self) + paths("fallback.", FallbackKey.self)
    all += paths("fallback.responses[].", FallbackResponseKey.self)
    all += paths("fallback.responses[].events[].", FallbackEventKey.self)
    all += paths("webhook.owner_deleted.", OwnerDeletedKey.self)
    all += paths("syncs.NAME.push.", PushKey.self)
    all += paths("syncs.NAME.push.watch.", PushRequestKey.self)
    all += paths("syncs.NAME.push.expires.", ExpiresKey.self)
    all += paths("webhook.channel.", ChannelKey.self)
    return all
  }()

  private static func paths<Key: YAMLKeySet>(_ prefix: String, _ keys: Key.Type) -> [String] {
    Key.allCases.map { prefix + $0.rawValue }
  }
}
