public import Fairlead
public import Hummingbird
import Logging

/// A request context of your own that can hold who the end user is.
public protocol EndUserRequestContext: RequestContext {
  /// Set by `EndUserMiddleware`; `nil` before it.
  var endUser: EndUser? { get set }
}

extension EndUserRequestContext {
  /// The end user of this request.
  /// - Throws: `HTTPError` (401) on a route that `EndUserMiddleware` does not guard.
  public func requireEndUser() throws -> EndUser {
    guard let endUser else { throw HTTPError(.unauthorized, message: "Sign in first.") }
    return endUser
  }
}

/// Lets only signed-in people through to the routes behind it, on a Hummingbird router of your own:
///
///     router.group("account").add(middleware: EndUserMiddleware(fairlead))
///
/// A request without an acceptable session token is answered with 401, one whose token cannot be
/// checked now with 503 and `Retry-After`, both in Fairlead's error shape.
public struct EndUserMiddleware<Context: EndUserRequestContext>: RouterMiddleware {
  private let fairlead: Fairlead

  public init(_ fairlead: Fairlead) {
    self.fairlead = fairlead
  }

  public func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var context = context
    do {
      context.endUser = try await fairlead.endUser(of: request)
    } catch let error as FairleadError {
      return error.response(
        requestID: RequestID(at: fairlead.clock.now, random: fairlead.random))
    }
    return try await next(request, context)
  }
}
