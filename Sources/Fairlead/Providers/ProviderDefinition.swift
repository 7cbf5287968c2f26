/// What a third party's API is like: the typed form of one YAML definition.
///
/// A definition is data; everything in it is validated by the loader, so the rest of the code takes
/// it as it is. The YAML form and its keys are described in docs/definitions.md.
public struct ProviderDefinition: Sendable, Hashable {
  public var name: String
  public var displayName: String
  public var purpose: String
  public var docs: String?
  public var dashboard: String?
  /// What an operator does at the provider before connecting, one step an entry.
  public var setup: [String] = []
  /// An origin (scheme, host, optional port); may hold `{param}` placeholders in the host.
  public var baseURL: String
  /// Further origins by name, reached as `integration@name`.
  public var hosts: [String: String] = [:]
  public var params: [String: Parameter] = [:]
  public var auth: Auth
  public var apply: CredentialPlacement?
  /// Sent where the caller has no header of that name.
  public var defaultHeaders: [String: String] = [:]
  public var verify: Verification?
  public var timeout: Duration = .seconds(30)
  /// Calls in flight at once, at most.
  public var bulkhead: Int = 64
  /// Named plans, whose limits replace `limits` when the integration names the plan.
  public var plans: [String: [Limit]] = [:]
  public var limits: [Limit] = []
  public var limitHeaders: LimitHeaders?
  public var retry: RetrySettings = RetrySettings()
  /// `nil` turns the circuit breaker off.
  public var breaker: BreakerSettings? = BreakerSettings()
  public var fallback: FallbackSettings?
  public var idempotency: IdempotencySettings?
  /// Tried in order; the first that matches classifies the answer. Then the defaults apply.
  public var errors: [ErrorRule] = []
  /// Path templates for latency histograms, `/orders/{id}`.
  public var endpoints: [String] = []
  public var pagination: Pagination?
  public var rewrite = Rewriting()
  public var webhook: WebhookSettings?
  /// What can be kept in sync, by model.
  public var syncs: [String: ModelSync] = [:]
  /// It stands in for the catalog's definition of the same name.
  public var replacesCatalog = false

  public init(name: String, displayName: String, purpose: String, baseURL: String, auth: Auth) {
    self.name = name
    self.displayName = displayName
    self.purpose = purpose
    self.baseURL = baseURL
    self.auth = auth
  }
}

extension ProviderDefinition {
  /// A value the connection supplies, such as a shop name that becomes part of the host.
  public struct Parameter: Sendable, Hashable {
    /// A regular expression the whole value must match.
    public var pattern: String
    public var label: String

    public init(pattern: String, label: String) {
      self.pattern = pattern
      self.label = label
    }
  }

  public enum Auth: Sendable, Hashable {
    case oauth2Code(OAuth2)
    case apiKey
    case basic
    case none
  }

  public struct OAuth2: Sendable, Hashable {
    public enum ClientAuth: String, Sendable, Hashable, CaseIterable { case basic, body, none }
    public enum PKCE: String, Sendable, Hashable, CaseIterable { case s256 = "S256", off }
    public enum TokenFormat: String, Sendable, Hashable, CaseIterable { case form, json }

    public var authorizeURL: String
    public var tokenURL: String
    public var revokeURL: String?
    /// How the provider wants the revocation: RFC 7009's form by default; Slack wants its token as a
    /// bearer and answers 200 with `ok`.
    public var revoke: Revocation = Revocation()
    public var scopeSeparator = " "
    public var defaultScopes: [String] = []
    public var pkce: PKCE = .s256
    public var nonce = false
    /// Compared with `iss` when the callback carries it.
    public var issuer: String?
    public var issuerRequired = false
    public var clientAuth: ClientAuth = .body
    public var authorizeParams: [String: String] = [:]
    public var tokenFormat: TokenFormat = .form
    public var tokenParams: [String: String] = [:]
    public var tokenHeaders: [String: String] = [:]
    /// What a token answer must look like to be a success; a 2xx alone when absent.
    public var successWhen: Condition?
    public var accessTokenPath = "access_token"
    public var refreshTokenPath = "refresh_token"
    public var scopePath = "scope"
    public var expires = Expiry()
    /// The provider issues a new refresh token with every refresh, and the old one dies.
    public var refreshRotates = false

    public init(authorizeURL: String, tokenURL: String) {
      self.authorizeURL = authorizeURL
      self.tokenURL = tokenURL
    }
  }

