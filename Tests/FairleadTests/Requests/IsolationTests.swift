import FairleadTesting
import HTTPTypes
import Logging
import Testing

@testable import Fairlead

/// An integration that is down takes nothing else down.
@Suite struct IsolationTests {
  enum Trouble: CaseIterable {
    case hanging, resetting, failing

    var answer: StubTransport.Answer {
      switch self {
      case .hanging: .silence
      case .resetting:
        .failure(TransportError(.disconnected, nothingSent: false, detail: "reset"))
      case .failing: .text(503)
      }
    }
  }

  /// Two integrations in one process, each behind a transport of the same stub.
  private static func pipeline(
    _ transport: StubTransport, _ clock: ManualClock, _ observer: RecordingCallObserver
  ) -> RequestPipeline {
    let integrations = ["ill", "well"].map { name in
      var definition = ProviderDefinition(
        name: name, displayName: name, purpose: "Tests", baseURL: "https://\(name).example",
        auth: .apiKey)
      definition.bulkhead = 8
      return Integration(name: IntegrationName(name), definition: definition)
    }
    return RequestPipeline(
      integrations: IntegrationRegistry(integrations), credentials: AnyConnection(),
      transport: transport, clock: clock, random: RandomSource(seed: 5), observer: observer,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  private static func call(_ integration: IntegrationName) -> Call {
    Call(
      integration: integration, connection: ConnectionID(rawValue: "conn_\(integration)"),
      method: .get, path: "/things")
  }

  @Test(arguments: Trouble.allCases)
  func theOthersNeitherFailNorWait(trouble: Trouble) async throws {
    let clock = ManualClock()
    let observer = RecordingCallObserver()
    let transport = StubTransport(
      otherwise: .decide { $0.url.contains("ill") ? trouble.answer : .text(200, "fine") },
      clock: clock)
    let pipeline = Self.pipeline(transport, clock, observer)
    try await withThrowingTaskGroup(of: Void.self) { group in
      // More calls at once than the ill one's bulkhead takes.
      for _ in 0..<60 {
        group.addTask {
          _ = try? await pipeline.send(Self.call("ill")).body.text()
        }
      }
      if trouble == .hanging { await clock.waitForSleepers(8) }
      for round in 0..<100 {
        let before = clock.uptime
        let result = try await pipeline.send(Self.call("well"))
        #expect(result.status == 200 && result.report.attempts == 1)
        #expect(result.report.waited == .zero && clock.uptime == before)
        #expect(try await result.body.text() == "fine")
        // The ill one's time goes on meanwhile.
        if round % 2 == 1 { clock.advance(by: .milliseconds(700)) }
      }
      #expect(pipeline.breaker(of: "well") == .closed)
      // Let the ill one's calls end.
      group.addTask {
        while !Task.isCancelled,
          observer.records.count(where: { $0.integration == "ill" }) < 60
        {
          clock.advance(by: .seconds(1))
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    let ill = observer.records.filter { $0.integration == "ill" }
    let well = observer.records.filter { $0.integration == "well" }
    #expect(ill.count == 60 && ill.allSatisfy { $0.errorCode != nil })
    #expect(well.count == 100 && well.allSatisfy { $0.errorCode == nil && $0.duration == .zero })
    // The breaker spared the ill one most of what sixty calls of three attempts would have sent.
    let sent = transport.requests.count { $0.url.contains("ill") }
    #expect(sent < 60, "\(sent)")
  }
}

/// A key for every connection.
private struct AnyConnection: CredentialSource {
  func usableCredential(for id: ConnectionID) async throws -> ConnectionCredential {
    let integration = IntegrationName(String(id.rawValue.dropFirst("conn_".count)))
    return ConnectionCredential(
      connection: Connection(
        id: id, integration: integration, owner: "u1", createdAt: Timestamp(seconds: 0)),
      credential: .apiKey(key: Secret("k"), secret: nil))
  }

  func refreshedCredential(
    for id: ConnectionID, after version: Int64
  ) async throws -> ConnectionCredential { try await usableCredential(for: id) }

  func grantDied(of id: ConnectionID, version: Int64, reason: String) async throws {}
}
