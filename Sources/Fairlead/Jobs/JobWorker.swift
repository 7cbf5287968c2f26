public import Logging
public import ServiceLifecycle
import Synchronization

/// Claims due jobs and runs their handlers, at most `concurrency` at a time, fairly between kinds.
///
/// What there is no room for is left as it is, for this worker or another to claim later.
///
/// Leases are extended while handlers run; a handler whose claim was lost is cancelled. On graceful
/// shutdown no more jobs are claimed, running ones get `policy.shutdownGrace` to finish, and what is
/// left is given back at once. Any number of workers may share a queue.
public final class JobWorker: Service {
  struct Running {
    let job: ClaimedJob
    /// Finished to cancel the handler.
    let stop: AsyncStream<Void>.Continuation
  }

  struct State {
    var isStopping = false
    var turn = 0
    var running: [ClaimedJob: Running] = [:]
  }

  let queue: JobQueue
  let handlers: [String: JobHandler]
  let policy: JobPolicy
  let lease: Duration
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  let state = Mutex(State())
  let wakeup = Wakeup()
  private let concurrency: Int
  private let limits: [String: Int]

  /// - Parameters:
  ///   - handlers: by kind; jobs of a kind without one are given up.
  ///   - limits: how many of a kind may run here at once; others only `concurrency` bounds.
  ///   - lease: how long a job stays claimed without a sign of life; extended every third of it.
  public init(
    queue: JobQueue, handlers: [String: JobHandler], concurrency: Int = 16,
    limits: [String: Int] = [:], lease: Duration = .seconds(30), policy: JobPolicy = JobPolicy(),
    clock: any FairleadClock, random: RandomSource = .system, logger: Logger
  ) {
    self.queue = queue
    self.handlers = handlers
    self.concurrency = max(1, concurrency)
    self.limits = limits.mapValues { max(1, $0) }
    self.lease = lease
    self.policy = policy
    self.clock = clock
    self.random = random
    self.logger = logger
  }

  public func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.listen() }
        group.addTask { await self.keepLeases() }
        while !self.isStopping {
          let (jobs, pause) = await self.claim()
          for job in jobs { self.start(job, in: &group) }
          await self.wakeup.wait(atMost: pause, self.clock)
        }
        await self.drain()
        group.cancelAll()
      }
    } onGracefulShutdown: {
      self.state.withLock { $0.isStopping = true }
      self.wakeup.signal()
    }
  }

  private var isStopping: Bool { Task.isCancelled || state.withLock { $0.isStopping } }

  // MARK: - Claiming

  /// Claims what there is room for.
  /// - Returns: the jobs, and how long to wait for a signal before the next look.
  private func claim() async -> (jobs: [ClaimedJob], pause: Duration) {
    let (kinds, turn) = state.withLock { state in
      state.turn &+= 1
      return (state.running.keys.map(\.kind), state.turn)
    }
    let running = Dictionary(kinds.map { ($0, 1) }, uniquingKeysWith: +)
    let free = concurrency - kinds.count
    // A finished job signals.
    guard free > 0 else { return ([], policy.poll) }
    do {
      let outlook = try await queue.outlook().filter { next in
        limits[next.kind].map { running[next.kind] ?? 0 < $0 } ?? true
      }
      let now = clock.now
      let due = outlook.filter { $0.dueAt <= now }.map(\.kind)
      guard !due.isEmpty else {
        let next = outlook.map { $0.dueAt - now }.min()
        return ([], min(policy.poll, next ?? policy.poll))
      }
      let jobs = try await queue.claim(
        JobQueue.ClaimOrder(
          kinds: due, handled: Set(handlers.keys), slots: free,
          running: running, limits: limits, turn: turn, lease: lease,
          maximumCrashes: policy.maximumCrashes, onDeath: policy.onDeath))
      // Look again at once for what else is due, unless it was only seen: then another worker is
      // taking it.
      return (jobs, jobs.isEmpty ? .milliseconds(50) : .zero)
    } catch {
      logger.error("Jobs cannot be claimed", metadata: ["error": "\(error)"])
      return ([], policy.poll)
    }
  }

  private func listen() async {
    for await _ in queue.database.notifications(on: JobQueue.channel) { wakeup.signal() }
  }

  // MARK: - Leases

  private func keepLeases() async {
    while true {
      do { try await clock.sleep(for: lease / 3) } catch { return }
      let jobs = state.withLock { Array($0.running.keys) }
      guard !jobs.isEmpty else { continue }
      do {
        for job in try await queue.extendLeases(of: jobs, by: lease) {
          guard let lost = state.withLock({ $0.running[job] }) else { continue }
          logger.warning("A job's claim was lost", metadata: ["job": "\(job.id)"])
          lost.stop.finish()
        }
      } catch {
        // There are two more tries before the leases end.
        logger.error("Job leases cannot be extended", metadata: ["error": "\(error)"])
      }
    }
  }

  // MARK: - Shutdown

  private func drain() async {
    let end = clock.uptime + policy.shutdownGrace
    while !Task.isCancelled, !state.withLock({ $0.running.isEmpty }) {
      let left = end - clock.uptime
      guard left > .zero else { break }
      await wakeup.wait(atMost: left, clock)
    }
    let left = state.withLock { Array($0.running.values) }
    guard !left.isEmpty else { return }
    for running in left { running.stop.finish() }
    do {
      try await queue.release(left.map(\.job))
    } catch {
      logger.error(
        "Jobs cannot be given back; they run again when their leases end",
        metadata: ["error": "\(error)"])
    }
  }
}