  public struct Revocation: Sendable, Hashable {
    public enum TokenIn: String, Sendable, Hashable, CaseIterable { case form, json, bearer }
    public enum Token: String, Sendable, Hashable, CaseIterable {
      case access = "access_token"
      case refresh = "refresh_token"
    }
    public enum Method: String, Sendable, Hashable, CaseIterable {
      case post = "POST"
      case delete = "DELETE"
    }
    public var method: Method = .post
    /// As for tokens when absent.
    public var clientAuth: OAuth2.ClientAuth?
    public var tokenIn: TokenIn = .form
    /// The field that carries the token.
    public var tokenParam = "token"
    /// Which token ends the grant; the refresh token where there is one when absent.
    public var token: Token?
    public var successWhen: Condition?
    public init() {}
  }

  public struct Expiry: Sendable, Hashable {
    public enum Unit: String, Sendable, Hashable, CaseIterable {
      case seconds = "s", milliseconds = "ms"
    }
    public var path = "expires_in"
    public var unit: Unit = .seconds
    public init() {}
  }

  /// Where the credential goes in a call. `{access_token}`, `{api_key}`, … name its fields.
  public enum CredentialPlacement: Sendable, Hashable {
    case header(name: String, value: String)
    case query(name: String, value: String)
  }

  /// The call that proves a credential and says whose it is.
  public struct Verification: Sendable, Hashable {
    public var method = "GET"
    public var path: String
    /// Dotted paths into the answer.
    public var identityID: String?
    public var identityLabel: String?
    public init(path: String) { self.path = path }
  }

  /// `requests` per `period`, counted apart for each value of `key`.
  public struct Limit: Sendable, Hashable {
    public enum Key: String, Sendable, Hashable, CaseIterable {
      case integration, connection, method, path
    }
    public var name: String
    public var requests: Int
    public var period: Duration
    public var key: [Key]
    /// How many may come at once; `requests` when absent.
    public var burst: Int?
    /// Only calls that match these; every call when empty. Path templates, `/chat.postMessage`.
    public var paths: [String] = []
    public var methods: [String] = []

    public init(name: String, requests: Int, period: Duration, key: [Key]) {
      self.name = name
      self.requests = requests
      self.period = period
      self.key = key
    }
  }

  /// Headers by which the provider says how much is left.
  public struct LimitHeaders: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable, CaseIterable {
      case seconds = "s"
      case milliseconds = "ms"
      case epochSeconds = "epoch_s"
      case goDuration = "go_duration"
      case rfc3339
    }
    public var remaining: String
    public var reset: String
    public var resetFormat: Format

