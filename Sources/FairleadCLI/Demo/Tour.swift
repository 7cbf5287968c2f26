import Fairlead
import Foundation
import HTTPTypes

/// The main job end to end, as a transcript for people. Every state arises from injected faults
/// through the normal path; the tour only asks and reads back.
struct Tour: Sendable {
  let client: DemoClient
  let storage: DemoStorage
  let clock: any FairleadClock
  let story = Story()

  typealias Step = (title: String, run: @Sendable (Tour) async throws -> Void)

  static let steps: [Step] = [
    ("Connect Slack for an owner", { try await $0.connectSlack() }),
    ("Post a message through a 429 and a 503", { try await $0.surviveFaults() }),
    ("A message whose outcome nobody can know", { try await $0.keepHonest() }),
    ("The token expires under 50 concurrent calls", { try await $0.refreshOnce() }),
    ("One Stripe event, delivered three times and once forged", { try await $0.processOnce() }),
    ("A user signs up with Clerk", { try await $0.welcomeUser() }),
    ("Their calendar of 1,000 events, and what changes in it", { try await $0.syncCalendar() }),
    ("OpenAI streams, goes down and comes back", { try await $0.degrade() }),
    ("How each integration is doing", { try await $0.showHealth() }),
  ]

  /// Runs every step, also after one failed.
  /// - Returns: whether all of them held.
  func run() async -> Bool {
    var held = 0
    for (index, step) in Self.steps.enumerated() {
      Console.line()
      Console.line(Console.styled("\(index + 1). \(step.title)", .bold))
      do {
        try await step.run(self)
        held += 1
        Console.line("   " + Console.styled("held", .green))
      } catch {
        Console.line("   " + Console.styled("did not hold: \(error)", .red))
      }
    }
    Console.line()
    let verdict = "\(held) of \(Self.steps.count) steps held"
    Console.line(Console.styled(verdict, .bold, held == Self.steps.count ? .green : .red))
    return held == Self.steps.count
  }

  func say(_ text: String) { Console.line("   " + text) }

  /// Asks again until `condition` holds, for what happens in the background.
  func eventually(
    _ what: String, within limit: Duration = .seconds(15),
    _ condition: @Sendable () async throws -> Bool
  ) async throws {
    let deadline = clock.uptime + limit
    while try await !condition() {
      guard clock.uptime < deadline else {
        throw StepFailure("\(what) did not happen in \(limit.components.seconds) s")
      }
      try await clock.sleep(for: .milliseconds(50))
    }
  }

  func fault(_ fault: JSONValue) async throws {
    _ = try await client.control(.post, "/faults", fault)
  }

  /// The requests of one path that the simulator has seen.
  func arrived(_ provider: String, path: String) async throws -> [JSONValue] {
    let journal = try await client.control(.get, "/\(provider)/requests").json
    let requests = journal["requests"]?.array ?? journal["data"]?.array ?? journal.array ?? []
    return requests.filter { $0["path"]?.string == path }
  }

  /// How many messages with this text the simulated workspace holds.
  func storedMessages(_ text: String) async throws -> Int {
    let state = try await client.control(.get, "/slack/state").json
    return Self.objects(in: state).filter { $0["text"]?.string == text && $0["ts"] != nil }.count
  }

  private static func objects(in value: JSONValue) -> [JSONValue] {
    switch value {
    case .object(let members): [value] + members.values.flatMap(objects)
    case .array(let elements): elements.flatMap(objects)
    default: []
    }
  }
}
