import Fairlead
import HTTPTypes
import Hummingbird

/// What the access check found out about a caller.
struct Admission: Sendable {
  var principal: Principal?
  /// The header that carried the caller's key.
  var presentedIn: HTTPField.Name?
  var endUser: EndUser?
}

/// Sends a visitor of the dashboard to the sign-in page.
struct SignInRequired: Error {}

extension FairleadRoutes {
  /// Finds out who calls and whether the route is open to them.
  /// - Throws: `FairleadError`: `unauthenticated` without a valid key, `forbidden` without the scope;
  ///   `SignInRequired` for pages.
  func admit(
    _ request: Request, to route: Route, isLoopback: Bool
  ) async throws -> Admission {
    switch route.access {
    case .open: return Admission()
    case .endUser: return Admission(endUser: try await fairlead.endUser(of: request))
    case .session:
      guard let adminKey = fairlead.settings.adminKey else {
        throw FairleadError(
          .forbidden,
          "The dashboard is off: set FAIRLEAD_ADMIN_KEY and restart to sign in with it.")
      }
      let cookie = cookies(in: request.headers)[DashboardSession.cookieName] ?? ""
      guard DashboardSession(adminKey: adminKey).isValid(cookie, now: fairlead.clock.now) else {
        throw SignInRequired()
      }
      return Admission()
    case .loopbackOrKey(let scope):
      if Self.isDirect(request, isLoopback: isLoopback)
        && PresentedKey.candidates(in: request.headers).isEmpty
      {
        return Admission()
      }
      return try await admit(request, scope: scope)
    case .key(let scope): return try await admit(request, scope: scope)
    }
  }

  /// Whether a request comes from this machine itself.
  static func isDirect(_ request: Request, isLoopback: Bool) -> Bool {
    isLoopback && proxyMarks.allSatisfy { request.headers[$0] == nil }
  }

  /// What a reverse proxy on this machine leaves on requests from elsewhere.
  private static let proxyMarks = [
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip",
  ].compactMap { HTTPField.Name($0) }

  private func admit(
    _ request: Request, scope: Scope
  ) async throws -> Admission {
    let candidates = PresentedKey.candidates(in: request.headers)
    for candidate in candidates {
      guard let principal = try await fairlead.keys.authenticate(candidate.secret) else { continue }
      guard principal.allows(scope) else {
        throw FairleadError(
          .forbidden,
          "This key may not do that: it lacks the scope \(scope.rawValue). Make one with "
            + "`fairlead keys create --scope \(scope.rawValue)`.")
      }
      return Admission(principal: principal, presentedIn: candidate.header)
    }
    throw FairleadError(
      .unauthenticated,
      candidates.isEmpty
        ? "A Fairlead API key is needed: send it as `Authorization: Bearer fl_…`."
        : "This key is not known here. Check it, or make one with `fairlead keys create`.")
  }
}
