import Fairlead

/// What one approval gave one app: access to one user's account.
struct GitHubGrant: Sendable {
  var id: String
  var login: String
  var scopes: [String]
  /// Made in the manner of a GitHub App: tokens expire and rotate, permissions are the app's own.
  var isApp: Bool
  var isRevoked = false
  /// The tokens of an app's grant that work. A refresh ends them all.
  var activeAccess: [String] = []
  var activeRefresh: [String] = []
}

struct GitHubAccessToken: Sendable {
  var grantID: String
  /// `nil`: it does not expire, like every token of an OAuth app.
  var expires: Timestamp?
  var isRevoked = false
}

struct GitHubRefreshToken: Sendable {
  var grantID: String
  var expires: Timestamp
}

/// A code that waits to be exchanged.
struct GitHubCode: Sendable {
  var redirectURI: String
  var challenge: String?
  var scopes: [String]
  var login: String
  var expires: Timestamp
}

/// Who calls.
struct GitHubCaller: Sendable {
  /// `nil` without a token.
  var grant: GitHubGrant?

  var login: String? { grant?.login }

  func has(_ scopes: String...) -> Bool {
    guard let grant else { return false }
    return grant.isApp || scopes.contains { grant.scopes.contains($0) }
  }
}
