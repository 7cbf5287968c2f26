/// The keys the simulators accept. They are fixed and open to everyone: they guard nothing.
public struct SandboxCredentials: Sendable {
  public let slackClientID = "1000000000.2000000000"
  public let slackClientSecret = "fairlead-sandbox-slack-client-secret"
  /// Signs Slack's event webhooks.
  public let slackSigningSecret = "fairlead-sandbox-slack-signing-secret"
  public let stripeSecretKey = "sk_test_fairlead_sandbox"
  /// Signs Stripe's webhooks; the whole text is the key, `whsec_` included.
  public let stripeWebhookSecret = "whsec_fairlead_sandbox_stripe"
  public let openAIAPIKey = "sk-fairlead-sandbox"
  /// Signs OpenAI's webhooks by Standard Webhooks: base64 after `whsec_`.
  public let openAIWebhookSecret = "whsec_ZmFpcmxlYWQtc2FuZGJveC1vcGVuYWk="

  public let googleClientID = "100000000000-fairleadsandbox.apps.googleusercontent.com"
  public let googleClientSecret = "GOCSPX-fairlead-sandbox-google"
  public let githubClientID = "Iv1.fairleadsandbox"
  public let githubClientSecret = "fairlead-sandbox-github-client-secret"
  /// Signs GitHub's webhooks.
  public let githubWebhookSecret = "fairlead-sandbox-github-webhook-secret"
  public let clerkSecretKey = "sk_test_fairlead_sandbox_clerk"
  /// Signs Clerk's webhooks by Svix: base64 after `whsec_`.
  public let clerkWebhookSecret = "whsec_ZmFpcmxlYWQtc2FuZGJveC1jbGVyaw=="

  init() {}
}
