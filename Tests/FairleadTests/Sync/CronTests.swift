import Testing

@testable import Fairlead

@Suite struct CronTests {
  @Test(arguments: [
    ("*/15 * * * *", "2027-01-15T08:07:30Z", "2027-01-15T08:15:00.000Z"),
    ("0 0 * * 0", "2027-01-15T08:00:00Z", "2027-01-17T00:00:00.000Z"),
    ("0 0 * * 7", "2027-01-17T00:00:00Z", "2027-01-24T00:00:00.000Z"),
    ("30 9 * * mon-fri", "2027-01-15T09:30:00Z", "2027-01-18T09:30:00.000Z"),
    ("0 0 29 2 *", "2027-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"),
    ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z"),
    // Either day: the 13th and every Friday.
    ("0 12 13 * 5", "2027-01-11T00:00:00Z", "2027-01-13T12:00:00.000Z"),
    ("0 12 13 * 5", "2027-01-13T12:00:00Z", "2027-01-15T12:00:00.000Z"),
    ("5/20 0 1 jan,jul *", "2027-01-01T00:25:00Z", "2027-01-01T00:45:00.000Z"),
    ("59 23 31 12 *", "2027-12-31T23:59:00Z", "2028-12-31T23:59:00.000Z"),
    ("@daily", "2027-01-15T00:00:00Z", "2027-01-16T00:00:00.000Z"),
    ("@hourly", "2027-12-31T23:30:00Z", "2028-01-01T00:00:00.000Z"),
    ("@Monthly", "2027-01-15T00:00:00Z", "2027-02-01T00:00:00.000Z"),
    ("0 0 31 2 1", "2027-02-02T00:00:00Z", "2027-02-08T00:00:00.000Z"),
  ])
  func theNextTimeIs(text: String, after: String, next: String) throws {
    let cron = try Cron(text)
    let start = try #require(Timestamp(rfc3339: after))
    #expect(cron.next(after: start)?.rfc3339 == next)
  }

  @Test(arguments: [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
    "* * * 13 *", "* * * 0 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "*/x * * * *",
    "1,,2 * * * *", "-1 * * * *", "1- * * * *", "1/2/3 * * * *", "foo * * * *", "* * * mon *",
    "*/100 * * * *", "99999999999999999999 * * * *", "@reboot", "0x1 * * * *", "+1 * * * *",
    // Never.
    "0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *",
  ])
  func whatIsNoScheduleIsRefused(text: String) {
    #expect(throws: FairleadError.self) { _ = try Cron(text) }
  }

  @Test func theNextTimeIsTheFirstThatMatches() throws {
    let random = RandomSource(seed: 11)
    func below(_ bound: UInt64) -> Int { Int(random.next() % bound) }
    func field(_ range: ClosedRange<Int>, _ isOpen: Int) -> String {
      let size = UInt64(range.count)
      func value() -> Int { range.lowerBound + below(size) }
      switch below(UInt64(isOpen)) {
      case 0: return "\(value())"
      case 1: return "\(value()),\(value())"
      case 2:
        let (a, b) = (value(), value())
        return "\(min(a, b))-\(max(a, b))"
      case 3: return "*/\(1 + below(size))"
      case 4: return "\(value())/\(1 + below(size))"
      default: return "*"
      }
    }
    var tried = 0
    for _ in 0..<3_000 {
      let text = [
        field(0...59, 6), field(0...23, 8), field(1...31, 10), field(1...12, 10), field(0...7, 9),
      ].joined(separator: " ")
      guard let cron = try? Cron(text) else { continue }
      let start = Timestamp(seconds: 1_800_000_000 + Int64(below(400_000_000)))
      let next = try #require(cron.next(after: start))
      #expect(next > start && next.microseconds % 60_000_000 == 0 && cron.matches(next), "\(text)")
      // Minute by minute, as far as that is bearable.
      var time = Timestamp(seconds: (start.seconds / 60 + 1) * 60)
      let end = min(next, time + .seconds(86_400 * 3))
      while time < end {
        #expect(!cron.matches(time), "\(text) also comes at \(time)")
        if cron.matches(time) { break }
        time = time + .seconds(60)
      }
      tried += 1
    }
    #expect(tried > 2_000)
  }

  @Test func matchesAgreesWithACalendarWrittenDifferently() throws {
    // Day of week and date from the day number alone, by counting.
    let cron = try Cron("0 0 13 * 5")
    var (year, month, day, weekday) = (1970, 1, 1, 4)
    for number in 0..<40_000 {
      let time = Timestamp(seconds: Int64(number) * 86_400)
      #expect(cron.matches(time) == (day == 13 || weekday == 5))
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      day += 1
      weekday = (weekday + 1) % 7
      if day > lengths[month - 1] {
        (day, month) = (1, month + 1)
        if month > 12 { (month, year) = (1, year + 1) }
      }
    }
  }

  @Test func timesAreSpreadAndEachComesOnce() throws {
    let random = RandomSource(seed: 3)
    let schedule = SyncSchedule.standard
    var offsets: Set<Int64> = []
    for _ in 0..<50 {
      let id = SyncID(at: Timestamp(seconds: 1_800_000_000), random: random)
      var now = Timestamp(seconds: 1_800_000_000)
      var times: [Int64] = []
      for _ in 0..<20 {
        let next = try #require(schedule.times(after: now, sync: id).incremental)
        #expect(next > now)
        times.append(next.seconds)
        // Looked at a little late, as pollers do.
        now = next + .seconds(Int64(random.next() % 20))
      }
      for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier == 900) }
      offsets.insert(times[0] % 900)
    }
    #expect(offsets.count > 30)
    #expect(offsets.allSatisfy { $0 < 300 })
  }

  @Test func theStandardScheduleIsWhatItsTextSays() throws {
    for cron in [SyncSchedule.standardFull, SyncSchedule.standardIncremental] {
      let read = try Cron(cron.text)
      #expect(read == cron)
    }
  }
}
