import Fairlead

/// The simulators with what is shared around them.
struct SandboxWorld: Sendable {
  let slack: SlackSimulator
  let google: GoogleSimulator
  let github: GitHubSimulator
  let clerk: ClerkSimulator
  let simulators: [SandboxProvider: any Simulator]
  let faults = FaultBoard()
  let journals: [SandboxProvider: RequestJournal]
  let clock: SandboxClock

  init(seed: UInt64, clock: any FairleadClock) {
    slack = SlackSimulator(seed: seed)
    google = GoogleSimulator(seed: seed &+ 0x474F_4F47_4C45)
    github = GitHubSimulator(seed: seed &+ 0x4749_5448_5542)
    clerk = ClerkSimulator(seed: seed &+ 0x434C_4552_4B)
    // A seed of its own for each, so that traffic to one does not change the ids of another.
    simulators = [
      .slack: slack, .stripe: StripeSimulator(seed: seed &+ 0x5354_5249_5045),
      .openai: OpenAISimulator(seed: seed &+ 0x4F50_454E_4149),
      .google: google,
      .github: github,
      .clerk: clerk,
    ]
    journals = Dictionary(
      uniqueKeysWithValues: SandboxProvider.allCases.map { ($0, RequestJournal()) })
    self.clock = SandboxClock(base: clock)
  }
}
