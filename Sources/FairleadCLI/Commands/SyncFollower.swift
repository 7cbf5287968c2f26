import Fairlead

/// What a look at a sync means to who follows its run. Pure.
enum SyncFollow {
  enum Step: Equatable {
    /// Asked for, and not begun yet.
    case waiting
    case running(records: Int64, pages: Int64)
    case ended
    /// It will not run: the reason.
    case refused(String)
  }

  /// - Parameters:
  ///   - before: the sync as it was before the run was asked for.
  ///   - now: the sync as it is.
  static func step(before: JSONValue, now: JSONValue) -> Step {
    if now["running"]?.bool == true {
      return .running(
        records: now[path: "run.records"]?.int ?? 0, pages: now[path: "run.pages"]?.int ?? 0)
    }
    let last = now[path: "last_run.started_at"]
    if let last, last != .null, last != before[path: "last_run.started_at"] {
      // What was under way when this run was asked for ends first; then one more follows.
      return before[path: "run.started_at"] == last ? .waiting : .ended
    }
    if now["state"]?.string == "blocked" {
      return .refused(now["error"]?.string ?? "its connection cannot be used.")
    }
    return .waiting
  }

  /// Why the last run is no success; `nil` when it is one.
  static func failure(of sync: JSONValue) -> String? {
    guard sync[path: "last_run.status"]?.string == "failed" else { return nil }
    let reason = sync[path: "last_run.error"]?.string ?? sync["error"]?.string
    return "the sync failed: \((reason ?? "the server's log says why").printable)"
  }
}

/// Follows a run: a bar that is drawn over itself on a terminal, a line now and then in a pipe.
struct SyncFollower {
  private static let pause: Duration = .milliseconds(400)
  /// A run that nobody has begun after this long will not begin by itself. The time another run of
  /// the sync takes does not count.
  private static let patience: Duration = .seconds(120)

  let clock: any FairleadClock
  let isQuiet: Bool

  /// - Returns: the sync after its run.
  func follow(
    from before: JSONValue, look: () async throws -> ServerClient.Answer
  ) async throws -> ServerClient.Answer {
    let start = clock.uptime
    var waitingSince: Duration?
    let expected = before["records"]?.int
    var shown = ""
    defer { if !shown.isEmpty, Terminal.isErrorInteractive, !isQuiet { Console.error("") } }
    while true {
      let answer = try await look()
      switch SyncFollow.step(before: before, now: answer.json) {
      case .ended: return answer
      case .refused(let reason): throw CommandFailure("the sync cannot run: \(reason.printable)")
      case .waiting:
        let since = waitingSince ?? clock.uptime
        waitingSince = since
        guard clock.uptime - since < Self.patience else {
          throw CommandFailure("the sync has not begun after two minutes. Look at fairlead status.")
        }
      case .running(let records, let pages):
        waitingSince = nil
        let bar = ProgressBar(
          records: records, pages: pages, expected: expected, elapsed: clock.uptime - start)
        show(bar, &shown)
      }
      try await clock.sleep(for: Self.pause)
    }
  }

  /// Progress is no result: it goes to standard error.
  private func show(_ bar: ProgressBar, _ shown: inout String) {
    guard !isQuiet else { return }
    if Terminal.isErrorInteractive {
      let line = DisplayWidth.cut(bar.line, to: max(20, (Terminal.width ?? 80) - 1))
      Console.errorInPlace(line)
      shown = line
    } else {
      // The seconds alone are no news for a log.
      let line =
        "\(NumberText.grouped(bar.records)) records, \(NumberText.grouped(bar.pages)) pages"
      if line != shown { Console.error(line) }
      shown = line
    }
  }
}
