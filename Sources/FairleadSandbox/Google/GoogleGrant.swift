import Fairlead

/// What the consent page decides by itself, and for whom.
struct GoogleConsent: Sendable {
  var decision = ConsentDecision.ask
  /// The account that approves; `nil` leaves it to `login_hint` or the page.
  var account: String?
  /// The only scopes that are granted of those asked for; `nil` grants all.
  var scopes: [String]?
}

/// What one account allowed the app. There is at most one that lives per account.
struct GoogleGrant: Sendable {
  var id: String
  var account: String
  var scopes: [String]
  var isRevoked = false
  /// Refresh tokens that work, oldest first; a hundred at most.
  var refreshTokens: [String] = []
}

struct GoogleAccessToken: Sendable {
  var grantID: String
  var scopes: [String]
  var expires: Timestamp
}

/// A code that waits to be exchanged.
struct GoogleCode: Sendable {
  var redirectURI: String
  var challenge: String?
  var scopes: [String]
  var account: String
  var isOffline: Bool
  /// The person was asked again, so a new refresh token comes.
  var isForced: Bool
  var includesGranted: Bool
  var expires: Timestamp
}

/// Who calls an API.
struct GoogleCaller: Sendable {
  var account: String
  var scopes: [String]
}

/// Scopes by what they allow.
enum GoogleScope {
  private static let root = "https://www.googleapis.com/auth/"
  static let calendar = root + "calendar"
  static let email = ["email", root + "userinfo.email"]
  static let profile = ["profile", root + "userinfo.profile"]

  static let readEvents = [
    calendar, root + "calendar.readonly", root + "calendar.events",
    root + "calendar.events.readonly",
  ]
  static let writeEvents = [calendar, root + "calendar.events"]
  static let readCalendars = [
    calendar, root + "calendar.readonly", root + "calendar.calendarlist",
    root + "calendar.calendarlist.readonly",
  ]
  static let readCalendar =
    readCalendars + [
      root + "calendar.calendars", root + "calendar.calendars.readonly",
    ]
}
