public import Fairlead
public import HTTPTypes
public import Hummingbird

/// One entry of the route table: what is matched, who may call it, how it is documented, what it
/// does. The router, the OpenAPI page and the access rules all come from it.
public struct Route: Sendable {
  /// Who may call a route.
  public enum Access: Sendable, Equatable {
    /// Anyone.
    case open
    /// An API key with this scope, or the admin key.
    case key(Scope)
    /// A signed-in operator of the dashboard. The session opens nothing under `/v1`.
    case session
    /// A person whose session token an issuer of this deployment signed. It opens nothing else, and
    /// no API key opens this.
    case endUser
    /// Anyone on this machine; others need a key with this scope.
    case loopbackOrKey(Scope)
  }

  public typealias Handler = @Sendable (Exchange) async throws -> Response

  public let methods: [HTTPRequest.Method]
  /// With `{name}` placeholders; `{path…}` at the end takes the rest.
  public let path: String
  public let access: Access
  public let documentation: RouteDocumentation
  public let handle: Handler

  public init(
    _ methods: [HTTPRequest.Method], _ path: String, access: Access,
    _ documentation: RouteDocumentation, handle: @escaping Handler
  ) {
    self.methods = methods
    self.path = path
    self.access = access
    self.documentation = documentation
    self.handle = handle
  }

  static func get(
    _ path: String, access: Access, _ documentation: RouteDocumentation,
    handle: @escaping Handler
  ) -> Route {
    Route([.get], path, access: access, documentation, handle: handle)
  }

  static func post(
    _ path: String, access: Access, _ documentation: RouteDocumentation,
    handle: @escaping Handler
  ) -> Route {
    Route([.post], path, access: access, documentation, handle: handle)
  }

  static func patch(
    _ path: String, access: Access, _ documentation: RouteDocumentation,
    handle: @escaping Handler
  ) -> Route {
    Route([.patch], path, access: access, documentation, handle: handle)
  }

  static func delete(
    _ path: String, access: Access, _ documentation: RouteDocumentation,
    handle: @escaping Handler
  ) -> Route {
    Route([.delete], path, access: access, documentation, handle: handle)
  }
}

/// What the OpenAPI page says of a route.
public struct RouteDocumentation: Sendable {
  public struct Parameter: Sendable {
    public enum Place: String, Sendable { case path, query, header }
    public var name: String
    public var place: Place
    public var summary: String
    public var schema: Schema

    public static func query(_ name: String, _ summary: String, _ schema: Schema = .string)
      -> Parameter
    {
      Parameter(name: name, place: .query, summary: summary, schema: schema)
    }

    public static func header(_ name: String, _ summary: String, _ schema: Schema = .string)
      -> Parameter
    {
      Parameter(name: name, place: .header, summary: summary, schema: schema)
    }
  }

  public var id: String
  public var tag: String
  public var summary: String
  public var details: String?
  public var parameters: [Parameter]
  public var body: Schema?
  /// Answers by status: what each means, and its JSON shape (`nil` for anything else than JSON).
  public var answers: [(status: Int, summary: String, schema: Schema?)]
  /// The media type of the first answer when it is no JSON.
  public var mediaType: String?

  public init(
    _ id: String, tag: String, _ summary: String, details: String? = nil,
    parameters: [Parameter] = [], body: Schema? = nil,
    answers: [(status: Int, summary: String, schema: Schema?)], mediaType: String? = nil
  ) {
    self.id = id
    self.tag = tag
    self.summary = summary
    self.details = details
    self.parameters = parameters
    self.body = body
    self.answers = answers
    self.mediaType = mediaType
  }
}
