import Synchronization

/// One limit for one value of its key: who may call now, and who waits for how long.
///
/// Waiters suspend; one of them at a time keeps time: it sleeps until the next call conforms, lets
/// the fair queue say whose it is, and hands the task on when it leaves. So a bucket needs no task
/// of its own, and a slot is never tied to whoever happened to come first.
final class RateBucket: Sendable {
  /// The wait would last beyond the caller's deadline.
  struct TooLong: Error, Equatable {
    let retryAfter: Duration
  }

  /// More waiters than this are refused, so that memory stays bounded.
  static let longestQueue = 10_000

  private enum Signal {
    case granted
    case keepTime
    case expired(Duration)
    case cancelled
  }

  private struct Waiter {
    var deadline: Duration
    /// `nil` for the one who keeps time.
    var continuation: CheckedContinuation<Signal, Never>?
  }

  private typealias Ticket = FairQueue<Waiter>.Ticket

  private struct State {
    var gcra = GCRA()
    var pausedUntil: Duration = .zero
    var queue = FairQueue<Waiter>()
    var timekeeper: Int?
    var cancelled: Set<Int> = []
    var nextID = 0
    var earliestDeadline: Duration?

    func wait(_ rate: GCRA.Rate?, at now: Duration, ahead: Int = 0) -> Duration {
      let pause = max(.zero, pausedUntil - now)
      guard let rate else { return pause }
      return max(pause, gcra.wait(rate, at: now, ahead: ahead))
    }
  }

  /// `nil`: no limit of its own, only pauses that the provider asked for.
  private let rate: GCRA.Rate?
  private let clock: any FairleadClock
  private let state = Mutex(State())

  init(rate: GCRA.Rate?, clock: any FairleadClock) {
    self.rate = rate
    self.clock = clock
  }

  /// Waits until a call conforms and counts it.
  /// - Parameter deadline: an uptime; when the wait cannot end before it, fails at once.
  /// - Returns: how long it waited.
  /// - Throws: `TooLong`, `CancellationError`.
  func acquire(
    owner: String, priority: Call.Priority, deadline: Duration
  ) async throws -> Duration {
    let started = clock.uptime
    let id: Int? = try state.withLock { state in
      if state.queue.isEmpty, state.wait(rate, at: started) == .zero {
        if let rate { state.gcra.take(rate, at: started) }
        return nil
      }
      let ahead = state.queue.ahead(owner: owner, priority: priority)
      let estimate = state.wait(rate, at: started, ahead: ahead)
      if started + estimate > deadline || state.queue.count >= Self.longestQueue {
        throw TooLong(retryAfter: estimate)
      }
      state.nextID += 1
      return state.nextID
    }
    guard let id else { return .zero }
    let ticket = Ticket(id: id, owner: owner, priority: priority)
    switch await enqueue(ticket, deadline: deadline) {
    case .granted: break
    case .keepTime: try await keepTime(ticket)
    case .expired(let wait): throw TooLong(retryAfter: wait)
    case .cancelled: throw CancellationError()
    }
    return clock.uptime - started
  }

  /// Counts a call that goes out without waiting: a retry, whose delay was its own wait.
  func charge() {
    guard let rate else { return }
    let now = clock.uptime
    state.withLock { $0.gcra.take(rate, at: now) }
  }

  func giveBack() {
    guard let rate else { return }
    state.withLock { $0.gcra.giveBack(rate) }
  }

  /// Nobody goes before `duration` has passed: the provider said so.
  func pause(for duration: Duration) {
    let until = clock.uptime + duration
    state.withLock { $0.pausedUntil = max($0.pausedUntil, until) }
  }

  /// The provider says how many calls are left until its window starts anew.
  func correct(remaining: Int, reset: Duration?) {
    let now = clock.uptime
    state.withLock { state in
      if let rate { state.gcra.correct(remaining: remaining, rate, at: now) }
      if remaining <= 0, let reset { state.pausedUntil = max(state.pausedUntil, now + reset) }
    }
  }

