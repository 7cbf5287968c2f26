import Fairlead

/// One stored event: a single one, a series, or an instance of a series that differs from it.
struct GoogleEvent: Sendable {
  struct Instance: Sendable {
    var series: String
    var originalStart: GoogleTime
  }

  var id: String
  /// Its place in unordered lists.
  var ordinal: Int64
  /// The number of its last change in its calendar.
  var change: Int64
  var created: Timestamp
  var updated: Timestamp
  var sequence: Int64 = 0
  var isCancelled = false
  /// What apps wrote, `start` and `end` included.
  var fields: [String: JSONValue]
  var start: GoogleTime
  var end: GoogleTime
  var recurrence: GoogleRecurrence?
  var instance: Instance?

  var etag: String { "\"\(3_500_000_000_000_000 + change)\"" }

  var weight: Int { fields.reduce(400) { $0 + $1.key.utf8.count + $1.value.weight } }

  /// What apps may write; other members of a body are ignored, as Google does.
  static let writable: Set<String> = [
    "summary", "description", "location", "colorId", "start", "end", "recurrence", "attendees",
    "reminders", "transparency", "visibility", "extendedProperties", "source",
    "guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests", "anyoneCanAddSelf",
    "attachments", "conferenceData", "status",
  ]

  static let weightLimit = 256 << 10

  /// Takes what a body says and checks that it makes an event.
  init(
    id: String, ordinal: Int64, fields: [String: JSONValue], now: Timestamp
  ) throws(GoogleError) {
    start = try GoogleTime(fields["start"], name: "start")
    end = try GoogleTime(fields["end"], name: "end")
    self.id = id
    self.ordinal = ordinal
    self.fields = fields
    change = 0
    created = now
    updated = now
    try check()
  }

  /// Puts other fields in the place of its own.
  mutating func rewrite(_ fields: [String: JSONValue]) throws(GoogleError) {
    var copy = self
    copy.fields = fields
    copy.start = try GoogleTime(fields["start"], name: "start")
    copy.end = try GoogleTime(fields["end"], name: "end")
    try copy.check()
    if copy.start != start || copy.end != end { copy.sequence += 1 }
    self = copy
  }

  private mutating func check() throws(GoogleError) {
    guard start.isAllDay == end.isAllDay else {
      throw .invalid("end", "Start and end times must either both be date or both be dateTime.")
    }
    guard start.moment < end.moment || (!start.isAllDay && start.moment == end.moment) else {
      throw GoogleError(
        400, "timeRangeEmpty", "The specified time range is empty.", domain: "calendar",
        location: "timeRange")
    }
    if let summary = fields["summary"], summary != .null, summary.string == nil {
      throw .invalid("summary")
    }
    if let status = fields["status"],
      !["confirmed", "tentative", "cancelled"].contains(status.string)
    {
      throw .invalid("status")
    }
    recurrence = nil
    if let rule = fields["recurrence"], instance == nil, rule.array?.isEmpty != true {
      guard start.isAllDay || start.zone != nil else {
        throw GoogleError(400, "required", "Missing time zone definition for start time.")
      }
      recurrence = try GoogleRecurrence(rule)
    }
    guard weight <= Self.weightLimit else {
      throw GoogleError(413, "uploadTooLarge", "The event is too large.")
    }
  }

  /// As the API shows it. Of a deleted event only what is sure remains.
  func json(account: String) -> JSONValue {
    var body: [String: JSONValue] = [
      "kind": "calendar#event", "etag": .string(etag), "id": .string(id),
    ]
    if let instance {
      body["recurringEventId"] = .string(instance.series)
      body["originalStartTime"] = instance.originalStart.json
    }
    guard !isCancelled else {
      body["status"] = "cancelled"
      return .object(body)
    }
    let person: JSONValue = ["email": .string(account), "self": true]
    let root = instance?.series ?? id
    body.merge([
      "status": "confirmed", "created": .string(created.rfc3339),
      "htmlLink": .string("https://www.google.com/calendar/event?eid=\(Array(id.utf8).base64URL)"),
      "updated": .string(updated.rfc3339), "creator": person, "organizer": person,
      "iCalUID": .string("\(root)@google.com"), "sequence": .int(sequence),
      "reminders": ["useDefault": true], "eventType": "default",
    ]) { known, _ in known }
    body.merge(fields) { _, written in written }
    return .object(body.filter { $0.value != .null })
  }

  /// Whether it overlaps a window; both bounds are exclusive.
  func overlaps(from: Timestamp?, to: Timestamp?) -> Bool {
    (from.map { end.moment > $0 } ?? true) && (to.map { start.moment < $0 } ?? true)
  }

  func matches(words: [String]) -> Bool {
    guard !words.isEmpty else { return true }
    var text = ["summary", "description", "location"].compactMap { fields[$0]?.string }
    for attendee in fields["attendees"]?.array ?? [] {
      text += ["email", "displayName"].compactMap { attendee[$0]?.string }
    }
    let whole = text.joined(separator: "\n").lowercased()
    return words.allSatisfy(whole.contains)
  }
}
