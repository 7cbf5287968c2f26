/// Values by id in the order they came, at most `capacity` of them: a newcomer beyond that drops
/// the oldest.
struct BoundedStore<Value: Sendable>: Sendable {
  private struct Entry {
    var number: Int
    var value: Value
  }

  let capacity: Int
  private var entries: [String: Entry] = [:]
  /// In order of arrival. Removed ids stay until the next compaction; their number tells.
  private var order: [(id: String, number: Int)] = []
  private var start = 0
  private var nextNumber = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  var count: Int { entries.count }

  /// Replacing a value keeps its place; setting `nil` removes it.
  subscript(id: String) -> Value? {
    get { entries[id]?.value }
    set {
      guard let newValue else {
        entries[id] = nil
        return
      }
      if entries[id] != nil {
        entries[id]?.value = newValue
        return
      }
      entries[id] = Entry(number: nextNumber, value: newValue)
      order.append((id, nextNumber))
      nextNumber += 1
      if entries.count > capacity { dropOldest() }
      if order.count > 2 * capacity + 64 { compact() }
    }
  }

  /// From the first that came to the last.
  var oldestFirst: some Sequence<(id: String, value: Value)> {
    order[start...].lazy.compactMap { item in
      entries[item.id].flatMap { $0.number == item.number ? (item.id, $0.value) : nil }
    }
  }

  var newestFirst: some Sequence<(id: String, value: Value)> {
    order[start...].reversed().lazy.compactMap { item in
      entries[item.id].flatMap { $0.number == item.number ? (item.id, $0.value) : nil }
    }
  }

  /// Changes every value.
  mutating func updateAll(_ change: (inout Value) -> Void) {
    for id in entries.keys {
      guard var entry = entries[id] else { continue }
      change(&entry.value)
      entries[id] = entry
    }
  }

  private mutating func dropOldest() {
    while start < order.count {
      let item = order[start]
      start += 1
      if entries[item.id]?.number == item.number {
        entries[item.id] = nil
        return
      }
    }
  }

  private mutating func compact() {
    order = order[start...].filter { entries[$0.id]?.number == $0.number }
    start = 0
  }
}
