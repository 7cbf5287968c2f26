import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct DeliveryLifecycleTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  @Test func followsTheDocumentedWaitsAndThenGivesUp() {
    let waits: [Duration?] = (0...12).map {
      DeliverySchedule.standard.wait(after: $0, random: 0)
    }
    let seconds = [0, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    #expect(waits == seconds.map { .seconds($0) } + [nil])
  }

  @Test func jitterOnlyEverLengthensAWaitAndByATenthAtMost() {
    let random = RandomSource(seed: 7)
    for _ in 0..<2_000 {
      let attempts = Int(random.next() % 13)
      let floor: Duration? = random.unit() < 0.5 ? nil : .seconds(Int64(random.next() % 200_000))
      let wait = DeliverySchedule.standard.wait(
        after: attempts, floor: floor, random: random.unit())
      guard attempts < 12 else {
        #expect(wait == nil)
        continue
      }
      let least = max(
        DeliverySchedule.standard.waits[attempts], min(floor ?? .zero, .seconds(86_400)))
      #expect(wait! >= least)
      #expect(wait! <= least * 1.1 + .microseconds(1))
    }
  }

  @Test func failsTwelveTimesAndIsDead() {
    var life = DeliveryLifecycle(.pending, attempts: 0, crashes: 0)
    var time = now
    for attempt in 1...12 {
      #expect(life.start(crashes: 0) == .attempt(attempt))
      let finish = life.finish(
        .failed(reason: "no"), at: time, schedule: .standard, random: 0.5)
      if attempt < 12 {
        guard case .retry(let next, "no") = finish else {
          Issue.record("attempt \(attempt) ended with \(finish)")
          return
        }
        #expect(next > time)
        time = next
      } else {
        #expect(finish == .dead(reason: "no"))
      }
    }
    #expect(life.start(crashes: 0) == .nothing)
    #expect(time - now > .seconds(3 * 86_400))
  }

  @Test func crashesDoNotUseUpAttemptsButEndAtALimit() {
    var life = DeliveryLifecycle(.waiting, attempts: 2, crashes: 0)
    #expect(life.start(crashes: 3) == .attempt(6))
    #expect(
      life.finish(.failed(reason: "x"), at: now, schedule: .standard, random: 0)
        == .retry(at: now + .seconds(120), reason: "x"))
    #expect(life.attempts == 3)
    #expect(life.crashes == 3)
    guard case .giveUp = life.start(crashes: 10) else {
      Issue.record("ten crashes were not enough")
      return
    }
    #expect(life.state == .dead)
  }

  @Test(arguments: [Delivery.Status.succeeded, .dead, .cancelled])
  func neverStartsWhatIsSettled(status: Delivery.Status) {
    var life = DeliveryLifecycle(status, attempts: 1, crashes: 0)
    #expect(life.start(crashes: 0) == .nothing)
  }

  @Test func aRefusalIsDeadAtOnceAndRetryAfterIsAFloor() {
    var refused = DeliveryLifecycle(.pending, attempts: 0, crashes: 0)
    _ = refused.start(crashes: 0)
    #expect(
      refused.finish(.refused(reason: "gone"), at: now, schedule: .standard, random: 0)
        == .dead(reason: "gone"))
    var asked = DeliveryLifecycle(.pending, attempts: 0, crashes: 0)
    _ = asked.start(crashes: 0)
    #expect(
      asked.finish(
        .failed(reason: "busy", retryAfter: .seconds(90)), at: now, schedule: .standard, random: 0)
        == .retry(at: now + .seconds(90), reason: "busy"))
  }

  @Test func anEventIsAsFarAsItsDeliveries() {
    #expect(Event.Status(of: []) == .processed)
    #expect(Event.Status(of: [.succeeded, .succeeded]) == .processed)
    #expect(Event.Status(of: [.succeeded, .pending]) == .processing)
    #expect(Event.Status(of: [.pending, .waiting, .dead]) == .failed)
    #expect(Event.Status(of: [.dead, .pending]) == .processing)
    #expect(Event.Status(of: [.dead, .succeeded]) == .dead)
    #expect(Event.Status(of: [.cancelled, .succeeded]) == .processed)
  }

  @Test(arguments: [
    ("*", "invoice.paid", true), ("*", "unknown", true), ("invoice.paid", "invoice.paid", true),
    ("invoice.paid", "invoice.paid.x", false), ("invoice.*", "invoice.paid", true),
    ("invoice.*", "invoice.payment.failed", true), ("invoice.*", "invoice", false),
    ("invoice.*", "invoice.", false), ("invoice.*", "invoices.paid", false),
    ("invoice", "invoice.paid", false), ("", "", true), ("", "a", false),
  ])
  func matchesTypesByPattern(pattern: String, type: String, matches: Bool) {
    #expect(EventTypePattern(pattern).matches(type) == matches)
  }

  @Test func aFullGateSpreadsWhatItPutsBack() {
    let gate = DestinationGate(limit: 2)
    let slow = DestinationID(rawValue: "dest_slow")
    #expect(gate.enter(slow, uptime: .zero) == .go)
    #expect(gate.enter(slow, uptime: .zero) == .go)
    var last = Duration.zero
    for _ in 0..<50 {
      guard case .later(let wait) = gate.enter(slow, uptime: .zero) else {
        Issue.record("the gate let a third one in")
        return
      }
      #expect(wait > last)
      last = wait
    }
    #expect(last <= .seconds(60))
    // Another destination does not notice.
    #expect(gate.enter(DestinationID(rawValue: "dest_quick"), uptime: .zero) == .go)
    gate.leave(slow, took: .seconds(2))
    #expect(gate.enter(slow, uptime: .seconds(1)) == .go)
  }
}
