import DequeModule

/// Who waits, in the order of who is served: interactive before background, within a priority one
/// from each owner in turn, within an owner first come, first served.
struct FairQueue<Element> {
  struct Ticket: Hashable {
    var id: Int
    var owner: String
    var priority: Call.Priority
  }

  private struct Band {
    var turns: Deque<String> = []
    var lines: [String: Deque<(ticket: Ticket, element: Element)>] = [:]
    var count = 0
  }

  private var interactive = Band()
  private var background = Band()

  var count: Int { interactive.count + background.count }
  var isEmpty: Bool { count == 0 }

  mutating func push(_ element: Element, _ ticket: Ticket) {
    withBand(ticket.priority) { band in
      if band.lines[ticket.owner] == nil { band.turns.append(ticket.owner) }
      band.lines[ticket.owner, default: []].append((ticket, element))
      band.count += 1
    }
  }

  /// Takes out who is next.
  mutating func pop() -> (ticket: Ticket, element: Element)? {
    Self.pop(&interactive) ?? Self.pop(&background)
  }

  /// Changes who is next, in place.
  mutating func updateFirst<R>(_ body: (Ticket, inout Element) -> R) -> R? {
    Self.updateFirst(&interactive, body) ?? Self.updateFirst(&background, body)
  }

  mutating func remove(_ ticket: Ticket) -> Element? {
    withBand(ticket.priority) { band in
      guard let index = band.lines[ticket.owner]?.firstIndex(where: { $0.ticket == ticket }) else {
        return nil
      }
      let element = band.lines[ticket.owner]?.remove(at: index).element
      band.count -= 1
      if band.lines[ticket.owner]?.isEmpty == true {
        band.lines[ticket.owner] = nil
        band.turns.removeAll { $0 == ticket.owner }
      }
      return element
    }
  }

  /// Takes out all that match, wherever they stand.
  mutating func removeAll(where matches: (Element) -> Bool) -> [(ticket: Ticket, element: Element)]
  {
    var matching: [(ticket: Ticket, element: Element)] = []
    forEach { if matches($1) { matching.append(($0, $1)) } }
    for (ticket, _) in matching { _ = remove(ticket) }
    return matching
  }

  func forEach(_ body: (Ticket, Element) -> Void) {
    for band in [interactive, background] {
      for line in band.lines.values { for entry in line { body(entry.ticket, entry.element) } }
    }
  }

  /// How many would be served before one more of `owner`, if nobody else came.
  func ahead(owner: String, priority: Call.Priority) -> Int {
    let band = priority == .interactive ? interactive : background
    let own = band.lines[owner]?.count ?? 0
    let rounds = own + 1
    var ahead = own
    for (other, line) in band.lines where other != owner { ahead += min(line.count, rounds) }
    return priority == .interactive ? ahead : ahead + interactive.count
  }

  private mutating func withBand<R>(_ priority: Call.Priority, _ body: (inout Band) -> R) -> R {
    priority == .interactive ? body(&interactive) : body(&background)
  }

  private static func pop(_ band: inout Band) -> (ticket: Ticket, element: Element)? {
    guard let owner = band.turns.popFirst(), let next = band.lines[owner]?.popFirst() else {
      return nil
    }
    band.count -= 1
    if band.lines[owner]?.isEmpty == true {
      band.lines[owner] = nil
    } else {
      band.turns.append(owner)
    }
    return next
  }

  private static func updateFirst<R>(
    _ band: inout Band, _ body: (Ticket, inout Element) -> R
  ) -> R? {
    guard let owner = band.turns.first, var entry = band.lines[owner]?.first else { return nil }
    let result = body(entry.ticket, &entry.element)
    band.lines[owner]?[0] = entry
    return result
  }
}
