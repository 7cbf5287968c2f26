import Fairlead
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00.000Z", 0),
    ("2026-11-21T08:30:00.123Z", 1_795_249_800_123_000),
    ("2000-02-29T23:59:59.999Z", 951_868_799_999_000),
    ("1969-12-31T23:59:59.500Z", -500_000),
  ])
  func printsAndReadsRFC3339(text: String, microseconds: Int64) {
    #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
  }

  @Test func readsOffsetsAndFractions() {
    #expect(
      Timestamp(rfc3339: "2026-11-21T10:30:00+02:00") == Timestamp(rfc3339: "2026-11-21T08:30:00Z"))
    #expect(Timestamp(rfc3339: "1970-01-01T00:00:00.000001Z")?.microseconds == 1)
  }

  @Test(arguments: [
    "", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T08:30:00",
    "2026-11-21T08:30:00.Z", "2026-11-21T08:30:00+2:00", "2026-11-21T08:30:00Zx",
  ])
  func refusesWhatIsNoTime(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }
}
