public import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// The HTTP server of the `fairlead` binary: the routes on a Hummingbird server of its own.
public final class WebServer: Service {
  private let fairlead: Fairlead
  private let host: String
  private let port: Int
  private let corsOrigins: [String]
  private let onListening: @Sendable (Int) async -> Void
  private let logger: Logger

  /// - Parameters:
  ///   - port: 0 lets the system choose.
  ///   - corsOrigins: the origins whose pages may call the API from a browser.
  ///   - onListening: called with the port once connections are taken.
  public init(
    _ fairlead: Fairlead, host: String, port: Int, corsOrigins: [String] = [], logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.fairlead = fairlead
    self.host = host
    self.port = port
    self.corsOrigins = corsOrigins
    self.logger = logger
    self.onListening = onListening
  }

  /// Serves until graceful shutdown; requests under way are finished first.
  /// - Throws: `FairleadError` (`configurationError`) when the address cannot be listened on.
  public func run() async throws {
    do {
      try await application().run()
    } catch let error as IOError {
      throw Self.cannotListen(host: host, port: port, error)
    }
  }

  func application() -> some ApplicationProtocol {
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    router.add(fairlead.routes)
    return Application(
      responder: OutermostResponder(
        router: router.buildResponder(), fairlead: fairlead, cors: CORS(origins: corsOrigins)),
      server: .http1(
        configuration: HTTP1Channel.Configuration(
          additionalChannelHandlers: [ExpectContinueHandler()], idleTimeout: .seconds(120))),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: "fairlead", backlog: 1024),
      onServerRunning: { [onListening] channel in
        await onListening(channel.localAddress?.port ?? 0)
      },
      logger: logger)
  }

  static func cannotListen(host: String, port: Int, _ error: IOError) -> FairleadError {
    let reason =
      switch error.errnoCode {
      case EADDRINUSE:
        "port \(port) is taken by another program. Choose another with --port or FAIRLEAD_PORT."
      case EACCES:
        "port \(port) needs more rights than this process has. Choose one above 1023."
      case EADDRNOTAVAIL:
        "\(host) is no address of this machine. Check FAIRLEAD_HOST."
      default: "\(host):\(port) cannot be listened on (errno \(error.errnoCode))."
      }
    return FairleadError(.configurationError, "Cannot start: \(reason)")
  }
}

/// The context of a request: what Hummingbird needs, and where the caller is.
struct ServerContext: RequestContext, RemoteAddressContext {
  var coreContext: CoreRequestContextStorage
  let isLoopback: Bool

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    isLoopback =
      switch source.channel.remoteAddress {
      case .v4(let address): address.host.hasPrefix("127.")
      case .v6(let address): address.host == "::1" || address.host.hasPrefix("::ffff:127.")
      default: false
      }
  }
}

/// Around every route: cross-origin rules, and our own answer where no route matches.
struct OutermostResponder: HTTPResponder {
  typealias Context = ServerContext

  let router: RouterResponder<ServerContext>
  let fairlead: Fairlead
  let cors: CORS

  func respond(to request: Request, context: ServerContext) async throws -> Response {
    if let preflight = cors.preflight(request) { return preflight }
    var response = try await router.respond(to: request, context: context)
    if response.status == .notFound, response.headers[.fairleadRequestID] == nil {
      response = FairleadRoutes.notFound(
        requestID: RequestID(at: fairlead.clock.now, random: fairlead.random))
    }
    cors.apply(to: &response, for: request)
    return response
  }
}

/// Cross-origin access for listed origins; never a wildcard.
/// Source: https://fetch.spec.whatwg.org/#http-cors-protocol
struct CORS: Sendable {
  private let origins: Set<String>

  init(origins: [String]) {
    self.origins = Set(origins)
  }

  func preflight(_ request: Request) -> Response? {
    guard request.method == .options, let origin = allowedOrigin(of: request),
      request.headers[.accessControlRequestMethod] != nil
    else { return nil }
    return Response(
      status: .noContent,
      headers: [
        .accessControlAllowOrigin: origin, .vary: "Origin",
        .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE",
        .accessControlAllowHeaders:
          request.headers[.accessControlRequestHeaders] ?? "authorization, content-type",
        .accessControlMaxAge: "600",
      ])
  }

  func apply(to response: inout Response, for request: Request) {
    // Who may read an answer is for this deployment to say, not for the provider behind it.
    response.headers[.accessControlAllowOrigin] = nil
    guard !origins.isEmpty else { return }
    response.headers.append(HTTPField(name: .vary, value: "Origin"))
    if let origin = allowedOrigin(of: request) {
      response.headers[.accessControlAllowOrigin] = origin
    }
  }

  private func allowedOrigin(of request: Request) -> String? {
    guard let origin = request.headers[.origin], origins.contains(origin) else { return nil }
    return origin
  }
}
