import Fairlead

/// A definition that uses every key, and means to change one of its lines.
enum DefinitionSamples {
  static let minimal = """
    name: acme
    display_name: Acme
    purpose: Orders
    base_url: https://api.acme.example
    auth: { type: api_key }
    """

  static let complete = """
    name: acme
    display_name: Acme
    purpose: Orders and customers
    docs: https://developers.acme.example
    dashboard: https://app.acme.example
    setup: ["Create an app", "Copy client id and secret"]
    base_url: https://{shop}.acme.example
    hosts: { files: "https://files.acme.example:8443" }
    params: { shop: { pattern: "[a-z0-9-]{1,40}", label: Shop name } }
    auth:
      type: oauth2_code
      authorize_url: https://{shop}.acme.example/oauth/authorize?prompt=consent
      token_url: https://acme.example/oauth/token
      revoke_url: https://acme.example/oauth/revoke
      scopes: { separator: ",", default: [read, write] }
      pkce: S256
      nonce: true
      issuer: https://acme.example
      issuer_required: true
      client_auth: basic
      authorize_params: { access_type: offline }
      token_request: { format: json, params: { audience: api }, headers: { X-Version: "2" } }
      token_response:
        success_when: { status: 200, body: { ok: true } }
        access_token: data.access
        refresh_token: data.refresh
        scope: data.scope
        expires: { path: data.ttl, unit: ms }
      refresh: { rotates: true }
      revoke: { token_in: bearer, success_when: { body: { revoked: true } } }
    default_headers: { X-Acme-Version: "3" }
    apply: { header: X-Token, value: "Token {access_token}" }
    verify: { method: POST, path: /me, identity: { id: id, label: name } }
    timeout: 20s
    bulkhead: 8
    plans: { free: { limits: [{ name: default, requests: 3, per: 1m, key: [integration] }] } }
    limits:
      - { name: default, requests: 100, per: 1s, key: [connection] }
      - name: writes
        requests: 10
        per: 1m
        key: [connection, path]
        burst: 2
        paths: ["/orders/{id}"]
        methods: [POST, DELETE]
    limit_headers:
      remaining: X-RateLimit-Remaining
      reset: { header: X-RateLimit-Reset, format: epoch_s }
    retry: { attempts: 4, base: 100ms, cap: 2s, retry_after_cap: 1m }
    idempotency: { header: Idempotency-Key, methods: [POST, PATCH] }
    errors:
      - when: { status: [429, 5xx], headers: { X-Reason: [slow, busy] }, body: { error.code: [1, null, "2"] }, body_contains: { message: [too fast, slow] } }
        class: rate_limited
        effect: none
        wait: 30s
        message: Slow down.
      - { when: { body: { ok: false } }, class: invalid }
    endpoints: ["/orders/{id}"]
    pagination:
      style: cursor
      param: cursor
      next: meta.next
      has_more: meta.more
      items: data
      size: { param: limit, max: 100 }
    rewrite: { links: false, body_urls: [href, "*_url"] }
    webhook:
      scheme: hmac
      algorithm: sha512
      encoding: base64
      header: X-Acme-Signature
      prefix: "sha512="
      signed: "{timestamp}.{body}"
      timestamp_header: X-Acme-Time
      tolerance: 2m
      event_id: { header: X-Acme-Id }
      event_type: { body: type }
      event_action: { body: action }
      connection: { body: account_id, matches: identity.id }
      events: [order.created]
      configuration: ["Settings / Webhooks / Add endpoint {url}"]
      reject_status: 403
      challenge: { when: { body: { type: ping } }, answer: challenge }
    syncs:
      orders:
        path: /v1/{list}/orders
        host: files
        params: { list: all }
        query: { expand: lines }
        pagination: { style: offset, param: offset, items: data, size: { param: limit, max: 100 } }
        items: data
        id: id
        updated: updated_at
        incremental: { style: since, param: updated_since, format: epoch_ms, overlap: 10m }
        deleted: { when: { status: [gone, 4] }, unless: [parent] }
        map: { id: id, total_cents: { path: total, cast: int } }
        events: { upsert: [order.created], delete: [order.deleted], data: data, id: key, time: at }
        schedule: { full: "@daily", incremental: "*/5 * * * *" }
        deletion_guard: 0.2
      notes:
        path: /v1/notes
        id: id
        incremental: { param: token, next: meta.token, drop: [expand] }
    breaker: { failure_ratio: 0.25, minimum_calls: 20, window: 1m, open: 1s, open_cap: 30s, probes: 2, consecutive: 3 }
    fallback:
      message: Not now.
      stale_if_error: 1h
      on: [unavailable, quota]
      responses:
        - method: GET
          path: /orders/{id}
          when: { headers: { Accept: application/json } }
          unless: { body: { live: true } }
          effect: none
          status: 203
          headers: { X-Source: fallback }
          json: { id: "{request.id}", text: "{message}", at: "{now}", list: [1, null] }
        - path: /stream
          events: [ { event: note, data: { text: "{message.piece}" }, when: { body: { a: 1 } } }, { data: end } ]
    replaces_catalog: true
    """

  /// The complete sample with one piece of text replaced; the piece must be there.
  static func complete(_ old: String, _ new: String) -> String {
    precondition(complete.contains(old), "the sample does not hold \(old)")
    return complete.replacing(old, with: new, maxReplacements: 1)
  }

  /// The problems of a text; empty when it loads.
  static func problems(_ yaml: String, file: String = "acme.yaml") -> [String] {
    do {
      _ = try DefinitionLoader.load(yaml: yaml, file: file)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }
}
