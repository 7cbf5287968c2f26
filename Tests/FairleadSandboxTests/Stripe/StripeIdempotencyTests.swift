import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct StripeIdempotencyTests {
  private let key = ["idempotency-key": "k-1"]

  @Test func theSameRequestIsReplayedNotRepeated() async throws {
    try await TestSandbox.with { sandbox in
      let first = try await sandbox.stripe(
        "POST", "customers", "name=a&email=a%40b.c", headers: key)
      let second = try await sandbox.stripe(
        "POST", "customers", "email=a%40b.c&name=a", headers: key)
      #expect(second.bytes == first.bytes)
      #expect(first.header("idempotent-replayed") == nil)
      #expect(second.header("idempotent-replayed") == "true")
      #expect(
        second.header("original-request") == first.header("request-id"))
      #expect(try await sandbox.stripe("GET", "customers")["data"]?.array?.count == 1)
    }
  }

  @Test func otherParametersWithTheSameKeyAreRefused() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      let other = try await sandbox.stripe("POST", "customers", "name=b", headers: key)
      #expect(other.status == 400)
      #expect(other["error.type"] == "idempotency_error")
      let path = try await sandbox.stripe("POST", "products", "name=a", headers: key)
      #expect(path["error.type"] == "idempotency_error")
    }
  }

  @Test func aRequestThatFailedValidationDoesNotUseTheKeyUp() async throws {
    try await TestSandbox.with { sandbox in
      let refused = try await sandbox.stripe("POST", "customers", "bogus=1", headers: key)
      #expect(refused.status == 400)
      #expect(
        try await sandbox.stripe("POST", "customers", "name=a", headers: key).status == 200)
    }
  }

  @Test func aDeclineIsReplayed() async throws {
    try await TestSandbox.with { sandbox in
      let form = "amount=5&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true"
      let first = try await sandbox.stripe("POST", "payment_intents", form, headers: key)
      let second = try await sandbox.stripe("POST", "payment_intents", form, headers: key)
      #expect(second.status == 402)
      #expect(second.bytes == first.bytes)
      #expect(try await sandbox.stripe("GET", "payment_intents")["data"]?.array?.count == 1)
    }
  }

  @Test func keysAreForgottenAfterADay() async throws {
    try await TestSandbox.with { sandbox in
      let first = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      _ = try await sandbox.control("clock", ["advance": "24h"])
      let second = try await sandbox.stripe("POST", "customers", "name=b", headers: key)
      #expect(second.status == 200)
      #expect(second["id"] != first["id"])
    }
  }

  @Test func aSecondRequestBesideTheFirstIsAConflict() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      _ = try await sandbox.control(
        "faults", ["provider": "stripe", "kind": "slow", "delay_ms": 60_000])
      let key = key
      async let first = sandbox.stripe("POST", "customers", "name=a", headers: key)
      await clock.waitForSleepers()
      let second = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      #expect(second.status == 409)
      #expect(second["error.code"] == "idempotency_key_in_use")
      clock.advance(by: .seconds(60))
      #expect(try await first.status == 200)
      let third = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      #expect(third.header("idempotent-replayed") == "true")
    }
  }

  @Test func aLostAnswerIsFoundAgainByItsKey() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "stripe", "kind": "drop_after_commit"])
      await #expect(throws: (any Error).self) {
        _ = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      }
      let again = try await sandbox.stripe("POST", "customers", "name=a", headers: key)
      #expect(again.header("idempotent-replayed") == "true")
      #expect(try await sandbox.stripe("GET", "customers")["data"]?.array?.count == 1)
    }
  }
}
