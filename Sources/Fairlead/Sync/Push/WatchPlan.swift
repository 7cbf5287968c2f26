/// What has to be done about the watches of one model now. Pure.
enum WatchStep: Sendable, Hashable {
  case open
  /// Ask the provider to end it, as far as it lets us.
  case stop(PushChannel)
}

enum WatchPlan {
  /// How long before its end a watch is followed by the next: a seventh of its life, a day at most.
  static func overlap(of channel: PushChannel) -> Duration {
    min((channel.expiresAt - channel.openedAt) / 7, .seconds(86_400))
  }

  /// One watch is open at a time, apart from the overlap: the next is opened first, then the one
  /// before is stopped, so that no change falls between them.
  /// - Parameter channels: all of one model.
  static func steps(
    _ channels: [PushChannel], isWanted: Bool, now: Timestamp
  ) -> [WatchStep] {
    let open = channels.filter { $0.state == .open && $0.expiresAt > now }
      .sorted { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
    guard isWanted else { return open.map { .stop($0) } }
    guard let newest = open.last, newest.expiresAt - overlap(of: newest) > now else {
      return [.open]
    }
    return open.dropLast().map { .stop($0) }
  }
}