  /// Whether forgetting this bucket would change nothing.
  var isIdle: Bool {
    let now = clock.uptime
    return state.withLock { state in
      state.queue.isEmpty && state.timekeeper == nil && state.pausedUntil <= now
        && state.gcra.arrival <= now
    }
  }

  var waiting: Int { state.withLock { $0.queue.count } }
}

// MARK: - Waiting

extension RateBucket {
  private func enqueue(_ ticket: Ticket, deadline: Duration) async -> Signal {
    let signal = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate: Signal? = state.withLock { state in
          if state.cancelled.contains(ticket.id) { return .cancelled }
          state.earliestDeadline = min(state.earliestDeadline ?? deadline, deadline)
          if state.timekeeper == nil {
            state.timekeeper = ticket.id
            state.queue.push(Waiter(deadline: deadline), ticket)
            return .keepTime
          }
          state.queue.push(Waiter(deadline: deadline, continuation: continuation), ticket)
          return nil
        }
        if let immediate { continuation.resume(returning: immediate) }
      }
    } onCancel: {
      let continuation = state.withLock { state -> CheckedContinuation<Signal, Never>? in
        state.cancelled.insert(ticket.id)
        // The timekeeper notices by its own sleep.
        if state.timekeeper == ticket.id { return nil }
        return state.queue.remove(ticket)?.continuation
      }
      continuation?.resume(returning: .cancelled)
    }
    state.withLock { _ = $0.cancelled.remove(ticket.id) }
    return signal
  }

  private struct Step {
    enum Own {
      case granted
      case expired(Duration)
      case sleep(Duration)
    }
    var resumptions: [(CheckedContinuation<Signal, Never>, Signal)] = []
    var own: Own
  }

  private func keepTime(_ ticket: Ticket) async throws {
    while true {
      let now = clock.uptime
      let step = state.withLock { state in advance(&state, keeper: ticket.id, at: now) }
      for (continuation, signal) in step.resumptions { continuation.resume(returning: signal) }
      switch step.own {
      case .granted: return
      case .expired(let wait): throw TooLong(retryAfter: wait)
      case .sleep(let duration):
        do {
          try await clock.sleep(for: duration)
        } catch {
          let next = state.withLock { state in
            _ = state.queue.remove(ticket)
            return handOver(&state)
          }
          next?.resume(returning: .keepTime)
          throw error
        }
      }
    }
  }

  /// Grants what is due, fails who cannot be served in time, and says what the keeper does next.
  private func advance(_ state: inout State, keeper: Int, at now: Duration) -> Step {
    var step = Step(own: .sleep(.zero))
    var wait = state.wait(rate, at: now)
    while wait == .zero, let next = state.queue.pop() {
      if let rate { state.gcra.take(rate, at: now) }
      if next.ticket.id == keeper {
        step.own = .granted
        if let heir = handOver(&state) { step.resumptions.append((heir, .keepTime)) }
        return step
      }
      if let continuation = next.element.continuation {
        step.resumptions.append((continuation, .granted))
      }
      wait = state.wait(rate, at: now)
    }
    step.own = .sleep(wait)
    guard let earliest = state.earliestDeadline, now + wait > earliest else { return step }
    let late = state.queue.removeAll { $0.deadline < now + wait }
    var soonest: Duration?
    state.queue.forEach { soonest = min(soonest ?? $1.deadline, $1.deadline) }
    state.earliestDeadline = soonest
    for (ticket, waiter) in late {
      if ticket.id == keeper {
        step.own = .expired(wait)
        if let heir = handOver(&state) { step.resumptions.append((heir, .keepTime)) }
      } else if let continuation = waiter.continuation {
        step.resumptions.append((continuation, .expired(wait)))
      }
    }
    return step
  }

  /// Makes the next in line the keeper of time.
  private func handOver(_ state: inout State) -> CheckedContinuation<Signal, Never>? {
    state.timekeeper = nil
    let heir = state.queue.updateFirst { ticket, waiter in
      defer { waiter.continuation = nil }
      return (ticket.id, waiter.continuation)
    }
    guard let heir else {
      state.earliestDeadline = nil
      return nil
    }
    state.timekeeper = heir.0
    return heir.1
  }
}
