import Fairlead

extension GoogleState {
  /// `GET /users/me/calendarList`.
  mutating func listCalendars(
    _ request: SimulatedRequest
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, GoogleScope.readCalendars)
    guard let pairs = request.queryPairs else {
      throw GoogleError(400, "badRequest", "The query cannot be read.")
    }
    let limit = try GoogleEventQuery.limit(pairs, usual: 100, most: 250)
    var ids = calendarIDs[caller.account] ?? []
    if let text = pairs["syncToken"] {
      guard pairs["minAccessRole"] == nil else {
        throw GoogleError(
          400, "invalid", "Sync token cannot be used with minAccessRole.",
          location: "minAccessRole")
      }
      guard let token = syncTokens[text], !token.isExpired, token.calendar == nil,
        token.account == caller.account
      else { throw .fullSyncRequired }
      // The list of an account's calendars does not change here.
      ids = []
    }
    var start = 0
    if let text = pairs["pageToken"] {
      guard let index = ids.firstIndex(where: { Self.calendarPage($0) == text }) else {
        throw .invalid("pageToken")
      }
      start = index
    }
    let slice = ids[start...].prefix(limit)
    var body: [String: JSONValue] = [
      "kind": "calendar#calendarList", "etag": "\"p1\"",
      "items": .array(slice.compactMap { entry(caller.account, $0) }),
    ]
    if slice.endIndex < ids.count {
      body["nextPageToken"] = .string(Self.calendarPage(ids[slice.endIndex]))
    } else {
      let token = "CL" + random.alphanumeric(30) + "="
      syncTokens[token] = GoogleSyncToken(
        calendar: nil, account: caller.account, fingerprint: "", change: 0)
      body["nextSyncToken"] = .string(token)
    }
    return .json(.object(body))
  }

  private static func calendarPage(_ id: String) -> String { Array("page:\(id)".utf8).base64URL }

  /// `GET /users/me/calendarList/{id}`.
  mutating func calendarEntry(
    _ request: SimulatedRequest, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, GoogleScope.readCalendars)
    let key = try key(caller.account, id)
    guard let entry = entry(caller.account, key.id) else { throw .notFound }
    return .json(entry)
  }

  /// `GET /calendars/{id}`.
  mutating func calendar(
    _ request: SimulatedRequest, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, GoogleScope.readCalendar)
    guard let calendar = calendars[try key(caller.account, id)] else { throw .notFound }
    return .json([
      "kind": "calendar#calendar", "etag": .string(calendar.etag), "id": .string(calendar.id),
      "summary": .string(calendar.summary), "timeZone": "UTC",
      "conferenceProperties": ["allowedConferenceSolutionTypes": ["hangoutsMeet"]],
    ])
  }

  private func entry(_ account: String, _ id: String) -> JSONValue? {
    guard let calendar = calendars[CalendarKey(account: account, id: id)] else { return nil }
    var entry: [String: JSONValue] = [
      "kind": "calendar#calendarListEntry", "etag": .string(calendar.etag), "id": .string(id),
      "summary": .string(calendar.summary), "timeZone": "UTC", "colorId": "14",
      "backgroundColor": "#9fe1e7", "foregroundColor": "#000000", "selected": true,
      "accessRole": "owner", "defaultReminders": [],
    ]
    if calendar.isPrimary { entry["primary"] = true }
    return .object(entry)
  }
}
