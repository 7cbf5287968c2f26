/// Values by id in the order they came, bounded by number and by size: a newcomer beyond either
/// drops the oldest.
struct BoundedStore<Value: Sendable>: Sendable {
  private struct Entry {
    var number: Int
    var value: Value
    var weight: Int
  }

  let capacity: Int
  /// Bytes, about.
  let weightLimit: Int
  private let weigh: @Sendable (Value) -> Int
  private var entries: [String: Entry] = [:]
  /// In order of arrival. Removed ids stay until the next compaction; their number tells.
  private var order: [(id: String, number: Int)] = []
  private var start = 0
  private var nextNumber = 0
  private var weight = 0

  /// - Parameter weigh: how many bytes a value takes, about. Without it, only the number counts.
  init(
    capacity: Int, weightLimit: Int = .max, weigh: @escaping @Sendable (Value) -> Int = { _ in 0 }
  ) {
    self.capacity = max(1, capacity)
    self.weightLimit = weightLimit
    self.weigh = weigh
  }

  var count: Int { entries.count }

  /// Replacing a value keeps its place; setting `nil` removes it.
  subscript(id: String) -> Value? {
    get { entries[id]?.value }
    set {
      let before = entries[id]
      weight -= before?.weight ?? 0
      guard let newValue else {
        entries[id] = nil
        return
      }
      let size = weigh(newValue)
      weight += size
      entries[id] = Entry(number: before?.number ?? nextNumber, value: newValue, weight: size)
      if before == nil {
        order.append((id, nextNumber))
        nextNumber += 1
      }
      // The last that came stays, however large it is.
      while entries.count > capacity || (weight > weightLimit && entries.count > 1) {
        dropOldest()
      }
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
    for id in Array(entries.keys) {
      guard var value = entries[id]?.value else { continue }
      change(&value)
      entries[id]?.value = value
    }
  }

  private mutating func dropOldest() {
    while start < order.count {
      let item = order[start]
      start += 1
      if let entry = entries[item.id], entry.number == item.number {
        weight -= entry.weight
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
