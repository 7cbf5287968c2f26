import Fairlead

extension GoogleState {
  /// `GET /calendars/{id}/events`: a full listing, or what changed since a sync token.
  mutating func listEvents(
    _ request: SimulatedRequest, calendar name: String
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, GoogleScope.readEvents)
    let key = try key(caller.account, name)
    guard let calendar = calendars[key] else { throw .notFound }
    let query = try GoogleEventQuery(request)
    let since = try query.syncToken.map { token throws(GoogleError) in
      try syncToken(token, key: key, query: query)
    }
    let page = try query.pageToken.map { token throws(GoogleError) in
      try pageToken(token, key: key, query: query)
    }
    let upTo = page?.upTo ?? calendar.change
    var found = calendar.listed(single: query.single).filter { event in
      if let since { return event.change > since.change && event.change <= upTo }
      return Self.belongs(event, query)
    }.map { event in (place: Self.place(event, query, since), event: event) }
    found.sort { Self.isBefore($0.place, $1.place) }
    let start = page.map { page in
      found.firstIndex { Self.isBefore(page.after, $0.place) } ?? found.count
    }
    let rest = found[(start ?? 0)...]
    let slice = rest.prefix(query.limit)
    var body = Self.head(calendar, now: request.now)
    body["items"] = .array(slice.map { $0.event.json(account: caller.account) })
    if slice.count < rest.count, let last = slice.last {
      let token = "Cj" + random.alphanumeric(60)
      pageTokens[token] = GooglePageToken(
        calendar: key, fingerprint: query.fingerprint, syncToken: query.syncToken,
        after: last.place, upTo: upTo)
      body["nextPageToken"] = .string(token)
    } else {
      let token = "CP" + random.alphanumeric(30) + "="
      syncTokens[token] = GoogleSyncToken(
        calendar: key, account: caller.account, fingerprint: query.fingerprint, change: upTo)
      body["nextSyncToken"] = .string(token)
    }
    return .json(.object(body))
  }

  private func syncToken(
    _ text: String, key: CalendarKey, query: GoogleEventQuery
  ) throws(GoogleError) -> GoogleSyncToken {
    // A token that was never given and one that is forgotten look the same.
    guard let token = syncTokens[text], !token.isExpired else { throw .fullSyncRequired }
    guard token.calendar == key else { throw .invalid("syncToken") }
    guard Self.sameFlags(token.fingerprint, query.fingerprint) else {
      throw .invalid("syncToken", "The sync token belongs to a query with other parameters.")
    }
    return token
  }

  /// The first listing may have had a window and words; they may not be repeated with its token.
  private static func sameFlags(_ first: String, _ now: String) -> Bool {
    let windows: Set<Substring> = ["timeMin", "timeMax", "q", "orderBy", "updatedMin", "iCalUID"]
    let kept = first.split(separator: "&").filter {
      !windows.contains($0.prefix { $0 != "=" })
    }
    return kept.joined(separator: "&") == now
  }

  private func pageToken(
    _ text: String, key: CalendarKey, query: GoogleEventQuery
  ) throws(GoogleError) -> GooglePageToken {
    guard let token = pageTokens[text], token.calendar == key,
      token.fingerprint == query.fingerprint, token.syncToken == query.syncToken
    else { throw .invalid("pageToken") }
    return token
  }

  private static func belongs(_ event: GoogleEvent, _ query: GoogleEventQuery) -> Bool {
    if event.isCancelled, !query.showDeleted {
      // A hole in a living series is told even so, where the series itself is shown.
      guard event.instance != nil, !query.single else { return false }
    }
    if let uid = query.iCalUID, uid != "\(event.instance?.series ?? event.id)@google.com" {
      return false
    }
    if let least = query.updatedMin, event.updated < least { return false }
    guard event.matches(words: query.words) else { return false }
    guard let recurrence = event.recurrence else {
      return event.overlaps(from: query.from, to: query.to)
    }
    if query.from == nil, query.to == nil { return true }
    let length = event.end.moment - event.start.moment
    return recurrence.starts(from: event.start).contains { start in
      (query.from.map { start.moment + length > $0 } ?? true)
        && (query.to.map { start.moment < $0 } ?? true)
    }
  }

  private static func place(
    _ event: GoogleEvent, _ query: GoogleEventQuery, _ since: GoogleSyncToken?
  ) -> (key: Int64, ordinal: Int64, id: String) {
    let key: Int64
    if since != nil {
      key = event.change
    } else {
      key =
        switch query.order {
        case .none: 0
        case .startTime: event.start.moment.microseconds
        case .updated: event.updated.microseconds
        }
    }
    return (key, event.ordinal, event.id)
  }

  private static func isBefore(
    _ left: (key: Int64, ordinal: Int64, id: String),
    _ right: (key: Int64, ordinal: Int64, id: String)
  ) -> Bool {
    (left.key, left.ordinal, left.id) < (right.key, right.ordinal, right.id)
  }

  private static func head(
    _ calendar: GoogleCalendar, now: Timestamp
  ) -> [String: JSONValue] {
    let updated = calendar.events.values.map(\.updated).max() ?? now
    return [
      "kind": "calendar#events", "etag": .string(calendar.etag),
      "summary": .string(calendar.summary), "description": "",
      "updated": .string(updated.rfc3339), "timeZone": "UTC", "accessRole": "owner",
      "defaultReminders": [],
    ]
  }

  mutating func expireSyncTokens() -> Int {
    var count = 0
    syncTokens.updateAll { token in
      guard !token.isExpired else { return }
      token.isExpired = true
      count += 1
    }
    return count
  }
}
