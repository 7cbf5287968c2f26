import Testing

@testable import FairleadSandbox

@Suite struct BoundedStoreTests {
  @Test func newcomersBeyondTheCapacityDropTheOldest() {
    var store = BoundedStore<Int>(capacity: 3)
    for number in 0..<1_000 { store["k\(number)"] = number }
    #expect(store.count == 3)
    #expect(store.oldestFirst.map(\.value) == [997, 998, 999])
    #expect(store.newestFirst.map(\.value) == [999, 998, 997])
  }

  @Test func replacingKeepsThePlaceAndRemovingFreesIt() {
    var store = BoundedStore<Int>(capacity: 3)
    for (id, value) in [("a", 1), ("b", 2), ("c", 3)] { store[id] = value }
    store["a"] = 10
    #expect(store.oldestFirst.map(\.value) == [10, 2, 3])
    store["b"] = nil
    store["b"] = 20
    store["d"] = 4
    #expect(store.oldestFirst.map(\.id) == ["c", "b", "d"])
    #expect(store["a"] == nil)
  }

  @Test func churnDoesNotLoseWhatIsStored() {
    var store = BoundedStore<Int>(capacity: 2)
    store["kept"] = 1
    for number in 0..<500 {
      store["x"] = number
      store["x"] = nil
    }
    #expect(store["kept"] == 1)
    #expect(store.oldestFirst.map(\.id) == ["kept"])
  }

  @Test func sizeIsBoundedAsWellAndTheNewestAlwaysStays() {
    var store = BoundedStore<String>(capacity: 100, weightLimit: 10, weigh: \.utf8.count)
    for text in ["aaaa", "bbbb", "cccc"] { store[text] = text }
    #expect(store.oldestFirst.map(\.id) == ["bbbb", "cccc"])
    store["cccc"] = "c"
    store["dddd"] = "dddd"
    #expect(store.oldestFirst.map(\.id) == ["bbbb", "cccc", "dddd"])
    store["huge"] = String(repeating: "x", count: 50)
    #expect(store.oldestFirst.map(\.id) == ["huge"])
  }
}
