extension ProviderDefinition {
  /// How a provider is asked to announce changes of a model: a watch that it confirms, that ends by
  /// itself, and that is opened anew before it does.
  public struct Push: Sendable, Hashable {
    /// A call with placeholders. In the path stand the sync's own params; in the strings of the body
    /// `{channel_id}`, `{address}`, `{token}`, `{ttl}` (seconds), `{expiration}` (milliseconds since
    /// the epoch) and, when a watch is stopped, `{resource}`.
    public struct Request: Sendable, Hashable {
      public var method: String
      public var path: String
      public var body: JSONValue

      public init(method: String = "POST", path: String, body: JSONValue) {
        self.method = method
        self.path = path
        self.body = body
      }
    }

    public var watch: Request
    /// `nil` where a watch can only be left to expire.
    public var stop: Request?
    /// Where the answer to `watch` names what is watched; dotted.
    public var resource: String?
    /// Where the answer says when the watch ends, as a time since the epoch.
    public var expires: Expiry?
    /// How long a watch is asked for, and lasts where the answer does not say.
    public var lifetime: Duration = .seconds(7 * 86_400)

    public init(watch: Request) { self.watch = watch }
  }
}