    public init(remaining: String, reset: String, resetFormat: Format) {
      self.remaining = remaining
      self.reset = reset
      self.resetFormat = resetFormat
    }
  }

  public struct RetrySettings: Sendable, Hashable {
    /// Attempts in all, the first included.
    public var attempts = 3
    public var base: Duration = .milliseconds(500)
    public var cap: Duration = .seconds(8)
    /// A longer `Retry-After` than this fails at once, carrying the time.
    public var retryAfterCap: Duration = .seconds(60)
    public init() {}
  }

  public struct IdempotencySettings: Sendable, Hashable {
    public var header: String
    public var methods: [String]

    public init(header: String, methods: [String]) {
      self.header = header
      self.methods = methods
    }
  }

  /// What an answer looks like, and what it means.
  public struct ErrorRule: Sendable, Hashable {
    public var when: Condition
    public var errorClass: ErrorClass
    /// `none` only where the provider certainly did nothing.
    public var effect: Effect
    /// Fit for an end user; a default by class when absent.
    public var message: String?
    /// When to come back where the answer does not say.
    public var wait: Duration?

    public init(
      when: Condition, errorClass: ErrorClass, effect: Effect = .unknown, message: String? = nil
    ) {
      self.when = when
      self.errorClass = errorClass
      self.effect = effect
      self.message = message
    }
  }

  public enum Effect: String, Sendable, Hashable, CaseIterable { case none, unknown }

  /// All parts must match; within a part any of the listed values will do.
  public struct Condition: Sendable, Hashable {
    public var status: [Int] = []
    /// Header names in lower case.
    public var headers: [String: [String]] = [:]
    /// Dotted paths into a JSON body.
    public var body: [String: [JSONValue]] = [:]
    /// Dotted paths into a JSON body, and texts of which the value there must hold one. Case does
    /// not matter.
    public var bodyContains: [String: [String]] = [:]
    public init() {}
  }

  public struct Pagination: Sendable, Hashable {
    public enum Style: String, Sendable, Hashable, CaseIterable {
      case cursor, link, page, offset, lastID = "last_id"
    }
    public var style: Style
    /// The query parameter that carries the cursor.
    public var param: String
    /// Dotted path of the next cursor in the answer (`cursor`), or of the id of an item (`last_id`).
    public var next: String?
    /// Dotted path of a boolean that says whether more follows.
    public var hasMore: String?
    public var items: String
    public var sizeParam: String?
    public var maximumSize: Int?

    public init(style: Style, param: String, items: String) {
      self.style = style
      self.param = param
      self.items = items
    }
  }

  /// Which of the provider's own addresses in its answers lead through the proxy instead, so that a
  /// client that follows them stays on it.
  public struct Rewriting: Sendable, Hashable {
    /// The targets of `Link` and `Location`.
    public var links = true
    /// Members of JSON answers that hold addresses: a name, or `*` and the end of one.
    public var bodyURLs: [String] = []
    public init() {}
  }

  public struct WebhookSettings: Sendable, Hashable {
    public enum Scheme: String, Sendable, Hashable, CaseIterable {
      /// HMAC of a template over the body, in one header.
      case hmac
      /// `Stripe-Signature: t=…,v1=…`.
      case stripe
      /// Standard Webhooks and its `svix-*` twin.
      case standard
      /// No signature: the token of a channel that we had the provider open.
      case channel
    }
    public enum Algorithm: String, Sendable, Hashable, CaseIterable { case sha1, sha256, sha512 }
    public enum Encoding: String, Sendable, Hashable, CaseIterable { case hex, base64 }
    /// Where a value stands in a delivery.
    public enum Location: Sendable, Hashable {
      case header(String)
      case body(String)
    }

    public var scheme: Scheme
    public var algorithm: Algorithm = .sha256
    public var encoding: Encoding = .hex
    public var header: String
    public var prefix = ""
    /// What is signed: `{body}`, `{timestamp}` and literal text.
    public var signed = "{body}"
    public var timestampHeader: String?
    /// `false` where the provider signs no time, so that the lint need not ask for it.
    public var timestamped = true
    /// In the scheme `channel`, whose token stands in `header`.
    public var channel: ChannelHeaders?
    /// How far a timestamp may lie from our clock, in either direction.
    public var tolerance: Duration = .seconds(300)
    public var eventID: Location?
    public var eventType: Location?
    /// A second part of the type, joined by a dot where the delivery has it: `issues.opened`.
    public var eventAction: Location?
    /// Which connection an event belongs to: a place in the event, and the field of the connection
    /// (`identity.id`, `params.shop`) it equals.
    public var connection: Location?
    public var connectionMatches: String?
    public var events: [String] = []
    public var configuration: [String] = []
    public var rejectStatus = 401
    /// Answer this field of the body when a verified request matches (Slack's `url_verification`).
    public var challenge: Challenge?
    /// Events that tell of an owner who is no more.
    public var ownerDeleted: OwnerDeletion?

    public init(scheme: Scheme, header: String) {
      self.scheme = scheme
      self.header = header
    }
  }

  /// What makes Fairlead end everything that was connected for an owner.
  public struct OwnerDeletion: Sendable, Hashable {
    /// Exact types.
    public var events: [String]
    /// Where the owner stands in them.
    public var owner: WebhookSettings.Location

    public init(events: [String], owner: WebhookSettings.Location) {
      self.events = events
      self.owner = owner
    }
  }

  /// The headers of a notification, in the scheme `channel`.
  public struct ChannelHeaders: Sendable, Hashable {
    /// Carries the channel's id.
    public var id: String
    /// Carries what the provider calls the thing that is watched.
    public var resource: String?
    /// Carries a number that grows from message to message.
    public var number: String

    public init(id: String, resource: String? = nil, number: String) {
      self.id = id
      self.resource = resource
      self.number = number
    }
  }

  public struct Challenge: Sendable, Hashable {
    public var when: Condition
    /// Dotted path of the value to answer, as text.
    public var answer: String

    public init(when: Condition, answer: String) {
      self.when = when
      self.answer = answer
    }
  }
}
