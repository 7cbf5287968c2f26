import Fairlead
import Testing

@Suite struct IdentifierTests {
  @Test func idsSortByTheTimeTheyWereIssued() {
    let random = RandomSource(seed: 1)
    let earlier = EventID(at: Timestamp(seconds: 1_000), random: random)
    let later = EventID(at: Timestamp(seconds: 1_001), random: random)
    #expect(earlier < later)
    #expect(earlier.rawValue.hasPrefix("evt_"))
    #expect(earlier.rawValue.utf8.count == 4 + 26)
  }

  @Test func idsOfOneMomentDiffer() {
    let now = Timestamp(seconds: 1_000)
    let ids = Set((0..<1_000).map { _ in EventID(at: now, random: .system) })
    #expect(ids.count == 1_000)
  }
}
