import Fairlead
import HTTPTypes

extension GoogleState {
  private static let idCharacters = Set("abcdefghijklmnopqrstuv0123456789".utf8)

  func getEvent(
    _ request: SimulatedRequest, _ caller: GoogleCaller, _ key: CalendarKey, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    guard let event = calendars[key]?.event(id) else { throw .notFound }
    if request.header("if-none-match") == event.etag {
      return SimulatedResponse(status: 304, headers: [.eTag: event.etag], body: .bytes([]))
    }
    return answer(event, caller)
  }

  func listInstances(
    _ caller: GoogleCaller, _ key: CalendarKey, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    guard let calendar = calendars[key], let series = calendar.events[id], !series.isCancelled
    else { throw .notFound }
    let items = calendar.instances(of: series).filter { !$0.isCancelled }
    return .json([
      "kind": "calendar#events", "etag": .string(calendar.etag),
      "summary": .string(calendar.summary), "timeZone": "UTC", "accessRole": "owner",
      "items": .array(items.map { $0.json(account: caller.account) }),
    ])
  }

  mutating func insertEvent(
    _ request: SimulatedRequest, _ caller: GoogleCaller, _ key: CalendarKey
  ) throws(GoogleError) -> SimulatedResponse {
    let body = try Self.body(request)
    var id = eventID()
    if let asked = body["id"], asked != .null {
      guard let text = asked.string, (5...1_024).contains(text.utf8.count),
        text.utf8.allSatisfy(Self.idCharacters.contains)
      else { throw .invalid("id", "Invalid resource id value.") }
      // A deleted event keeps its id.
      guard calendars[key]?.events[text] == nil else { throw .duplicate }
      id = text
    }
    let event = try create(id, fields: Self.written(body), in: key, now: request.now)
    notifyWatchers(key, now: request.now)
    return answer(event, caller)
  }

  /// Stores a new event; telling the watchers is the caller's part.
  mutating func create(
    _ id: String, fields: [String: JSONValue], in key: CalendarKey, now: Timestamp
  ) throws(GoogleError) -> GoogleEvent {
    guard let ordinal = calendars[key]?.newOrdinal() else { throw .notFound }
    let event = try GoogleEvent(id: id, ordinal: ordinal, fields: fields, now: now)
    guard let stored = try calendars[key]?.store(event, now: now) else { throw .notFound }
    return stored
  }

  /// `PATCH` merges, arrays replaced; `PUT` writes all fields anew.
  mutating func changeEvent(
    _ request: SimulatedRequest, _ caller: GoogleCaller, _ key: CalendarKey, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    let body = Self.written(try Self.body(request))
    guard let event = calendars[key]?.event(id) else { throw .notFound }
    try Self.checkMatch(request, event)
    var fields = body
    if request.method == "PATCH" {
      fields = event.fields
      for (name, value) in body { fields[name] = Self.merged(fields[name], value) }
    }
    let stored = try write(event, fields: fields, in: key, now: request.now)
    notifyWatchers(key, now: request.now)
    return answer(stored, caller)
  }

  /// Stores what an event's fields are now; `status: cancelled` deletes it, another brings it back.
  mutating func write(
    _ event: GoogleEvent, fields: [String: JSONValue], in key: CalendarKey, now: Timestamp
  ) throws(GoogleError) -> GoogleEvent {
    var event = event
    if fields["status"]?.string == "cancelled" {
      event.isCancelled = true
    } else {
      try event.rewrite(fields.filter { $0.value != .null })
      event.isCancelled = false
    }
    guard let stored = try calendars[key]?.store(event, now: now) else { throw .notFound }
    return stored
  }

  /// Merges as Google's patch does: members of objects one by one, null removes. A start or an end
  /// changes between a day and a moment by naming the other.
  private static func merged(_ old: JSONValue?, _ new: JSONValue) -> JSONValue {
    guard let changes = new.object, var members = old?.object else { return new }
    if changes["date"]?.string != nil { members["dateTime"] = nil }
    if changes["dateTime"]?.string != nil { members["date"] = nil }
    for (name, value) in changes {
      if value == .null {
        members[name] = nil
      } else {
        members[name] = merged(members[name], value)
      }
    }
    return .object(members)
  }

  mutating func deleteEvent(
    _ request: SimulatedRequest, _ key: CalendarKey, _ id: String
  ) throws(GoogleError) -> SimulatedResponse {
    guard let event = calendars[key]?.event(id) else { throw .notFound }
    guard !event.isCancelled else { throw .deleted }
    try Self.checkMatch(request, event)
    try delete(event, in: key, now: request.now)
    notifyWatchers(key, now: request.now)
    return SimulatedResponse(status: 204, body: .bytes([]))
  }

  mutating func delete(
    _ event: GoogleEvent, in key: CalendarKey, now: Timestamp
  ) throws(GoogleError) {
    var event = event
    event.isCancelled = true
    try calendars[key]?.store(event, now: now)
  }

  private func answer(_ event: GoogleEvent, _ caller: GoogleCaller) -> SimulatedResponse {
    .json(event.json(account: caller.account), headers: [.eTag: event.etag])
  }

  private static func checkMatch(
    _ request: SimulatedRequest, _ event: GoogleEvent
  ) throws(GoogleError) {
    guard let match = request.header("if-match"), match != "*" else { return }
    guard match == event.etag else { throw .conditionNotMet }
  }

  private static func written(_ body: [String: JSONValue]) -> [String: JSONValue] {
    body.filter { GoogleEvent.writable.contains($0.key) }
  }

  static func body(_ request: SimulatedRequest) throws(GoogleError) -> [String: JSONValue] {
    let parsed: JSONValue
    do {
      parsed = try JSONValue(parsing: request.body)
    } catch {
      throw GoogleError(400, "parseError", "Parse Error")
    }
    guard let object = parsed.object else { throw GoogleError(400, "parseError", "Parse Error") }
    return object
  }
}
