import Logging
import Synchronization

extension JobWorker {
  private enum Event: Sendable {
    case ended(Result<JobOutcome, any Error>)
    case stopped
  }

  /// Runs a claimed job in `group` until it is settled.
  func start(_ job: ClaimedJob, in group: inout DiscardingTaskGroup) {
    guard let handler = handlers[job.kind] else { return }
    let (stop, continuation) = AsyncStream.makeStream(of: Void.self)
    let stale = state.withLock { state in
      let stale = state.running.values.filter { $0.job.id == job.id }
      state.running[job] = Running(job: job, stop: continuation)
      return stale
    }
    // Claimed again here after its lease could not be extended: the earlier run holds nothing now.
    for run in stale { run.stop.finish() }
    group.addTask {
      await self.execute(job, handler, stop)
      self.state.withLock { $0.running[job] = nil }
      self.wakeup.signal()
    }
  }

  private func execute(
    _ job: ClaimedJob, _ handler: @escaping JobHandler, _ stop: AsyncStream<Void>
  ) async {
    let (result, wasStopped) = await withTaskGroup(of: Event.self) { group in
      group.addTask {
        do { return .ended(.success(try await handler(job))) } catch {
          return .ended(.failure(error))
        }
      }
      group.addTask {
        for await _ in stop {}
        return .stopped
      }
      var result: Result<JobOutcome, any Error> = .failure(CancellationError())
      var wasStopped = false
      for await event in group {
        switch event {
        case .ended(let end):
          result = end
          group.cancelAll()
          return (result, wasStopped)
        case .stopped:
          wasStopped = true
          group.cancelAll()
        }
      }
      return (result, wasStopped)
    }
    switch result {
    case .success(.settled): return
    case .success(let outcome): await settle(job, outcome, isDeath: false)
    case .failure(let error) where wasStopped || Task.isCancelled || error is CancellationError:
      await release(job)
    case .failure(let error):
      let outcome = policy.outcome(
        ofThrown: error, attempt: job.attempt, now: clock.now, jitter: random.unit())
      logger.error(
        "A job's handler failed",
        metadata: [
          "job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)",
          "reason": "\(JobPolicy.text(of: error))",
        ])
      await settle(job, outcome, isDeath: true)
    }
  }

  /// Writes down how a run ended. Storage that is briefly away must not make the job run again, so
  /// this is tried for as long as a lease; heartbeats go on meanwhile.
  private func settle(_ job: ClaimedJob, _ outcome: JobOutcome, isDeath: Bool) async {
    let queue = queue
    let onDeath = policy.onDeath
    for _ in 0..<5 {
      do {
        let kept = try await queue.database.write(.locking) { connection in
          let kept = try queue.settle(job, outcome, in: connection)
          if kept, isDeath, case .dead(let reason) = outcome {
            try onDeath(job, reason, connection)
          }
          return kept
        }
        if !kept {
          logger.warning("A job ended after its claim was lost", metadata: ["job": "\(job.id)"])
        }
        return
      } catch {
        logger.error(
          "A job's end cannot be stored", metadata: ["job": "\(job.id)", "error": "\(error)"])
        do { try await clock.sleep(for: lease / 5) } catch { return }
      }
    }
  }

  private func release(_ job: ClaimedJob) async {
    do {
      try await queue.release([job])
    } catch {
      logger.error(
        "A job cannot be given back; it runs again when its lease ends",
        metadata: ["job": "\(job.id)", "error": "\(error)"])
    }
  }
}
