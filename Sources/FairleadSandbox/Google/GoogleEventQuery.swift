import Fairlead

/// The parameters of `events.list`, read and checked.
struct GoogleEventQuery: Sendable {
  enum Order: String, Sendable { case none, startTime, updated }

  var limit = 250
  var pageToken: String?
  var syncToken: String?
  var showDeleted = false
  var single = false
  var order = Order.none
  var from: Timestamp?
  var to: Timestamp?
  var updatedMin: Timestamp?
  var words: [String] = []
  var iCalUID: String?
  /// What must stay the same from one request of a listing to the next.
  var fingerprint = ""

  private static let forbiddenWithSyncToken = [
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin",
    "timeMax", "updatedMin",
  ]
  /// What may differ between the requests of one listing.
  private static let free: Set<String> = [
    "pageToken", "syncToken", "maxResults", "alt", "key", "prettyPrint", "quotaUser", "fields",
    "access_token", "oauth_token", "userIp", "uploadType", "callback", "$.xgafv", "upload_protocol",
  ]

  init(_ request: SimulatedRequest) throws(GoogleError) {
    guard let pairs = request.queryPairs else {
      throw GoogleError(400, "badRequest", "The query cannot be read.")
    }
    limit = try Self.limit(pairs, usual: 250, most: 2_500)
    pageToken = pairs["pageToken"]
    syncToken = pairs["syncToken"]
    showDeleted = try Self.flag(pairs, "showDeleted") ?? false
    single = try Self.flag(pairs, "singleEvents") ?? false
    if let text = pairs["orderBy"] {
      guard let order = Order(rawValue: text), order != .none else { throw .invalid("orderBy") }
      self.order = order
    }
    from = try Self.moment(pairs, "timeMin")
    to = try Self.moment(pairs, "timeMax")
    updatedMin = try Self.moment(pairs, "updatedMin")
    words = (pairs["q"] ?? "").lowercased().split(separator: " ").map(String.init)
    iCalUID = pairs["iCalUID"]
    if syncToken != nil {
      if let name = Self.forbiddenWithSyncToken.first(where: { pairs[$0] != nil }) {
        throw GoogleError(
          400, "invalid", "Sync token cannot be used with \(name).", location: name)
      }
      guard try Self.flag(pairs, "showDeleted") != false else {
        throw GoogleError(
          400, "invalid", "Sync token cannot be used with showDeleted=false.",
          location: "showDeleted")
      }
      // Deletions always come with a sync token.
      showDeleted = true
    }
    guard order != .startTime || single else {
      throw GoogleError(
        400, "badRequest", "The requested ordering is not available for the particular query.",
        location: "orderBy")
    }
    if let from, let to, from >= to {
      throw GoogleError(
        400, "timeRangeEmpty", "The specified time range is empty.",
        domain: "calendar", location: "timeMax")
    }
    let bound = pairs.filter { !Self.free.contains($0.name) && $0.name != "showDeleted" }
    fingerprint = bound.map { "\($0.name)=\($0.value)" }.sorted().joined(separator: "&")
  }

  static func limit(
    _ pairs: [FormPair], usual: Int, most: Int
  ) throws(GoogleError) -> Int {
    guard let text = pairs["maxResults"] else { return usual }
    guard let limit = Int(text), (1...most).contains(limit) else {
      throw .invalid(
        "maxResults",
        "Invalid value '\(text.prefix(40))'. Values must be within the range: [1, \(most)]")
    }
    return limit
  }

  static func flag(_ pairs: [FormPair], _ name: String) throws(GoogleError) -> Bool? {
    switch pairs[name]?.lowercased() {
    case nil: return nil
    case "true": return true
    case "false": return false
    default: throw .invalid(name)
    }
  }

  private static func moment(
    _ pairs: [FormPair], _ name: String
  ) throws(GoogleError) -> Timestamp? {
    guard let text = pairs[name] else { return nil }
    guard let moment = Timestamp(rfc3339: text) else {
      throw .invalid(name, "Bad Request: \(name) must be an RFC 3339 timestamp with an offset.")
    }
    return moment
  }
}

/// Where the next page of a listing starts.
struct GooglePageToken: Sendable {
  var calendar: GoogleState.CalendarKey
  var fingerprint: String
  /// The sync token the listing goes by, if any.
  var syncToken: String?
  var after: (key: Int64, ordinal: Int64, id: String)
  /// The last change when the listing began: what came later is told by the next sync.
  var upTo: Int64
}

/// Where a calendar's changes are known up to.
struct GoogleSyncToken: Sendable {
  /// `nil` for the list of calendars.
  var calendar: GoogleState.CalendarKey?
  var account: String
  var fingerprint: String
  var change: Int64
  var isExpired = false
}
