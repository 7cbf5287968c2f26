import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct DestinationTests {
  static let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

  @Test(arguments: [
    "https://app.example/hooks", "https://app.example:8443/a?b=c", "http://localhost:3000/hooks",
    "http://127.0.0.1/hooks", "http://127.9.9.9:1/x", "http://[::1]:3000/hooks",
    "HTTPS://app.example/hooks",
  ])
  func acceptsHTTPSAndLoopback(url: String) throws {
    try DestinationRules.check(url: url)
  }

  @Test(arguments: [
    "", "app.example/hooks", "/hooks", "http://app.example/hooks", "ftp://app.example",
    "https://", "https:///hooks", "https://user:pass@app.example", "https://user@app.example",
    "https://app.example/#part", "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
    "http://127.0.0.256/", "http://127.1/", "https://app.example/a b", "https://app.example/\n",
    "javascript:alert(1)", "https://app.example/" + String(repeating: "a", count: 2_048),
  ])
  func refusesEverythingElse(url: String) {
    #expect {
      try DestinationRules.check(url: url)
    } throws: { error in
      (error as? FairleadError)?.code == .invalidRequest
    }
  }

  @Test(arguments: ["", "*.paid", "a*", "a.*.*", "in voice", "a\nb", ".*"])
  func refusesPatternsThatWouldNeverMatch(type: String) {
    #expect(throws: FairleadError.self) { try DestinationRules.check(types: [type]) }
    #expect(throws: Never.self) { try DestinationRules.check(types: ["*", "a.*", "a.b_c-d"]) }
  }

  @Test(arguments: TestEngine.all)
  func configuredOnesAreExactlyWhatTheConfigurationSays(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let one = ConfiguredDestination(
        NewDestination(url: "https://a.example/hooks", types: ["invoice.*"]), secret: Self.secret)
      let two = ConfiguredDestination(
        NewDestination(url: "https://b.example/hooks"), secret: Self.secret)
      let own = try await harness.destinations.create(
        NewDestination(url: "https://own.example/hooks"))
      try await harness.destinations.configure([one, two])
      let first = try await harness.destinations.list().items
      #expect(first.count == 3)
      // The next start: the same ids, what is gone from the configuration is gone, the API's stay.
      try await harness.destinations.configure([one])
      let second = try await harness.destinations.list().items
      #expect(second.count == 2)
      let kept = try #require(second.first { $0.isConfigured })
      #expect(first.contains { $0.id == kept.id && $0.url == kept.url })
      #expect(kept.types == ["invoice.*"])
      #expect(second.contains { $0.id == own.destination.id })
      await #expect {
        try await harness.destinations.delete(kept.id)
      } throws: { error in
        (error as? FairleadError)?.code == .conflict
      }
      // It signs with the configuration's secret, which is not stored.
      _ = try await harness.event("invoice.paid")
      try await harness.drain()
      let sent = try #require(harness.transport.sent.first { $0.url == kept.url })
      let verdict = try SignatureCheck(
        headers: sent.headers, body: sent.body, secrets: [Self.secret], now: harness.clock.now,
        settings: .clerk
      ).verdict()
      #expect(verdict != .rejected(.forged))
      let stored = try await harness.database.read {
        try $0.query("SELECT secrets FROM destinations WHERE configured = 1", []).map {
          $0.isNull(0)
        }
      }
      #expect(stored == [true])
    }
  }

  @Test(arguments: ["", "plain text", "whsec_dGVzdA=="])
  func aConfiguredSecretThatSignsNothingStopsTheStart(secret: String) async throws {
    try await InboxHarness.with(.sqliteMemory) { harness in
      let wanted = ConfiguredDestination(
        NewDestination(url: "https://a.example/hooks"), secret: Secret(secret))
      await #expect {
        try await harness.destinations.configure([wanted])
      } throws: { error in
        guard let error = error as? FairleadError else { return false }
        return error.code == .configurationError
          && (secret.isEmpty || !error.message.contains(secret))
      }
      let stored = try await harness.destinations.list().items
      #expect(stored.isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func changesOnlyWhatIsNamed(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let id = try await harness.destinations.create(
        NewDestination(
          url: "https://a.example/hooks", integrations: ["stripe"], types: ["a.*"], owner: "u1")
      ).destination.id
      let changed = try await harness.destinations.update(id, DestinationChange(types: []))
      #expect(changed.types.isEmpty)
      let read = try await harness.destinations.get(id)
      #expect(read == changed)
      #expect(read.integrations == ["stripe"])
      #expect(read.owner == "u1")
      await #expect(throws: FairleadError.self) {
        try await harness.destinations.update(id, DestinationChange(state: .disabled))
      }
      try await harness.destinations.delete(id)
      await #expect {
        try await harness.destinations.get(id)
      } throws: { error in
        (error as? FairleadError)?.code == .notFound
      }
    }
  }
}
