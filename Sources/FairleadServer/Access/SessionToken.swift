public import Fairlead
import Foundation
import HTTPTypes
public import Hummingbird

/// The session token a request carries.
struct SessionToken {
  /// The cookie in which Clerk keeps it on the application's own site.
  static let cookieName = "__session"

  let text: String
  /// A browser sends cookies along whoever caused the request.
  let isFromCookie: Bool

  /// `nil` when there is none. The header goes before the cookie.
  init?(in headers: HTTPFields) {
    if let authorization = headers[.authorization] {
      let parts = authorization.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
      text = parts[1].trimmingCharacters(in: .whitespaces)
      isFromCookie = false
    } else if let cookie = cookies(in: headers)[Self.cookieName], !cookie.isEmpty {
      text = cookie
      isFromCookie = true
    } else {
      return nil
    }
  }
}

extension Fairlead {
  /// The person whose session token a request carries: as `Authorization: Bearer`, or in the cookie
  /// `__session`. With the cookie a request that changes something must come from a page of this
  /// deployment's own site, so that no other site can make a browser send it.
  /// - Throws: `FairleadError`: `unauthenticated` without an acceptable token, `forbidden` for a
  ///   request from another site, `serviceUnavailable` when the issuer's keys cannot be had.
  public func endUser(of request: Request) async throws -> EndUser {
    guard let token = SessionToken(in: request.headers) else {
      throw FairleadError(
        .unauthenticated,
        "Sign in first. Programs send the session token as `Authorization: Bearer …`.")
    }
    if token.isFromCookie { try refuseOtherSites(request) }
    return try await endUsers.endUser(of: token.text)
  }

  private func refuseOtherSites(_ request: Request) throws {
    guard request.method != .get, request.method != .head else { return }
    let refusal = FairleadError(
      .forbidden,
      "This request was not sent by a page of this site. Send the session token as "
        + "`Authorization: Bearer …` instead of the cookie.")
    // Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    if let site = request.headers[.secFetchSite], site != "same-origin" { throw refusal }
    if let origin = request.headers[.origin] {
      let own = request.head.authority.map { "://\($0)" }
      let isOwn =
        origin == settings.publicURL || own.map { origin.hasSuffix($0) } ?? false
      guard isOwn else { throw refusal }
    } else if request.headers[.secFetchSite] == nil {
      throw refusal
    }
  }
}

extension HTTPField.Name {
  static let secFetchSite = HTTPField.Name("sec-fetch-site")!
}
