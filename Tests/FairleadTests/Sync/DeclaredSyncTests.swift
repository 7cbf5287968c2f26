import FairleadTesting
import HTTPTypes
import Synchronization
import Testing

@testable import Fairlead

@Suite struct DeclaredSyncTests {
  private func sync(_ yaml: String) throws -> DeclaredSync {
    let definition = try DefinitionLoader.load(yaml: yaml, file: "sample.yaml")
    let (model, settings) = try #require(definition.syncs.first)
    return DeclaredSync(
      integration: IntegrationName(definition.name), model: model, settings: settings)
  }

  private func page(
    _ sync: DeclaredSync, _ request: SyncPageRequest, answer: JSONValue, headers: HTTPFields = [:],
    asked: AskedPaths = AskedPaths()
  ) async throws -> SyncPage {
    let definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "", baseURL: "https://api.acme.example",
      auth: .apiKey)
    let context = SyncContext(
      connection: Connection(
        id: ConnectionID(rawValue: "conn_1"), integration: "acme", owner: nil,
        createdAt: Timestamp(seconds: 0)),
      integration: Integration(name: "acme", definition: definition), params: [:],
      send: { request, _ in
        asked.add(request.path)
        return CallReply(
          status: 200, headers: headers, body: answer.bytes,
          report: CallReport(requestID: RequestID(rawValue: "req_1")))
      })
    return try await sync.page(request, context)
  }

  static let start = Timestamp(seconds: 1_800_000_000)

  static func acme(_ sync: String) -> String {
    """
    name: acme
    display_name: Acme
    purpose: Orders
    base_url: https://api.acme.example
    auth: { type: api_key }
    syncs:
      orders: \(sync)
    """
  }

  @Test func calendarTokensReplaceWhatDoesNotGoWithThem() async throws {
    var sync = try sync(SyncSamples.calendar)
    sync = DeclaredSync(
      integration: "google", model: sync.model,
      settings: {
        var settings = sync.settings
        settings.query["timeMin"] = "2027-01-01T00:00:00Z"
        return settings
      }())
    let asked = AskedPaths()
    let answer: JSONValue = [
      "items": [
        ["id": "a", "status": "confirmed", "updated": "2027-01-02T03:04:05.678Z"],
        ["id": "b", "status": "cancelled"],
        ["id": "c", "status": "cancelled", "recurringEventId": "r", "originalStartTime": [:]],
        ["status": "confirmed"],
      ],
      "nextSyncToken": "t2",
    ]
    let full = try await page(
      sync, SyncPageRequest(kind: .full, startedAt: Self.start), answer: answer, asked: asked)
    #expect(full.checkpoint == "t2" && full.nextCursor == nil)
    #expect(full.warnings == ["records without an id": 1])
    let ids = full.changes.map { change in
      switch change {
      case .upsert(let record): "+\(record.id)"
      case .delete(let deletion): "-\(deletion.id)"
      }
    }
    #expect(ids == ["+a", "-b", "+c"])
    _ = try await page(
      sync,
      SyncPageRequest(kind: .incremental, cursor: "p2", checkpoint: "t1", startedAt: Self.start),
      answer: answer, asked: asked)
    #expect(asked.current[0].contains("timeMin=") && !asked.current[0].contains("syncToken"))
    #expect(asked.current[1].contains("syncToken=t1") && asked.current[1].contains("pageToken=p2"))
    #expect(!asked.current[1].contains("timeMin"))
  }

  @Test func windowsOverlapAndStartWhereTheRunBeforeBegan() async throws {
    let sync = try sync(
      Self.acme(
        "{ path: /orders, items: data, id: id, incremental: { param: since, format: epoch_s } }"))
    let asked = AskedPaths()
    let first = try await page(
      sync, SyncPageRequest(kind: .full, startedAt: Self.start), answer: ["data": []], asked: asked)
    _ = try await page(
      sync,
      SyncPageRequest(
        kind: .incremental, checkpoint: first.checkpoint, startedAt: Self.start + .seconds(900)),
      answer: ["data": []], asked: asked)
    #expect(asked.current == ["/orders", "/orders?since=1799999700"])
  }

  @Test func offsetPagesOverlapAndNoticeThatTheListMoved() async throws {
    let sync = try sync(
      Self.acme(
        """
        { path: /orders, id: id,
          pagination: { style: offset, param: offset, items: ".", size: { param: limit, max: 3 } } }
        """))
    let asked = AskedPaths()
    func request(_ cursor: String?) -> SyncPageRequest {
      SyncPageRequest(kind: .full, cursor: cursor, startedAt: Self.start)
    }
    func items(_ ids: String...) -> JSONValue {
      .array(ids.map { ["id": .string($0)] })
    }
    let first = try await page(sync, request(nil), answer: items("a", "b", "c"), asked: asked)
    let second = try await page(
      sync, request(first.nextCursor), answer: items("c", "d", "e"), asked: asked)
    let third = try await page(sync, request(second.nextCursor), answer: items("e"), asked: asked)
    #expect(third.nextCursor == nil)
    #expect(
      asked.current == ["/orders?limit=3", "/orders?limit=3&offset=2", "/orders?limit=3&offset=4"])
    // One before it was deleted: d would never be seen.
    await #expect(throws: SyncInterruption.shifted) {
      _ = try await page(sync, request(first.nextCursor), answer: items("d", "e", "f"))
    }
    // One was put in front: everything is there, some of it twice.
    let moved = try await page(sync, request(first.nextCursor), answer: items("b", "c", "d"))
    #expect(moved.nextCursor != nil)
  }

  @Test(
    arguments: [
      ("cursor, param: cursor, next: cursor", ["more": true, "data": [["id": "a"]]]),
      ("cursor, param: cursor, next: cursor", ["more": true, "cursor": "", "data": []]),
      ("last_id, param: after, next: key", ["more": true, "data": [["id": "a"]]]),
      ("last_id, param: after, next: key", ["data": [["id": "a"]]]),
      ("last_id, param: after, next: key", ["more": true, "data": []]),
      ("offset, param: offset", ["more": true, "data": []]),
      ("link", ["more": true, "data": [["id": "a"]]]),
    ] as [(String, JSONValue)])
  func aListThatGoesOnWithoutAWayOnHasNotEnded(style: String, answer: JSONValue) async throws {
    let sync = try sync(
      Self.acme(
        "{ path: /orders, id: id, pagination: { style: \(style), has_more: more, items: data } }"))
    let request = SyncPageRequest(kind: .full, startedAt: Self.start)
    await #expect(throws: SyncInterruption.self) {
      _ = try await page(sync, request, answer: answer)
    }
    let end = try await page(sync, request, answer: ["more": false, "data": [["id": "a"]]])
    #expect(end.nextCursor == nil)
  }

  @Test func linkPagesStayAtTheProvider() async throws {
    let sync = try sync(
      Self.acme("{ path: /orders, id: id, pagination: { style: link, items: \".\" } }"))
    let link = try #require(HTTPField.Name("link"))
    let request = SyncPageRequest(kind: .full, startedAt: Self.start)
    let next = try await page(
      sync, request, answer: [],
      headers: [
        link: "<https://api.acme.example/orders?page=1>; rel=\"prev\", "
          + "<https://api.acme.example/orders?page=3>; rel=\"next\""
      ])
    #expect(next.nextCursor == "/orders?page=3")
    await #expect(throws: SyncInterruption.self) {
      _ = try await page(
        sync, request, answer: [], headers: [link: "<https://evil.example/x>; rel=\"next\""])
    }
  }

  @Test func anAnswerWithoutAListIsNoEmptyList() async throws {
    let sync = try sync(Self.acme("{ path: /orders, items: data, id: id }"))
    for answer: JSONValue in [[:], ["data": [:]], ["data": nil], "x"] {
      await #expect(throws: SyncInterruption.self) {
        _ = try await page(
          sync, SyncPageRequest(kind: .full, startedAt: Self.start), answer: answer)
      }
    }
  }

  @Test func mappedValuesAreCastOrTold() {
    let mapping = RecordMapping([
      "id": .init(path: "id"), "total": .init(path: "amount.total", cast: .int),
      "price": .init(path: "price", cast: .float), "paid": .init(path: "paid", cast: .bool),
      "at": .init(path: "at", cast: .time), "code": .init(path: "code", cast: .string),
      "bad": .init(path: "id", cast: .int), "gone": .init(path: "nope.0", cast: .int),
      "all": .init(path: "list.1"),
    ])
    var warnings: [String: Int] = [:]
    let record = mapping.apply(
      to: [
        "id": "x", "amount": ["total": "12"], "price": 3, "paid": 1, "at": 1_700_000_000_123,
        "code": 7, "list": [1, 2],
      ], &warnings)
    #expect(
      record == [
        "id": "x", "total": 12, "price": .double(3), "paid": true,
        "at": "2023-11-14T22:13:20.123Z", "code": "7", "bad": nil, "gone": nil, "all": 2,
      ])
    #expect(warnings == ["values of bad that are no int": 1])
  }

  @Test(
    arguments: [
      ("1700000000", 1_700_000_000_000_000), ("2027-01-31", 1_801_353_600_000_000),
      ("2027-01-31T00:00:00+01:00", 1_801_350_000_000_000),
    ] as [(String, Int64)])
  func timesAreReadAsTheyCome(text: String, microseconds: Int64) {
    #expect(SyncTime.read(.string(text))?.microseconds == microseconds)
    for junk: JSONValue in [nil, true, "soon", [:], .double(1e300), .int(.max)] {
      #expect(SyncTime.read(junk) == nil)
    }
  }
}

/// The paths that a source asked for.
final class AskedPaths: Sendable {
  private let paths = Mutex<[String]>([])
  var current: [String] { paths.withLock { $0 } }
  func add(_ path: String) { paths.withLock { $0.append(path) } }
}
