import Testing

@testable import Fairlead

@Suite struct RecordDecisionTests {
  static func at(_ second: Int64) -> Timestamp { Timestamp(seconds: second) }

  static func stored(
    _ data: String?, source: Int64, byEvent: Bool, written: Int64 = 0
  ) -> StoredRecord {
    StoredRecord(
      hash: data.map { RecordChange.hash(of: $0) } ?? "", isDeleted: data == nil, firstVersion: 1,
      addedVersion: 1, generation: 1, sourceAt: at(source), byEvent: byEvent,
      writtenAt: at(written))
  }

  static func decide(
    _ data: String?, source: Int64?, over stored: StoredRecord?, _ origin: RecordOrigin
  ) -> RecordDecision {
    RecordDecision.decide(
      RecordChange(
        id: "a", content: data.map { .data($0) } ?? .deleted, sourceAt: source.map(at)),
      hash: data.map { RecordChange.hash(of: $0) }, over: stored, from: origin)
  }

  /// Whatever the order and however often events come, the newest wins and a deletion stands.
  @Test func eventsConvergeInAnyOrder() {
    let random = RandomSource(seed: 2)
    for _ in 0..<2_000 {
      let isDeletedAtLast = random.next() % 2 == 0
      var events: [(data: String?, time: Int64)] = (1...4).map { ("v\($0)", Int64($0)) }
      if isDeletedAtLast { events.append((nil, 5)) }
      var deliveries = events + events
      for index in deliveries.indices {
        deliveries.swapAt(
          index, index + Int(random.next() % UInt64(deliveries.count - index)))
      }
      var record: StoredRecord?
      for event in deliveries {
        switch Self.decide(event.data, source: event.time, over: record, .event) {
        case .nothing: break
        case .touch:
          if let old = record, Self.at(event.time) > old.sourceAt {
            record?.sourceAt = Self.at(event.time)
          }
        case .add, .update, .delete:
          record = Self.stored(event.data, source: event.time, byEvent: true)
        }
      }
      #expect(record?.isDeleted == isDeletedAtLast)
      if !isDeletedAtLast { #expect(record?.hash == RecordChange.hash(of: "v4")) }
    }
  }

  /// An event that gave itself a wrong time does not stand against the provider's list for ever.
  @Test func aListCorrectsAnEventOnceItCannotLagAnyMore() {
    let wrong = Self.stored("wrong", source: 9_000, byEvent: true, written: 1_000)
    func page(_ second: Int64) -> RecordOrigin { .page(fetchedAt: Self.at(second)) }
    #expect(Self.decide("right", source: 900, over: wrong, page(1_300)) == .touch)
    #expect(Self.decide("right", source: 900, over: wrong, page(1_301)) == .update)
  }

  @Test func aPageMadeBeforeAnEventDoesNotUndoIt() {
    let updated = Self.stored("new", source: 100, byEvent: true, written: 50)
    let page = RecordOrigin.page(fetchedAt: Self.at(49))
    #expect(Self.decide("old", source: 90, over: updated, page) == .touch)
    #expect(Self.decide("old", source: nil, over: updated, page) == .touch)
    #expect(Self.decide("newer", source: 101, over: updated, page) == .update)
    let deleted = Self.stored(nil, source: 100, byEvent: true, written: 50)
    #expect(Self.decide("old", source: 90, over: deleted, page) == .nothing)
    // Fetched after the deletion was known: it is back.
    let later = RecordOrigin.page(fetchedAt: Self.at(51))
    #expect(Self.decide("again", source: 90, over: deleted, later) == .add)
  }

  @Test func aPageIsTheProvidersWordOverWhatPagesWrote() {
    let stored = Self.stored("x", source: 100, byEvent: false, written: 50)
    let page = RecordOrigin.page(fetchedAt: Self.at(60))
    #expect(Self.decide("y", source: 90, over: stored, page) == .update)
    #expect(Self.decide("x", source: 90, over: stored, page) == .touch)
    #expect(Self.decide(nil, source: nil, over: stored, page) == .delete)
    #expect(Self.decide(nil, source: nil, over: nil, page) == .nothing)
  }
}
