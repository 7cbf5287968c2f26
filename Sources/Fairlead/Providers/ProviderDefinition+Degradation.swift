extension ProviderDefinition {
  /// When calls to an origin that keeps failing are paused, and for how long.
  public struct BreakerSettings: Sendable, Hashable {
    /// It opens when at least this share of the window's attempts failed, above 0 up to 1.
    public var failureRatio = 0.5
    /// A window with fewer attempts says nothing.
    public var minimumCalls = 10
    public var window: Duration = .seconds(30)
    /// It opens after so many failures in a row too; in heavy traffic after a tenth of the window's
    /// attempts.
    public var consecutive = 5
    /// The first break; each one that follows at once is twice as long.
    public var open: Duration = .seconds(5)
    public var openCap: Duration = .seconds(120)
    /// How many attempts go out to try once the break is over; all of them must succeed.
    public var probes = 1
    public init() {}
  }

  /// What stands in for a provider's answer when a call has finally failed.
  public struct FallbackSettings: Sendable, Hashable {
    /// Which failures it stands in for.
    public enum Trigger: String, Sendable, Hashable, CaseIterable {
      /// Outage, timeout, open circuit breaker.
      case unavailable
      case rateLimit = "rate_limit"
      case quota
    }

    /// What canned responses say with `{message}`; those that do are off without one.
    public var message: String?
    /// How long after it went stale the last good answer of a GET may be given instead.
    public var staleIfError: Duration?
    /// `unavailable` alone when absent.
    public var triggers: Set<Trigger>?
    /// Tried in order; the first that matches the request is given.
    public var responses: [FallbackResponse] = []
    public init() {}

    /// These settings with what they leave open taken from `base`; its responses come after ours.
    public func laid(over base: FallbackSettings?) -> FallbackSettings {
      guard let base else { return self }
      var settings = self
      settings.message = message ?? base.message
      settings.staleIfError = staleIfError ?? base.staleIfError
      settings.triggers = triggers ?? base.triggers
      settings.responses += base.responses
      return settings
    }
  }

  /// A canned answer in the provider's own shape.
  public struct FallbackResponse: Sendable, Hashable {
    /// Texts hold placeholders: `{message}`, `{now}`, `{id}`, `{request.PATH}`.
    public enum Content: Sendable, Hashable {
      case json(JSONValue)
      /// Server-sent events.
      case events([FallbackEvent])
    }

    public var methods: [String]
    /// A path template.
    public var path: String
    /// What the request must look like; its body and headers.
    public var when: Condition?
    /// What it must not look like, any of these.
    public var unless: [Condition] = []
    /// `none` where such a call leaves nothing behind at the provider, so that the response may
    /// stand in for one that perhaps was done; else it stands in only for what certainly was not.
    public var effect: Effect = .unknown
    public var status = 200
    public var headers: [String: String] = [:]
    public var content: Content

    public init(methods: [String], path: String, content: Content) {
      self.methods = methods
      self.path = path
      self.content = content
    }
  }

  public struct FallbackEvent: Sendable, Hashable {
    /// The `event:` line; none when absent.
    public var name: String?
    /// A text is sent as it is, anything else as JSON. With `{message.piece}` in it the event is
    /// sent once for each piece of the message.
    public var data: JSONValue
    public var when: Condition?

    public init(name: String? = nil, data: JSONValue, when: Condition? = nil) {
      self.name = name
      self.data = data
      self.when = when
    }
  }
}

/// What a deployment says about an integration's fallback.
public enum FallbackOverride: Sendable, Hashable {
  case off
  /// Laid over the definition's.
  case settings(ProviderDefinition.FallbackSettings)
}

extension Integration {
  /// The fallback in force.
  public var activeFallback: ProviderDefinition.FallbackSettings? {
    switch fallback {
    case nil: definition.fallback
    case .off: nil
    case .settings(let own): own.laid(over: definition.fallback)
    }
  }
}
