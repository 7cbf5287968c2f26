import Fairlead
import HTTPTypes
import NIOCore
import Synchronization

/// A calendar in memory behind Google's list call: sync tokens, pages, deletions as `cancelled`.
final class CalendarProvider: Transport {
  struct Event: Sendable, Hashable {
    var title: String
    var change: Int
    var isCancelled = false
  }

  /// What goes wrong with the next calls.
  enum Fault: Sendable, CaseIterable {
    case expired, busy, limited, dropped, garbage, samePage
  }

  struct State: Sendable {
    var events: [String: Event] = [:]
    var clock = 0
    var oldestToken = 0
    var lists: [Int: [String]] = [:]
    var tokens: [Int: Int] = [:]
    var everCancelled: Set<String> = []
    var faults: [Fault] = []
    var calls = 0
    var pageSize = 3
    var seed: UInt64
  }

  let state: Mutex<State>

  init(seed: UInt64 = 1) { state = Mutex(State(seed: seed)) }

  // MARK: - Changing

  func put(_ id: String, _ title: String) {
    state.withLock { state in
      state.clock += 1
      state.events[id] = Event(title: title, change: state.clock)
    }
  }

  func cancel(_ id: String) {
    state.withLock { state in
      guard state.events[id] != nil else { return }
      state.clock += 1
      state.events[id]?.change = state.clock
      state.events[id]?.isCancelled = true
      state.everCancelled.insert(id)
    }
  }

  func expireTokens() { state.withLock { $0.oldestToken = $0.clock + 1 } }
  func fail(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }
  func heal() { state.withLock { $0.faults = [] } }

  var live: [String: String] {
    state.withLock { $0.events.filter { !$0.value.isCancelled }.mapValues(\.title) }
  }

  // MARK: - Answering

  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse {
    let query = request.url.split(separator: "?").dropFirst().first.map {
      FormEncoding.decode(String($0))
    }
    let parameters = Dictionary(query ?? [], uniquingKeysWith: { $1 })
    let answer: (Int, String) = try state.withLock { state in
      state.calls += 1
      if !state.faults.isEmpty {
        switch state.faults.removeFirst() {
        case .expired: return (410, #"{"error":{"code":410}}"#)
        case .busy: return (503, "{}")
        case .limited: return (429, "{}")
        case .dropped:
          throw TransportError(.disconnected, nothingSent: false, detail: "gone")
        case .garbage: return (200, "<html>")
        case .samePage:
          return (200, #"{"items":[],"nextPageToken":"same"}"#)
        }
      }
      return Self.list(parameters, &state)
    }
    return TransportResponse(
      status: answer.0, headers: [.contentType: "application/json"],
      body: BodyStream {
        let left = Mutex<ByteBuffer?>(ByteBuffer(string: answer.1))
        return { left.withLock { $0.take() } }
      })
  }

  private static func list(_ parameters: [String: String], _ state: inout State) -> (Int, String) {
    var since: Int?
    if let token = parameters["syncToken"] {
      guard let number = Int(token), number >= state.oldestToken else { return (410, "{}") }
      guard parameters["timeMin"] == nil else { return (400, "{}") }
      since = number
    }
    let number: Int
    let offset: Int
    if let page = parameters["pageToken"] {
      let parts = page.split(separator: "-").compactMap { Int($0) }
      guard parts.count == 2, state.lists[parts[0]] != nil else { return (400, "{}") }
      (number, offset) = (parts[0], parts[1])
    } else {
      let wanted = state.events.filter { event in
        since.map { event.value.change > $0 } ?? !event.value.isCancelled
      }
      number = state.lists.count
      offset = 0
      state.lists[number] = wanted.keys.sorted()
      state.tokens[number] = state.clock
    }
    let ids = state.lists[number] ?? []
    state.seed = state.seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    // Pages may be short or empty and yet go on.
    let size = Int((state.seed >> 33) % UInt64(state.pageSize + 1))
    let end = min(ids.count, offset + size)
    let isLast = end == ids.count
    let items = ids[min(offset, end)..<end].map { id -> JSONValue in
      guard let event = state.events[id] else { return ["id": .string(id)] }
      if event.isCancelled { return ["id": .string(id), "status": "cancelled"] }
      return [
        "id": .string(id), "status": "confirmed", "summary": .string(event.title),
        "updated": .string(Timestamp(seconds: 1_700_000_000 + Int64(event.change)).rfc3339),
      ]
    }
    var answer: [String: JSONValue] = ["items": .array(items)]
    if isLast {
      answer["nextSyncToken"] = .string(String(state.tokens[number] ?? 0))
    } else {
      // The mark makes the token of an empty page another one.
      let mark = state.calls
      answer["nextPageToken"] = .string("\(number)-\(end)-x\(mark)")
    }
    return (200, JSONValue.object(answer).text)
  }
}
