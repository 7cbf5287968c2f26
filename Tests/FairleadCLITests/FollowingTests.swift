import Fairlead
import Synchronization
import Testing

@testable import FairleadCLI

@Suite struct FollowingTests {
  private let before: JSONValue = [
    "state": "active", "running": false, "records": 100,
    "last_run": ["started_at": "2026-01-01T00:00:00.000Z", "status": "succeeded"],
  ]

  private func sync(_ change: (inout [String: JSONValue]) -> Void) -> JSONValue {
    var members = before.object ?? [:]
    change(&members)
    return .object(members)
  }

  @Test func aRunThatHasNotBegunIsWaitedFor() {
    #expect(SyncFollow.step(before: before, now: before) == .waiting)
  }

  @Test func aRunUnderWayShowsHowFarItIs() {
    let now = sync {
      $0["running"] = true
      $0["run"] = ["records": 512, "pages": 6]
    }
    #expect(SyncFollow.step(before: before, now: now) == .running(records: 512, pages: 6))
  }

  @Test func aRunThatWasTooQuickToBeSeenHasEnded() {
    let now = sync { $0["last_run"] = ["started_at": "2026-01-02T00:00:00.000Z"] }
    #expect(SyncFollow.step(before: before, now: now) == .ended)
    let first = sync { $0["last_run"] = .null }
    #expect(SyncFollow.step(before: first, now: now) == .ended)
    #expect(SyncFollow.step(before: first, now: first) == .waiting)
  }

  @Test func theRunThatWasUnderWayIsNotTheOneAskedFor() {
    let busy = sync {
      $0["running"] = true
      $0["run"] = ["started_at": "2026-01-02T00:00:00.000Z", "records": 3, "pages": 1]
    }
    let first = sync { $0["last_run"] = ["started_at": "2026-01-02T00:00:00.000Z"] }
    let second = sync { $0["last_run"] = ["started_at": "2026-01-03T00:00:00.000Z"] }
    #expect(SyncFollow.step(before: busy, now: first) == .waiting)
    #expect(SyncFollow.step(before: busy, now: second) == .ended)
  }

  @Test func aBlockedSyncIsNotWaitedFor() {
    let now = sync {
      $0["state"] = "blocked"
      $0["error"] = "Connect again."
    }
    #expect(SyncFollow.step(before: before, now: now) == .refused("Connect again."))
  }

  @Test func aFailedRunSaysWhy() {
    let failed = sync { $0["last_run"] = ["status": "failed", "error": "Google said no."] }
    #expect(SyncFollow.failure(of: failed) == "the sync failed: Google said no.")
    #expect(SyncFollow.failure(of: before) == nil)
  }

  /// Time that passes as it is slept through.
  private final class PassingClock: FairleadClock {
    private let elapsed = Mutex<Duration>(.zero)

    var uptime: Duration { elapsed.withLock { $0 } }
    var now: Timestamp { Timestamp(seconds: 1_800_000_000) + uptime }
    func sleep(for duration: Duration) async throws { advance(by: duration) }
    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }
  }

  @Test func aLongRunBeforeTheOneAskedForTakesNoPatience() async throws {
    let busy = sync {
      $0["running"] = true
      $0["run"] = ["started_at": "2026-01-02T00:00:00.000Z", "records": 3, "pages": 1]
    }
    let first = sync { $0["last_run"] = ["started_at": "2026-01-02T00:00:00.000Z"] }
    let second = sync { $0["last_run"] = ["started_at": "2026-01-03T00:00:00.000Z"] }
    let clock = PassingClock()
    var looks = [busy, busy, first, first, second]
    let follower = SyncFollower(clock: clock, isQuiet: true)
    let last = try await follower.follow(from: busy) {
      clock.advance(by: .seconds(100))
      let look = looks.removeFirst()
      return ServerClient.Answer(bytes: look.bytes, json: look)
    }
    #expect(last.json == second && looks.isEmpty)
  }

  @Test func aRunThatNobodyBeginsIsNotWaitedForForEver() async throws {
    let clock = PassingClock()
    let follower = SyncFollower(clock: clock, isQuiet: true)
    await #expect(throws: CommandFailure.self) {
      _ = try await follower.follow(from: before) {
        ServerClient.Answer(bytes: before.bytes, json: before)
      }
    }
    #expect(clock.uptime >= .seconds(120) && clock.uptime < .seconds(121))
  }

  private let connection: JSONValue = [
    "id": "conn_1", "state": "active", "scopes": ["a"], "expires_at": "2026-01-01T00:00:00.000Z",
    "last_refreshed_at": .null, "sync_in_progress": false,
  ]

  private func changed(_ change: (inout [String: JSONValue]) -> Void) -> JSONValue {
    var members = connection.object ?? [:]
    change(&members)
    return .object(members)
  }

  @Test func aNewConnectionIsNoticed() {
    #expect(ConnectWait.connected(before: [], now: [connection]) == connection)
    #expect(ConnectWait.connected(before: [connection], now: [connection]) == nil)
  }

  @Test func aConnectionThatNeededItsOwnerIsNoticed() {
    let old = changed { $0["state"] = "needs_reauth" }
    #expect(ConnectWait.connected(before: [old], now: [old]) == nil)
    #expect(ConnectWait.connected(before: [old], now: [connection]) == connection)
  }

  @Test func connectingAgainIsNoticedAndARefreshIsNot() {
    let again = changed { $0["expires_at"] = "2026-01-01T01:00:00.000Z" }
    #expect(ConnectWait.connected(before: [connection], now: [again]) == again)
    let refreshed = changed {
      $0["expires_at"] = "2026-01-01T01:00:00.000Z"
      $0["last_refreshed_at"] = "2026-01-01T00:00:00.000Z"
    }
    #expect(ConnectWait.connected(before: [connection], now: [refreshed]) == nil)
    let syncing = changed { $0["sync_in_progress"] = true }
    #expect(ConnectWait.connected(before: [connection], now: [syncing]) == nil)
  }
}
