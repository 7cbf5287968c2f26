import Fairlead
import FairleadTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import FairleadServer

@Suite struct SyncRouteTests {
  /// A deployment whose records come from events; the provider itself cannot be reached.
  private func withThings(
    _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
  ) async throws {
    let harness = try await ServerHarness(define: { definition in
      var sync = ProviderDefinition.ModelSync(path: "/things", items: "data", id: "id")
      var events = ProviderDefinition.ModelSync.Events()
      events.upsert = ["thing.saved"]
      events.delete = ["thing.gone"]
      events.data = "data"
      sync.events = events
      definition.syncs["things"] = sync
    })
    try await harness.test(body)
  }

  private static func get(
    _ client: any TestClientProtocol, _ uri: String, status: HTTPResponse.Status = .ok
  ) async throws -> JSONValue {
    let answer = try await client.execute(
      uri: uri, method: .get, headers: ServerHarness.admin)
    #expect(answer.status == status, "\(uri)")
    return answer.json
  }

  private static func post(
    _ client: any TestClientProtocol, _ uri: String, _ body: String = "",
    status: HTTPResponse.Status = .ok
  ) async throws -> JSONValue {
    let answer = try await client.execute(
      uri: uri, method: .post, headers: ServerHarness.admin, body: ByteBuffer(string: body))
    #expect(answer.status == status, "\(uri) \(body): \(answer.json)")
    return answer.json
  }

  private static func send(
    _ client: any TestClientProtocol, _ type: String, _ id: String, event: String
  ) async throws {
    let body = #"{"id":"\#(event)","type":"\#(type)","data":{"id":"\#(id)","size":1}}"#
    let answer = try await client.execute(
      uri: "/webhooks/acme", method: .post,
      headers: WebhookSigner.stripe(
        body: Array(body.utf8), secret: ServerHarness.webhookSecret, at: SystemClock().now),
      body: ByteBuffer(string: body))
    #expect(answer.status == .ok)
  }

  /// Reads the feed until it has this many entries after the cursor.
  private static func feed(
    _ client: any TestClientProtocol, cursor: String, count: Int
  ) async throws -> JSONValue {
    while true {
      let page = try await get(client, "/v1/records/things?cursor=\(cursor)")
      if (page["records"]?.array?.count ?? 0) >= count { return page }
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  @Test(.timeLimit(.minutes(1))) func anEventShowsInTheFeedAndAtItsConnection() async throws {
    try await withThings { client in
      let empty = try await Self.get(client, "/v1/records/things")
      #expect(empty["records"] == [] && empty["has_more"] == false)
      let start = try #require(empty["next_cursor"]?.string)
      try await Self.send(client, "thing.saved", "t1", event: "evt_1")
      let added = try await Self.feed(client, cursor: start, count: 1)
      let record = try #require(added["records"]?[0])
      #expect(record["id"] == "t1" && record["change"] == "added")
      #expect(record["connection"] == "conn_default_acme")
      #expect(record[path: "data.size"] == 1 && record["version"]?.int != nil)

      try await Self.send(client, "thing.gone", "t1", event: "evt_2")
      let cursor = try #require(added["next_cursor"]?.string)
      let gone = try await Self.feed(client, cursor: cursor, count: 1)
      #expect(gone["records"]?[0]?["change"] == "deleted")
      #expect(gone["records"]?[0]?["data"] == JSONValue.null)

      let sync = try #require(try await Self.get(client, "/v1/syncs?integration=acme")["data"]?[0])
      #expect(sync["model"] == "things" && sync["real_time"] == true && sync["records"] == 0)
      #expect(sync["owner"] == JSONValue.null && sync["connection"] == "conn_default_acme")
      let connection = try await Self.get(client, "/v1/connections/conn_default_acme")
      #expect(connection["last_synced_at"] == JSONValue.null)
      #expect(connection["sync_in_progress"]?.bool != nil)
    }
  }

  @Test(.timeLimit(.minutes(1))) func aSyncCanBeRunPausedAndResumed() async throws {
    try await withThings { client in
      var found: String?
      while found == nil {
        found = try await Self.get(client, "/v1/syncs")["data"]?[0]?["id"]?.string
      }
      let id = try #require(found)
      #expect(try await Self.get(client, "/v1/syncs/\(id)")["id"]?.string == id)
      #expect(try await Self.post(client, "/v1/syncs/\(id)/run", status: .accepted)["id"] != nil)
      let forced = #"{"kind":"full","force":true}"#
      _ = try await Self.post(client, "/v1/syncs/\(id)/run", forced, status: .accepted)
      for body in [#"{"kind":"half"}"#, #"{"force":true}"#, #"{"kind":1}"#, #"{"x":1}"#, "["] {
        _ = try await Self.post(client, "/v1/syncs/\(id)/run", body, status: .badRequest)
      }
      #expect(try await Self.post(client, "/v1/syncs/\(id)/pause")["state"] == "paused")
      let refused = try await Self.post(client, "/v1/syncs/\(id)/run", status: .conflict)
      #expect(refused[path: "error.code"] == "CONFLICT")
      #expect(try await Self.get(client, "/v1/syncs?state=paused")["data"]?.array?.count == 1)
      #expect(try await Self.post(client, "/v1/syncs/\(id)/resume")["state"] == "active")
      #expect(try await Self.post(client, "/v1/syncs/\(id)/reset")["state"] == "active")
    }
  }

  @Test(arguments: [
    ("/v1/syncs/sync_nope", HTTPResponse.Status.notFound), ("/v1/records/nope", .notFound),
    ("/v1/records/things?cursor=abc", .badRequest), ("/v1/records/things?limit=0", .badRequest),
    ("/v1/records/things?limit=1001", .badRequest), ("/v1/syncs?state=odd", .badRequest),
    ("/v1/syncs?cursor=evt_1", .badRequest), ("/v1/records/th%00ings", .notFound),
    ("/v1/syncs?model=%00", .ok),
  ])
  func whatIsNotThereOrNotAskedWellIsSaid(uri: String, status: HTTPResponse.Status) async throws {
    try await withThings { client in _ = try await Self.get(client, uri, status: status) }
  }
}
