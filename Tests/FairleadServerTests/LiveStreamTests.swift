import Fairlead
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct LiveStreamTests {
  @Test(arguments: [
    ([Scope.read], ["health"]), ([Scope.read, Scope.syncs], ["health", "records"]),
  ])
  func aKeySeesWhatItsScopesAllow(scopes: [Scope], names: [String]) async throws {
    let harness = try await ServerHarness()
    let live = harness.fairlead.live
    try await harness.test { client in
      let (_, secret) = try await harness.fairlead.keys.create(name: "watcher", scopes: scopes)
      let headers: HTTPFields = [.authorization: "Bearer \(secret.expose())"]
      async let answer = client.execute(uri: "/v1/stream", method: .get, headers: headers)
      while live.subscriberCount == 0 { await Task.yield() }
      live.publish(.health("acme"))
      live.publish(.records(model: "things", integration: "acme"))
      live.finish()
      let lines = String(buffer: try await answer.body).split(separator: "\n")
      let seen = lines.filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
      #expect(seen == names)
    }
  }
}
