import Fairlead
import HTTPTypes
import Testing

@testable import FairleadSandbox

@Suite struct TextFormTests {
  @Test(arguments: [
    ("500ms", 500), ("30s", 30_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0),
  ])
  func durationsCarryTheirUnit(text: String, milliseconds: Int) {
    #expect(DurationText.parse(text) == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    "", "5", "h", "-1h", "1 h", "1y", "1.5h", "99999999999999999999s", "9999999w", "١h",
  ])
  func otherTextIsNoDuration(text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_709_208_000, "Thu, 29 Feb 2024 12:00:00 GMT"),
  ])
  func datesOfHeadersAreIMFFixdates(seconds: Int64, text: String) {
    #expect(HTTPDate.text(Timestamp(seconds: seconds)) == text)
  }

  @Test(arguments: [
    ("/v1/customers", "/v1/customers", true), ("/v1/customers", "/v1/customers/1", false),
    ("/v1/cust*", "/v1/customers/1", true), ("*", "/", true),
  ])
  func pathsMatchExactlyOrByTheirBeginning(pattern: String, path: String, matches: Bool) {
    #expect(PathPattern.matches(pattern, path) == matches)
  }

  @Test func tokensJoinToTheTextAgain() {
    for text in ["", "a", "hello  world", "supercalifragilistic", "naïve — ünïcode 👩‍👩‍👧 ok", "\n\n a"]
    {
      #expect(OpenAITokens.split(text).joined() == text)
      #expect(OpenAITokens.split(text).allSatisfy { !$0.isEmpty && $0.count <= 6 })
    }
  }

  @Test func journalsAreBoundedByCountAndBySize() {
    let journal = RequestJournal()
    var request = SimulatedRequest(
      method: "POST", path: "/x", rawQuery: "", headers: [:], body: [], now: Timestamp(seconds: 0))
    for _ in 0..<(RequestJournal.capacity + 100) { _ = journal.arrived(request) }
    var found = journal.entries(method: nil, path: nil, limit: 1)
    #expect(found.matching == RequestJournal.capacity)
    #expect(found.dropped == 100)
    #expect(found.entries.first?.number == RequestJournal.capacity + 99)
    request.rawQuery = String(repeating: "q", count: 1 << 20)
    for _ in 0..<100 { _ = journal.arrived(request) }
    found = journal.entries(method: nil, path: nil, limit: 1)
    #expect(found.matching < 33)
  }
}
