import NIOCore
import Testing

@testable import Fairlead

@Suite struct WatchPlanTests {
  private static let day = Duration.seconds(86_400)
  private static let now = Timestamp(seconds: 1_800_000_000)

  private func channel(
    _ id: String, state: PushChannel.State = .open, age: Duration, life: Duration = day * 7
  ) -> PushChannel {
    PushChannel(
      id: id,
      place: WatchPlace(
        integration: "google", connection: ConnectionID(rawValue: "conn_1"), model: "events"),
      state: state, openedAt: Self.now - age, expiresAt: Self.now - age + life)
  }

  @Test func nothingOpenIsOpenedWhenWanted() {
    #expect(WatchPlan.steps([], isWanted: true, now: Self.now) == [.open])
    #expect(WatchPlan.steps([], isWanted: false, now: Self.now).isEmpty)
    let useless = [
      channel("closed", state: .closed, age: .zero), channel("half", state: .opening, age: .zero),
      channel("over", age: Self.day * 7),
    ]
    #expect(WatchPlan.steps(useless, isWanted: true, now: Self.now) == [.open])
  }

  @Test func aWatchIsRenewedADayBeforeItsEndAndTheOldOneStoppedAfterwards() {
    let young = channel("a", age: Self.day * 6 - .seconds(1))
    #expect(WatchPlan.steps([young], isWanted: true, now: Self.now).isEmpty)
    let old = channel("a", age: Self.day * 6)
    #expect(WatchPlan.steps([old], isWanted: true, now: Self.now) == [.open])
    let next = channel("b", age: .zero)
    #expect(WatchPlan.steps([next, old], isWanted: true, now: Self.now) == [.stop(old)])
  }

  @Test func shortWatchesOverlapByASeventh() {
    let life = Duration.seconds(700)
    let early = channel("a", age: .seconds(599), life: life)
    #expect(WatchPlan.steps([early], isWanted: true, now: Self.now).isEmpty)
    let due = channel("a", age: .seconds(600), life: life)
    #expect(WatchPlan.steps([due], isWanted: true, now: Self.now) == [.open])
  }

  @Test func whatIsNotWantedIsStopped() {
    let both = [channel("b", age: .zero), channel("a", age: .seconds(1))]
    #expect(
      WatchPlan.steps(both, isWanted: false, now: Self.now) == [.stop(both[1]), .stop(both[0])])
  }

  @Test(arguments: [
    (ErrorCode.serviceUnavailable, 1, 30.0), (.serviceUnavailable, 3, 120), (.forbidden, 1, 21_600),
    (.serviceUnavailable, 60, 3_600),
  ])
  func failuresAreTriedAgainLaterAndLater(code: ErrorCode, attempt: Int, most: Double) {
    let error = FairleadError(code, "No.")
    let short = WatchJob.backoff(error, attempt: attempt, unit: 0).inSeconds
    let long = WatchJob.backoff(error, attempt: attempt, unit: 1).inSeconds
    #expect(abs(short - most * 0.75) < 0.01)
    #expect(abs(long - most) < 0.01)
  }

  @Test func placeholdersAreFilledOnceAndNothingElse() throws {
    let request = ProviderDefinition.Push.Request(
      path: "/v3/calendars/{calendar}/watch",
      body: ["id": "{channel_id}", "params": ["ttl": "{ttl}"], "note": "{other} {token}"])
    let made = WatchRequest.make(
      request, params: ["calendar": "a b@x/y"],
      values: ["channel_id": "{token}", "ttl": "60", "token": "t"])
    #expect(made.path == "/v3/calendars/a%20b%40x%2Fy/watch")
    guard case .bytes(let body) = made.body else {
      Issue.record("no body")
      return
    }
    let json = try JSONValue(parsing: Array(body.readableBytesView))
    #expect(json == ["id": "{token}", "params": ["ttl": "60"], "note": "{other} t"])
  }

  @Test(
    arguments: [
      ("https://app.example", nil, "https://app.example/webhooks/google"),
      ("http://127.0.0.1:8080", nil, nil),
      (
        "http://127.0.0.1:8080", "http://127.0.0.1:9/google",
        "http://127.0.0.1:8080/webhooks/google"
      ),
    ] as [(String, String?, String?)])
  func onlyAnAddressThatCanBeReachedIsWatchedFrom(url: String, base: String?, address: String?) {
    var integration = Integration.webhook("google", nil, secrets: [])
    integration.baseURL = base
    #expect(WatchRequest.address(publicURL: url, integration: integration) == address)
  }

  @Test func anEndThatMakesNoSenseIsNotBelieved() {
    var expires = ProviderDefinition.Expiry()
    expires.path = "expiration"
    expires.unit = .milliseconds
    func end(_ value: JSONValue) -> Timestamp? {
      WatchRequest.expiry(of: ["expiration": value], expires, now: Self.now)
    }
    let later = Self.now + Self.day
    #expect(end(.string(String(later.microseconds / 1_000))) == later)
    #expect(end(.int(later.microseconds / 1_000)) == later)
    for bad: JSONValue in [.int(.max), .int(-1), 0, "soon", .int(later.seconds), nil] {
      #expect(end(bad) == nil)
    }
  }
}
