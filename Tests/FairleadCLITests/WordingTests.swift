import Fairlead
import Testing

@testable import FairleadCLI

@Suite struct WordingTests {
  static let now = Timestamp(seconds: 1_800_000_000)

  @Test(arguments: [
    (0, "now"), (-1, "now"), (-42, "42 s ago"), (-180, "3 min ago"), (-7_200, "2 h ago"),
    (-200_000, "2 d ago"), (90, "in 1 min"), (86_400 * 3, "in 3 d"),
    (-86_400 * 60, "2026-11-16"),
  ])
  func saysTimesAsPeopleDo(offset: Int64, text: String) {
    #expect(RelativeTime.text(Self.now + .seconds(offset), now: Self.now) == text)
  }

  @Test func farTimesDoNotOverflow() {
    _ = RelativeTime.text(Timestamp(microseconds: .min), now: Timestamp(microseconds: .max))
    _ = RelativeTime.text(Timestamp(microseconds: .max), now: Timestamp(microseconds: .min))
    #expect(RelativeTime.text(JSONValue.string("soon"), now: Self.now) == "soon")
    #expect(RelativeTime.text(JSONValue.null, now: Self.now) == nil)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"),
    (Int64.min, "-9,223,372,036,854,775,808"),
  ])
  func groupsDigits(number: Int64, text: String) {
    #expect(NumberText.grouped(number) == text)
  }

  @Test func saysSharesAndDurations() {
    #expect(NumberText.percent(0.9912) == "99.1 %")
    #expect(NumberText.percent(1) == "100.0 %")
    #expect(NumberText.percent(.null) == nil)
    #expect(NumberText.milliseconds(3.25) == "3.3 ms")
    #expect(NumberText.milliseconds(182.4) == "182 ms")
    #expect(NumberText.milliseconds(12_500) == "12.5 s")
    #expect(NumberText.milliseconds(.double(1e300)) != nil)
    #expect(NumberText.plain(0.95) == "0.95")
    #expect(NumberText.plain(-0.5) == "-0.50")
    #expect(NumberText.plain(5_000) == "5,000")
  }

  @Test func anEstimateNeverSaysDone() {
    let bar = ProgressBar(records: 1_200, pages: 12, expected: 3_600, elapsed: .seconds(4))
    #expect(
      bar.line
        == "[########----------------]  33 %  1,200 of about 3,600 records, 12 pages, 4 s")
    let over = ProgressBar(records: 9_000, pages: 1, expected: 3_600, elapsed: .zero)
    #expect(over.share == 0.99)
    #expect(over.line == "[#######################-]  99 %  9,000 records, 1 page, 0 s")
  }

  @Test(arguments: [nil, 0] as [Int64?])
  func withoutAnEstimateThereIsNoBar(expected: Int64?) {
    let bar = ProgressBar(records: 50, pages: 2, expected: expected, elapsed: .milliseconds(2_900))
    #expect(bar.line == "50 records, 2 pages, 2 s")
  }
}
