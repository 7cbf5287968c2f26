import Fairlead

/// What a person did in a calendar.
struct GoogleEdits: Sendable {
  var inserted: [String] = []
  var edited: [String] = []
  var deleted: [String] = []

  var json: JSONValue {
    func list(_ ids: [String]) -> JSONValue { .array(ids.map { .string($0) }) }
    return ["inserted": list(inserted), "edited": list(edited), "deleted": list(deleted)]
  }
}

extension GoogleState {
  private static let titles = [
    "Stand-up", "Design review", "Planning", "Lunch with Kim", "One-to-one", "Retrospective",
    "Interview", "Release call", "Dentist", "Budget review", "Customer visit", "Training",
  ]
  private static let places = ["Room 1", "Room 2", "Kitchen", "Online", "Head office"]

  /// Adds events as a person's calendar has them, `series` of them weekly. Telling the watchers is
  /// the caller's part.
  mutating func seed(
    events: Int, series: Int, in key: CalendarKey, now: Timestamp
  ) throws(GoogleError) -> [String] {
    let first = now.seconds / 3_600 * 3_600
    var ids: [String] = []
    for index in 0..<events {
      let start = Timestamp(seconds: first + Int64(index) * 7_200)
      let length = Duration.seconds([1_800, 3_600, 5_400][Int(random.next() % 3)])
      var fields: [String: JSONValue] = [
        "summary": .string("\(pick(Self.titles)) \(index + 1)"),
        "location": .string(pick(Self.places)),
        "start": ["dateTime": .string(GoogleTime.wholeSeconds(start)), "timeZone": "UTC"],
        "end": ["dateTime": .string(GoogleTime.wholeSeconds(start + length)), "timeZone": "UTC"],
      ]
      if index < series { fields["recurrence"] = ["RRULE:FREQ=WEEKLY;COUNT=10"] }
      ids.append(try create(eventID(), fields: fields, in: key, now: now).id)
    }
    return ids
  }

  /// Inserts, moves or renames, and deletes events chosen by chance, each one once. The watchers
  /// get one message for all of it.
  mutating func edit(
    insertions: Int, edits: Int, deletions: Int, in key: CalendarKey, now: Timestamp
  ) throws(GoogleError) -> GoogleEdits {
    var done = GoogleEdits()
    var candidates = (calendars[key]?.live ?? []).filter { $0.instance == nil }
    for index in 0..<max(0, min(edits + deletions, candidates.count)) {
      let other = index + Int(random.next() % UInt64(candidates.count - index))
      candidates.swapAt(index, other)
    }
    for event in candidates.prefix(edits) {
      var fields = event.fields
      if random.next() % 2 == 0 {
        fields["summary"] = .string("\(pick(Self.titles)), changed \(random.digits(4))")
      } else {
        fields["start"] = event.start.moved(to: event.start.moment + .seconds(86_400)).json
        fields["end"] = event.end.moved(to: event.end.moment + .seconds(86_400)).json
      }
      done.edited.append(try write(event, fields: fields, in: key, now: now).id)
    }
    for event in candidates.dropFirst(edits).prefix(deletions) {
      try delete(event, in: key, now: now)
      done.deleted.append(event.id)
    }
    done.inserted = try seed(events: insertions, series: 0, in: key, now: now)
    if !done.inserted.isEmpty || !done.edited.isEmpty || !done.deleted.isEmpty {
      notifyWatchers(key, now: now)
    }
    return done
  }

  private func pick(_ texts: [String]) -> String {
    texts[Int(random.next() % UInt64(texts.count))]
  }
}
