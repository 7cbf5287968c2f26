import FairleadTesting
import ServiceLifecycle
import Synchronization
import Testing

@testable import Fairlead

@Suite struct RefreshTests {
  /// Answers each refresh with the next pair of tokens.
  private func rotating(
    _ provider: FakeProvider, behind gate: Turnstile? = nil, expiresIn: Int = 3_600
  ) {
    let count = Mutex(1)
    provider.on("oauth/token") { _ in
      let next = count.withLock { count in
        count += 1
        return count
      }
      await gate?.pass()
      return .json([
        "access_token": .string("access-\(next)"), "refresh_token": .string("refresh-\(next)"),
        "expires_in": .int(Int64(expiresIn)), "scope": "read",
      ])
    }
  }

  @Test(arguments: TestEngine.all)
  func aRotatedPairIsStoredBeforeItIsUsed(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      rotating(world.provider)
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(3_600))
      let usable = try await connections.usableCredential(for: made.id)
      #expect(usable.credential.accessText == "access-2")
      #expect(world.provider.asked("oauth/token").first?.form["refresh_token"] == "refresh-1")
      let stored = try #require(try await world.node().store.find(made.id))
      #expect(stored.credential.refreshText == "refresh-2")
      #expect(stored.connection.version == 2 && stored.connection.lastRefreshedAt == clock.now)
      #expect(stored.connection.expiresAt == clock.now + .seconds(3_600))
      #expect(stored.connection.scopes == ["read"])
      let again = try await connections.refresh(made.id)
      #expect(again.version == 3)
      #expect(world.provider.asked("oauth/token").last?.form["refresh_token"] == "refresh-2")
    }
  }

  @Test(arguments: TestEngine.all)
  func fiftyCallsWithAnExpiredTokenMakeOneRefresh(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(4_000))
      let tokens = try await withThrowingTaskGroup(of: String?.self) { group in
        for index in 0..<50 {
          group.addTask {
            // Half of them heard a 401 first.
            index.isMultiple(of: 2)
              ? try await connections.usableCredential(for: made.id).credential.accessText
              : try await connections.refreshedCredential(for: made.id, after: 1)
                .credential.accessText
          }
        }
        await gate.arrivals(1)
        gate.open()
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(tokens == Array(repeating: "access-2", count: 50))
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRefusedTokenThatIsNotTheStoredOneNeedsNoRefresh(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      rotating(world.provider)
      let connections = world.node()
      let made = try await world.connect(connections)
      _ = try await connections.refreshedCredential(for: made.id, after: 1)
      let second = try await world.node().refreshedCredential(for: made.id, after: 1)
      #expect(second.credential.accessText == "access-2" && second.connection.version == 2)
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func twoNodesMakeOneRefresh(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      let (one, two) = (world.node(), world.node())
      let made = try await world.connect(one)
      clock.advance(by: .seconds(4_000))
      async let first = one.usableCredential(for: made.id)
      await gate.arrivals(1)
      async let second = two.usableCredential(for: made.id)
      // The exchange's timeout, and the second node's wait for the lease.
      await clock.waitForSleepers(2)
      gate.open()
      #expect(try await first.credential.accessText == "access-2")
      clock.advance(by: .seconds(1))
      #expect(try await second.credential.accessText == "access-2")
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func aHolderWhoseLeasePassedOnDoesNotOverwriteItsSuccessor(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let slow = ManualClock()
      let fast = ManualClock()
      let world = try ConnectionsWorld(database, clock: slow)
      let gate = Turnstile()
      let turns = Mutex(0)
      world.provider.on("oauth/token") { _ in
        let turn = turns.withLock { turns in
          turns += 1
          return turns
        }
        if turn == 1 { await gate.pass() }
        return .json([
          "access_token": .string("access-by-\(turn)"), "refresh_token": .string("r-by-\(turn)"),
        ])
      }
      let stalled = world.node(clock: slow)
      let successor = world.node(clock: fast)
      let made = try await world.connect(stalled)
      async let late = stalled.refreshedCredential(for: made.id, after: 1)
      await gate.arrivals(1)
      // On the successor's clock the lease has run out.
      fast.advance(by: ConnectionStore.leaseDuration + .seconds(1))
      let taken = try await successor.refreshedCredential(for: made.id, after: 1)
      #expect(taken.credential.accessText == "access-by-2")
      gate.open()
      #expect(try await late.credential.accessText == "access-by-2")
      let stored = try #require(try await successor.store.find(made.id))
      #expect(stored.credential.refreshText == "r-by-2" && stored.connection.version == 2)
    }
  }

  @Test(arguments: TestEngine.all)
  func aHolderWhoseLeasePassedOnCannotDeclareTheGrantDead(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let slow = ManualClock()
      let fast = ManualClock()
      let world = try ConnectionsWorld(database, clock: slow)
      let (first, second) = (Turnstile(), Turnstile())
      let turns = Mutex(0)
      world.provider.on("oauth/token") { _ in
        let turn = turns.withLock { turns in
          turns += 1
          return turns
        }
        await (turn == 1 ? first : second).pass()
        return turn == 1
          ? .json(["error": "invalid_grant"], status: 400) : .json(["access_token": "access-2"])
      }
      let stalled = world.node(clock: slow)
      let successor = world.node(clock: fast)
      let made = try await world.connect(stalled)
      async let late = stalled.refreshedCredential(for: made.id, after: 1)
      await first.arrivals(1)
      fast.advance(by: ConnectionStore.leaseDuration + .seconds(1))
      async let taken = successor.refreshedCredential(for: made.id, after: 1)
      await second.arrivals(1)
      first.open()
      // The stalled node was refused, may not say so, and waits for its successor's result.
      await slow.waitForSleepers(1)
      #expect(try await successor.connection(made.id).state == .active)
      second.open()
      #expect(try await taken.credential.accessText == "access-2")
      slow.advance(by: .seconds(1))
      #expect(try await late.credential.accessText == "access-2")
    }
  }

  @Test(arguments: TestEngine.all)
  func tokensAreKeptAfterALostLeaseWhenNobodyStoredNewerOnes(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let store = world.node().store
      let made = try await world.connect(world.node())
      let first = try #require(try await store.lease(made.id, version: 1, now: clock.now))
      let later = clock.now + ConnectionStore.leaseDuration
      #expect(try await store.lease(made.id, version: 1, now: clock.now) == nil)
      let second = try #require(try await store.lease(made.id, version: 1, now: later))
      #expect(second.fence > first.fence)
      #expect(try await store.renew(first, now: later) == false)
      #expect(
        try await store.declareDead(made.id, version: 1, fence: first.fence, reason: "x") == false)
      try await store.release(first)
      #expect(try await store.renew(second, now: later))
      let new = Credential.oauth2(
        Credential.OAuth2(
          accessToken: Secret("a"), refreshToken: Secret("r"), issuedAt: clock.now))
      let kept = try await store.swap(first, to: new, scopes: nil, now: later, refreshAt: nil)
      #expect(kept?.connection.version == 2)
      #expect(
        try await store.swap(second, to: new, scopes: nil, now: later, refreshAt: nil) == nil)
    }
  }

  @Test(arguments: TestEngine.all)
  func invalidGrantMeansTheOwnerIsNeeded(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      world.provider.on("oauth/token") { _ in .json(["error": "invalid_grant"], status: 400) }
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(4_000))
      for _ in 0..<3 {
        #expect(
          await thrownCode { _ = try await connections.usableCredential(for: made.id) }
            == .needsReauth)
      }
      #expect(world.provider.asked("oauth/token").count == 1)
      let state = try await connections.connection(made.id)
      #expect(state.state == .needsReauth && state.error?.contains("invalid_grant") == true)
    }
  }

  @Test(arguments: TestEngine.all)
  func invalidGrantIsNotBelievedWhenTheStoreHasMovedOn(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let gate = Turnstile()
      world.provider.on("oauth/token") { _ in
        await gate.pass()
        return .json(["error": "invalid_grant"], status: 400)
      }
      let connections = world.node()
      let made = try await world.connect(connections)
      async let result = connections.refreshedCredential(for: made.id, after: 1)
      await gate.arrivals(1)
      // The owner connects again, on another node, while the old token is being refused.
      _ = try await world.connect(world.node(), access: "reconnected")
      gate.open()
      #expect(try await result.credential.accessText == "reconnected")
      #expect(try await connections.connection(made.id).state == .active)
    }
  }

  @Test func aFailingEndpointCostsNothingWhileTheTokenLives() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = HurriedClock()
      let world = try ConnectionsWorld(database, clock: clock)
      world.provider.on("oauth/token") { _ in .init(status: 503, body: "") }
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(3_300))
      for _ in 0..<10 {
        let usable = try await connections.usableCredential(for: made.id)
        #expect(usable.credential.accessText == "access-1")
        await connections.refresher.drain()
      }
      // Three tries of one refresh; then the endpoint is left alone for a while.
      #expect(world.provider.asked("oauth/token").count == 3)
      clock.advance(by: .seconds(400))
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: made.id) }
          == .serviceUnavailable)
      #expect(try await connections.connection(made.id).state == .active)
      rotating(world.provider)
      #expect(
        try await connections.usableCredential(for: made.id).credential.accessText == "access-2")
    }
  }

  @Test func nobodyWaitsForARefreshAheadOfExpiry() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(3_300))
      let during = try await connections.usableCredential(for: made.id)
      #expect(during.credential.accessText == "access-1")
      await gate.arrivals(1)
      gate.open()
      await connections.refresher.drain()
      let after = try await connections.usableCredential(for: made.id)
      #expect(after.credential.accessText == "access-2")
    }
  }

  @Test func anAnswerLostOnTheWayIsAskedForAgainWithTheOldToken() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database, clock: HurriedClock())
      let turns = Mutex(0)
      world.provider.on("oauth/token") { _ in
        let turn = turns.withLock { turns in
          turns += 1
          return turns
        }
        if turn == 1 { throw TransportError(.disconnected, nothingSent: false, detail: "reset") }
        return .json(["access_token": "access-2", "refresh_token": "refresh-2"])
      }
      let connections = world.node()
      let made = try await world.connect(connections)
      let result = try await connections.refreshedCredential(for: made.id, after: 1)
      #expect(result.credential.refreshText == "refresh-2")
      #expect(
        world.provider.asked("oauth/token").map { $0.form["refresh_token"] }
          == ["refresh-1", "refresh-1"])
    }
  }

  @Test func refusedClientSettingsAreNoReasonToBotherTheOwner() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      world.provider.on("oauth/token") { _ in .json(["error": "invalid_client"], status: 401) }
      let connections = world.node()
      let made = try await world.connect(connections)
      #expect(
        await thrownCode { _ = try await connections.refresh(made.id) } == .configurationError)
      #expect(try await connections.connection(made.id).state == .active)
      rotating(world.provider)
      // The lease was given back: no wait for it.
      #expect(try await connections.refresh(made.id).version == 2)
    }
  }

  @Test func cancellingTheFirstCallerLosesNoToken() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      let connections = world.node()
      let made = try await world.connect(connections)
      let first = Task { try await connections.refreshedCredential(for: made.id, after: 1) }
      await gate.arrivals(1)
      let second = Task { try await connections.refreshedCredential(for: made.id, after: 1) }
      first.cancel()
      await #expect(throws: CancellationError.self) { try await first.value }
      gate.open()
      #expect(try await second.value.credential.accessText == "access-2")
      await connections.refresher.drain()
      #expect(world.provider.asked("oauth/token").count == 1)
      #expect(try await connections.store.find(made.id)?.credential.refreshText == "refresh-2")
    }
  }

  @Test func tokensThatStorageRefusedAreTriedAgainUntilTheyAreSafe() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let counting = CountingDatabase(database)
      let world = try ConnectionsWorld(counting, clock: HurriedClock())
      world.provider.on("oauth/token") { _ in
        counting.refuseWrites(3)
        return .json(["access_token": "access-2", "refresh_token": "refresh-2"])
      }
      let connections = world.node()
      let made = try await world.connect(connections)
      let result = try await connections.refreshedCredential(for: made.id, after: 1)
      #expect(result.credential.refreshText == "refresh-2")
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test func tokensOfAConnectionThatWentMeanwhileAreRevoked() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      world.provider.on("oauth/revoke") { _ in .init(body: "") }
      let connections = world.node()
      let made = try await world.connect(connections)
      let refresh = Task { try await connections.refreshedCredential(for: made.id, after: 1) }
      await gate.arrivals(1)
      _ = try await connections.disconnect(made.id)
      gate.open()
      #expect(await thrownCode { _ = try await refresh.value } == .notFound)
      let revoked = world.provider.asked("oauth/revoke").map { $0.form["token"] }
      #expect(revoked == ["refresh-1", "refresh-2"])
    }
  }

  @Test func tokensOfAConnectionWhoseOwnerWentMeanwhileAreRevoked() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let gate = Turnstile()
      rotating(world.provider, behind: gate)
      world.provider.on("oauth/revoke") { _ in .init(body: "") }
      let connections = world.node()
      let made = try await world.connect(connections)
      let refresh = Task { try await connections.refreshedCredential(for: made.id, after: 1) }
      await gate.arrivals(1)
      #expect(try await connections.revokeAll(of: "u1", reason: "gone") == 1)
      gate.open()
      #expect(await thrownCode { _ = try await refresh.value } == .needsReauth)
      let revoked = world.provider.asked("oauth/revoke").map { $0.form["token"] }
      #expect(revoked == ["refresh-1", "refresh-2"])
    }
  }

  @Test func withNothingToRenewItWithARefusedTokenNeedsTheOwner() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let connections = world.node()
      let made = try await world.connect(connections, refresh: nil)
      #expect(await thrownCode { _ = try await connections.refresh(made.id) } == .invalidRequest)
      clock.advance(by: .seconds(3_600))
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: made.id) }
          == .needsReauth)
      #expect(try await connections.connection(made.id).state == .needsReauth)
      #expect(world.provider.asked("oauth/token").isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func theSchedulerKeepsIdleConnectionsAlive(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      rotating(world.provider)
      let connections = world.node()
      var made: [ConnectionID] = []
      for index in 0..<20 {
        made.append(try await world.connect(connections, owner: Owner("u\(index)")).id)
      }
      let scheduler = RefreshScheduler(connections: connections, logger: connections.logger)
      clock.advance(by: .seconds(3_000))
      #expect(try await scheduler.refreshDue() == 0)
      clock.advance(by: .seconds(500))
      #expect(try await scheduler.refreshDue() == 20)
      #expect(try await scheduler.refreshDue() == 0)
      for id in made { #expect(try await connections.connection(id).version == 2) }
    }
  }

  @Test func theSchedulerLeavesAFailingConnectionForLater() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = HurriedClock()
      let world = try ConnectionsWorld(database, clock: clock)
      world.provider.on("oauth/token") { _ in .init(status: 500, body: "") }
      let connections = world.node()
      _ = try await world.connect(connections)
      let scheduler = RefreshScheduler(connections: connections, logger: connections.logger)
      clock.advance(by: .seconds(3_500))
      #expect(try await scheduler.refreshDue() == 1)
      #expect(try await scheduler.refreshDue() == 0)
      clock.advance(by: .seconds(300))
      #expect(try await scheduler.refreshDue() == 1)
    }
  }

  @Test func theSchedulerStopsWhenAskedAndWaitsForWhatIsUnderWay() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      rotating(world.provider)
      let connections = world.node()
      let made = try await world.connect(connections)
      clock.advance(by: .seconds(3_500))
      let scheduler = RefreshScheduler(connections: connections, logger: connections.logger)
      let group = ServiceGroup(
        configuration: .init(services: [.init(service: scheduler)], logger: connections.logger))
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        await clock.waitForSleepers(1)
        while try await connections.connection(made.id).version == 1 { await Task.yield() }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
      }
      #expect(try await connections.connection(made.id).version == 2)
    }
  }
}
