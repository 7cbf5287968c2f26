import Fairlead

/// One calendar: its events and the numbering of its changes.
struct GoogleCalendar: Sendable {
  static let eventLimit = 50_000
  static let weightLimit = 64 << 20

  let id: String
  let summary: String
  let isPrimary: Bool
  /// Names the collection of its events to watchers.
  let resourceID: String
  private(set) var events: [String: GoogleEvent] = [:]
  /// By series: the ids of its instances that differ.
  private(set) var exceptions: [String: Set<String>] = [:]
  /// The number of the last change.
  private(set) var change: Int64 = 0
  private var lastOrdinal: Int64 = 0
  private var weight = 0

  init(id: String, summary: String, isPrimary: Bool, resourceID: String) {
    self.id = id
    self.summary = summary
    self.isPrimary = isPrimary
    self.resourceID = resourceID
  }

  var etag: String { "\"p\(3_500_000_000_000_000 + change)\"" }

  mutating func newOrdinal() -> Int64 {
    lastOrdinal += 1
    return lastOrdinal
  }

  /// Stores a new or changed event under the next change number. Returns it as it is now.
  @discardableResult
  mutating func store(_ event: GoogleEvent, now: Timestamp) throws(GoogleError) -> GoogleEvent {
    let before = events[event.id]
    let grown = weight - (before?.weight ?? 0) + event.weight
    guard before != nil || events.count < Self.eventLimit, grown <= Self.weightLimit else {
      throw .calendarFull
    }
    var event = event
    change += 1
    event.change = change
    event.updated = now
    weight = grown
    events[event.id] = event
    if let series = event.instance?.series { exceptions[series, default: []].insert(event.id) }
    return event
  }

  /// The instances of a series in order, differing ones in their place. A deleted series has
  /// nothing but deleted instances.
  func instances(of series: GoogleEvent) -> [GoogleEvent] {
    guard let recurrence = series.recurrence else { return [] }
    let length = series.end.moment - series.start.moment
    return recurrence.starts(from: series.start).map { start in
      let id = "\(series.id)_\(start.stamp)"
      if var own = events[id] {
        if series.isCancelled { own.isCancelled = true }
        own.change = max(own.change, series.change)
        return own
      }
      return Self.instance(of: series, id: id, start: start, length: length)
    }
  }

  private static func instance(
    of series: GoogleEvent, id: String, start: GoogleTime, length: Duration
  ) -> GoogleEvent {
    var event = series
    event.id = id
    event.recurrence = nil
    event.start = start
    event.end = series.end.moved(to: start.moment + length)
    event.fields["recurrence"] = nil
    event.fields["start"] = event.start.json
    event.fields["end"] = event.end.json
    event.instance = GoogleEvent.Instance(series: series.id, originalStart: start)
    return event
  }

  /// An event by id, an instance of a series that is like the series included.
  func event(_ id: String) -> GoogleEvent? {
    if let event = events[id] {
      if let series = event.instance.flatMap({ events[$0.series] }), series.isCancelled {
        var event = event
        event.isCancelled = true
        return event
      }
      return event
    }
    guard let bar = id.lastIndex(of: "_"), let series = events[String(id[..<bar])] else {
      return nil
    }
    return instances(of: series).first { $0.id == id }
  }

  /// What a list works on: with `single`, instances in the place of their series.
  func listed(single: Bool) -> [GoogleEvent] {
    guard single else { return Array(events.values) }
    return events.values.flatMap { event -> [GoogleEvent] in
      if event.recurrence != nil { return instances(of: event) }
      // Instances that differ come with their series.
      return event.instance == nil ? [event] : []
    }
  }

  var live: [GoogleEvent] {
    events.values.filter { !$0.isCancelled }.sorted { $0.ordinal < $1.ordinal }
  }
}
