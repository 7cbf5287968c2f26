import FairleadTesting
import Testing

@testable import Fairlead

/// Random claims, crashes, retries, releases and stale settlements against a model in memory: what
/// the queue answers must be what the model says, and in the end every job ended exactly once.
@Suite struct JobQueueModelTests {
  private struct Entry {
    var due: Timestamp
    /// The claim that counts, while it runs.
    var claim: String?
    var errors = 0
    var crashes = 0
    var ends = 0
    var isDead = false
  }

  private static let lease = Duration.seconds(30)

  @Test(arguments: TestEngine.all, [1, 2, 3, 4] as [UInt64])
  func noJobIsLostAndNoneEndsTwice(engine: TestEngine, seed: UInt64) async throws {
    let clock = ManualClock()
    try await engine.withDatabase(migrations: Migration.jobs, clock: clock) { database in
      let random = RandomSource(seed: seed)
      let queue = JobQueue(database: database, clock: clock, random: random)
      var model: [String: Entry] = [:]
      // Every claim ever given, the stale ones too: a crashed worker is one that holds on to them.
      var held: [ClaimedJob] = []

      func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

      func claim(_ slots: Int) async throws {
        let now = clock.now
        let claimable = model.filter {
          !$0.value.isDead && $0.value.ends == 0 && $0.value.due <= now
        }
        let jobs = try await queue.claim(
          JobQueue.ClaimOrder(
            kinds: ["k"], handled: ["k"], slots: slots, lease: Self.lease, maximumCrashes: 1_000))
        #expect(jobs.count == min(slots, claimable.count))
        for job in jobs {
          guard var entry = claimable[job.payload] else {
            Issue.record("job \(job.payload) was claimed out of turn")
            continue
          }
          if entry.claim != nil { entry.crashes += 1 }
          #expect(job.crashes == entry.crashes)
          #expect(job.attempt == entry.errors + 1)
          entry.claim = job.claim
          entry.due = now + Self.lease
          model[job.payload] = entry
          held.append(job)
        }
      }

      func settle(_ job: ClaimedJob, _ outcome: JobOutcome) async throws {
        let kept = try await database.write { try queue.settle(job, outcome, in: $0) }
        let isCurrent = model[job.payload]?.claim == job.claim
        #expect(kept == isCurrent)
        guard isCurrent else { return }
        model[job.payload]?.claim = nil
        switch outcome {
        case .done: model[job.payload]?.ends += 1
        case .dead:
          model[job.payload]?.ends += 1
          model[job.payload]?.isDead = true
        case .retry(let at, _):
          model[job.payload]?.errors += 1
          model[job.payload]?.due = at
        case .settled: Issue.record("not played")
        }
      }

      for _ in 0..<600 {
        switch below(10) {
        case 0, 1:
          let name = "\(model.count)"
          let due = clock.now + .seconds(below(40) - 10)
          try await queue.enqueue([NewJob(kind: "k", payload: name, runAt: due)])
          model[name] = Entry(due: due)
        case 2, 3, 4: try await claim(1 + below(4))
        case 5, 6, 7:
          guard !held.isEmpty else { continue }
          // Mostly fresh claims, sometimes any old one.
          let index = below(3) == 0 ? below(held.count) : held.count - 1 - below(min(4, held.count))
          let retryAt = clock.now + .seconds(below(20))
          let outcomes: [JobOutcome] = [
            .done, .retry(at: retryAt, error: "again"), .retry(at: retryAt, error: "again"),
            .dead(error: "given up"),
          ]
          try await settle(held[index], outcomes[below(outcomes.count)])
        case 8:
          guard !held.isEmpty else { continue }
          let jobs = Array(held.suffix(5))
          if below(2) == 0 {
            let lost = try await queue.extendLeases(of: jobs, by: Self.lease)
            #expect(lost == jobs.filter { model[$0.payload]?.claim != $0.claim })
            for job in jobs where model[job.payload]?.claim == job.claim {
              model[job.payload]?.due = clock.now + Self.lease
            }
          } else {
            try await queue.release([jobs[0]])
            if model[jobs[0].payload]?.claim == jobs[0].claim {
              model[jobs[0].payload]?.claim = nil
              model[jobs[0].payload]?.due = clock.now
            }
          }
        default: clock.advance(by: .seconds(below(25)))
        }
      }

      // The rest is done by a worker that never fails.
      for _ in 0..<3 {
        clock.advance(by: .seconds(60))
        let before = held.count
        try await claim(10_000)
        for job in held[before...] { try await settle(job, .done) }
      }
      #expect(model.count > 50)
      #expect(model.allSatisfy { $0.value.ends == 1 })
      let dead = model.values.count { $0.isDead }
      #expect(try await queue.counts() == JobCounts(pending: 0, running: 0, dead: dead))
    }
  }
}
