public import Fairlead
import Foundation
import HTTPTypes
public import Hummingbird
import Logging
import NIOCore

/// All of Fairlead's routes, to be put on a Hummingbird router:
///
///     router.add(fairlead.routes)
public struct FairleadRoutes: Sendable {
  /// The route table: the one source of the router, the access rules and `/openapi.json`.
  public let table: [Route]
  let fairlead: Fairlead

  init(_ fairlead: Fairlead) {
    self.fairlead = fairlead
    var table: [Route] = []
    table += SystemRoutes(fairlead: fairlead).routes
    table += ConnectionRoutes(fairlead: fairlead).routes
    table += ConnectRoutes(fairlead: fairlead).routes
    table += MeRoutes(fairlead: fairlead).routes
    table += [ProxyRoute(fairlead: fairlead).route]
    table += WebhookRoutes(fairlead: fairlead).routes
    table += EventRoutes(fairlead: fairlead).routes
    table += DestinationRoutes(fairlead: fairlead).routes
    table += SyncRoutes(fairlead: fairlead).routes
    table += MonitoringRoutes(fairlead: fairlead).routes
    table += AlertRoutes(fairlead: fairlead).routes
    table += DashboardRoutes(fairlead: fairlead).routes
    let documented = table
    let publicURL = fairlead.settings.publicURL
    table.append(
      .get(
        "/openapi.json", access: .open,
        RouteDocumentation(
          "openapi", tag: "System", "This document",
          answers: [(200, "OpenAPI 3.1.", .anything)])
      ) { _ in .json(OpenAPI.document(of: documented, publicURL: publicURL)) })
    self.table = table
  }

  /// Runs a route: checks access, gives the request its id, turns every error into the one shape.
  func respond(
    _ route: Route, to request: Request, parameters: Parameters, logger: Logger, isLoopback: Bool
  ) async -> Response {
    let requestID = RequestID(at: fairlead.clock.now, random: fairlead.random)
    var logger = logger
    logger[metadataKey: "request_id"] = .string(requestID.rawValue)
    do {
      let admission = try await admit(request, to: route, isLoopback: isLoopback)
      let exchange = Exchange(
        request: request, parameters: parameters, requestID: requestID, logger: logger,
        principal: admission.principal, presentedIn: admission.presentedIn,
        endUser: admission.endUser, isLocal: Self.isDirect(request, isLoopback: isLoopback))
      try route.requireKnown(exchange.queryItems)
      var response = try await route.handle(exchange)
      // A proxied call has an id of its own, the one in the call log.
      if response.headers[.fairleadRequestID] == nil {
        response.headers[.fairleadRequestID] = requestID.rawValue
      }
      return response
    } catch is SignInRequired {
      return .redirect(to: "/sign-in")
    } catch {
      let failure = fairleadError(from: error)
      if failure.code == .serviceUnavailable || failure.code == .configurationError {
        logger.error(
          "request failed",
          metadata: [
            "code": .string(failure.code.rawValue), "route": .string(route.path),
            "detail": .string(failure.detail ?? failure.message),
          ])
      }
      return failure.response(requestID: requestID)
    }
  }

  static func notFound(requestID: RequestID) -> Response {
    FairleadError(
      .notFound, "There is nothing at this address. GET /openapi.json lists every route."
    ).response(requestID: requestID)
  }
}

extension Fairlead {
  /// Fairlead's routes, for a Hummingbird router of your own.
  public var routes: FairleadRoutes { FairleadRoutes(self) }
}

extension RouterMethods {
  /// Adds Fairlead's API, proxy, webhook ingress, connect pages and dashboard to a router.
  public func add(_ routes: FairleadRoutes) {
    for route in routes.table {
      for path in routerPaths(route.path) {
        for method in route.methods {
          on(RouterPath(stringLiteral: path), method: method) { request, context in
            await routes.respond(
              route, to: request, parameters: context.parameters, logger: context.logger,
              isLoopback: (context as? any RemoteAddressContext)?.isLoopback ?? false)
          }
        }
      }
    }
  }

  /// `{path…}` is the router's recursive wildcard, which wants at least one segment; the rest may be
  /// empty too.
  private func routerPaths(_ path: String) -> [String] {
    guard let rest = path.firstRange(of: "/{path…}") else { return [path] }
    let base = String(path[..<rest.lowerBound])
    return [base, base + "/**"]
  }
}

/// A request context that knows whether its caller is on this machine.
public protocol RemoteAddressContext {
  var isLoopback: Bool { get }
}
