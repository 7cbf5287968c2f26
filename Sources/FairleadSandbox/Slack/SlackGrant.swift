import Fairlead

/// What a page of the consent flow decides by itself.
enum ConsentDecision: String, Sendable {
  case approve, deny
  /// The page is shown and waits for a person.
  case ask
}

/// What one approval gave one app: a bot's or a user's access to a workspace.
struct SlackGrant: Sendable {
  enum Kind: String, Sendable { case bot, user }

  var id: String
  var kind: Kind
  var teamID: String
  var scopes: [String]
  /// Made by PKCE without a client secret: refreshing needs none either.
  var isPublic: Bool
  var isRevoked = false
  /// Access tokens that work, oldest first; at most two.
  var active: [String] = []
}

struct SlackAccessToken: Sendable {
  var grantID: String
  var expires: Timestamp
  var isRevoked = false
}

struct SlackRefreshToken: Sendable {
  var grantID: String
  /// `nil`: it does not expire.
  var expires: Timestamp?
  /// When it was used first. It works again until the grace period is over.
  var used: Timestamp?
}

/// A code that waits to be exchanged.
struct SlackCode: Sendable {
  var redirectURI: String
  var challenge: String?
  var botScopes: [String]
  var userScopes: [String]
  var teamID: String
  var expires: Timestamp
}

/// Who calls a method.
struct SlackCaller: Sendable {
  var token: String
  var grant: SlackGrant
}
