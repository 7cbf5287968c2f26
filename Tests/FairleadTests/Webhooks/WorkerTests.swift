import FairleadTesting
import Logging
import Synchronization
import Testing

@testable import Fairlead

/// The inbox on the real job worker, two of them on one queue.
@Suite struct WorkerTests {
  @Test(arguments: TestEngine.all)
  func twoWorkersHandleEachEventOnce(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let handled = Mutex<[String: Int]>([:])
      harness.inbox.on("*", from: "stripe") { event, _ in
        handled.withLock { $0[event.providerEventID ?? "", default: 0] += 1 }
      }
      _ = try await harness.destinations.create(NewDestination(url: "https://app.example/hooks"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<2 {
          let worker = JobWorker(
            queue: harness.queue, handlers: harness.deliveries.jobHandlers, concurrency: 8,
            policy: JobPolicy(onDeath: harness.deliveries.jobDeath), clock: harness.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
          group.addTask { try await worker.run() }
        }
        for number in 0..<40 { _ = try await harness.event("a.b", id: "evt_\(number)") }
        try await eventually {
          // Time passes, so that a worker that found nothing looks again.
          harness.clock.advance(by: .milliseconds(50))
          return try await harness.openJobs() == 0
        }
        group.cancelAll()
      }
      #expect(handled.withLock { $0.count } == 40)
      #expect(handled.withLock { $0.values.allSatisfy { $0 == 1 } })
      #expect(Set(harness.transport.sent.map { $0["webhook-id"] }).count == 40)
      #expect(harness.transport.sent.count == 40)
      let events = try await harness.inbox.events(page: PageRequest(limit: 100)).items
      #expect(events.allSatisfy { $0.status == .processed && $0.attempts == 2 })
    }
  }
}
