import Fairlead
import HTTPTypes
import Synchronization

/// The last requests one simulator received. Bounded by count and by size.
final class RequestJournal: Sendable {
  struct Entry: Sendable {
    var number: Int
    var time: Timestamp
    var method: String
    var path: String
    var query: String
    var headers: [(name: String, value: String)]
    var body: String
    var bodyBytes: Int
    /// `nil` while it is under way and when no status was sent.
    var status: Int?
    /// The fault that hit it.
    var fault: String?

    fileprivate var weight: Int {
      headers.reduce(body.utf8.count + path.utf8.count + query.utf8.count + 200) {
        $0 + $1.name.utf8.count + $1.value.utf8.count
      }
    }
  }

  private struct Ring {
    /// A window on an ever-growing numbering: entry `number` is at `number - first`.
    var entries: [Entry] = []
    var start = 0
    var total = 0
    var weight = 0
  }

  static let capacity = 10_000
  static let weightLimit = 32 << 20
  /// How much of a body is kept.
  static let bodyLimit = 8 << 10

  private let ring = Mutex(Ring())

  /// Notes a request as it arrives. Returns its number.
  func arrived(_ request: SimulatedRequest) -> Int {
    var headers: [(name: String, value: String)] = []
    for field in request.headers { headers.append((field.name.canonicalName, field.value)) }
    var entry = Entry(
      number: 0, time: request.now, method: request.method, path: request.path,
      query: request.rawQuery, headers: headers,
      body: String(decoding: request.body.prefix(Self.bodyLimit), as: UTF8.self),
      bodyBytes: request.body.count, status: nil, fault: nil)
    return ring.withLock { ring in
      entry.number = ring.total
      ring.total += 1
      ring.entries.append(entry)
      ring.weight += entry.weight
      while ring.entries.count - ring.start > Self.capacity || ring.weight > Self.weightLimit,
        ring.start < ring.entries.count
      {
        ring.weight -= ring.entries[ring.start].weight
        // The slot lives until the next compaction; what it holds need not.
        ring.entries[ring.start].body = ""
        ring.entries[ring.start].headers = []
        ring.start += 1
      }
      if ring.start > Self.capacity {
        ring.entries.removeFirst(ring.start)
        ring.start = 0
      }
      return entry.number
    }
  }

  func answered(_ number: Int, status: Int?, fault: Fault?) {
    ring.withLock { ring in
      guard let last = ring.entries.last else { return }
      let index = ring.entries.count - 1 - (last.number - number)
      guard ring.entries.indices.contains(index), ring.entries[index].number == number else {
        return
      }
      ring.entries[index].status = status
      ring.entries[index].fault = fault?.kind.rawValue
    }
  }

  /// The newest `limit` entries that match, oldest first; how many match in all; and how many were
  /// dropped since the last reset.
  func entries(
    method: String?, path: String?, limit: Int
  ) -> (entries: [Entry], matching: Int, dropped: Int) {
    ring.withLock { ring in
      let matching = ring.entries[ring.start...].filter { entry in
        (method.map { $0 == entry.method } ?? true)
          && (path.map { PathPattern.matches($0, entry.path) } ?? true)
      }
      let dropped = ring.total - (ring.entries.count - ring.start)
      return (Array(matching.suffix(limit)), matching.count, dropped)
    }
  }

  func reset() { ring.withLock { $0 = Ring() } }
}

extension RequestJournal.Entry {
  var json: JSONValue {
    var fields: [String: JSONValue] = [:]
    for (name, value) in headers {
      if let earlier = fields[name]?.string {
        fields[name] = .string("\(earlier), \(value)")
      } else {
        fields[name] = .string(value)
      }
    }
    return [
      "number": .int(Int64(number)), "time": .string(time.rfc3339), "method": .string(method),
      "path": .string(path), "query": .string(query), "headers": .object(fields),
      "body": .string(body), "body_bytes": .int(Int64(bodyBytes)),
      "status": status.map { .int(Int64($0)) } ?? .null,
      "fault": fault.map { .string($0) } ?? .null,
    ]
  }
}
