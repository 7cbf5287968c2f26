import Synchronization

/// Keeps one slow destination from taking every worker: so many deliveries to one destination run at
/// once, the others are put back for about as long as it takes until their turn.
final class DestinationGate: Sendable {
  enum Admission: Sendable, Equatable {
    case go
    /// Full: come back after this long.
    case later(Duration)
  }

  private struct Lane {
    var inFlight = 0
    /// What an attempt takes, smoothed.
    var typical = 0.5
    /// When the last put-back delivery is due, in seconds of uptime. Each takes the next place at the
    /// destination's own rate, so that a long queue does not spin.
    var nextPlace = 0.0
  }

  private static let shortest = 0.25
  private static let longest = 60.0

  private let limit: Int
  private let lanes = Mutex<[DestinationID: Lane]>([:])

  init(limit: Int) { self.limit = max(1, limit) }

  func enter(_ destination: DestinationID, uptime: Duration) -> Admission {
    lanes.withLock { lanes in
      var lane = lanes[destination] ?? Lane()
      defer { lanes[destination] = lane }
      if lane.inFlight < limit {
        lane.inFlight += 1
        return .go
      }
      let now = uptime.inSeconds
      let spacing = lane.typical / Double(limit)
      let place = max(lane.nextPlace, now + Self.shortest) + spacing
      lane.nextPlace = min(place, now + Self.longest)
      return .later(.milliseconds(Int64((lane.nextPlace - now) * 1_000)))
    }
  }

  func leave(_ destination: DestinationID, took: Duration) {
    lanes.withLock { lanes in
      guard var lane = lanes[destination] else { return }
      lane.inFlight -= 1
      lane.typical = lane.typical * 0.8 + took.inSeconds * 0.2
      lanes[destination] = lane
    }
  }
}
