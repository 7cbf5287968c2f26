/// The providers that are simulated; the raw value is the first segment of their paths here.
enum SandboxProvider: String, Sendable, CaseIterable {
  case slack, stripe, openai, google, github, clerk
}
