import Testing

@testable import Fairlead

@Suite struct AlertSettingsTests {
  private func load(_ yaml: String) throws -> FairleadConfiguration {
    try FairleadConfiguration.load(
      environment: ["HOOK": "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"], dotEnv: [],
      yaml: (file: "fairlead.yaml", text: yaml))
  }

  @Test func withoutABlockTheStandardRulesHold() throws {
    #expect(try load("").alerts == AlertSettings())
    #expect(try load("alerts: {}").alerts == AlertSettings())
  }

  @Test func everyPartCanBeSet() throws {
    let alerts = try load(
      """
      alerts:
        interval: 5s
        resolve_after: 30s
        success_rate: { threshold: 99.5%, window: 5m, min_calls: 50 }
        latency: { threshold: 750ms }
        server_errors: { threshold: 3, window: 1m }
        webhook_failures: off
        webhook: { url: "https://hooks.example/alerts", secret: "${HOOK}" }
        integrations:
          stripe: { success_rate: { threshold: 90% }, webhook_failures: { window: 2h }, latency: off }
          slack: off
      retention: { alerts: 30d }
      """)
    #expect(alerts.retention.alerts == .seconds(30 * 86_400))
    let settings = alerts.alerts
    #expect(settings.interval == .seconds(5) && settings.resolveAfter == .seconds(30))
    #expect(
      settings.limits == [
        .successRate: AlertLimit(threshold: 0.995, window: .seconds(300), minimumCalls: 50),
        .latency: AlertLimit(threshold: 750, window: .seconds(900), minimumCalls: 20),
        .serverErrors: AlertLimit(threshold: 3, window: .seconds(60)),
      ])
    #expect(
      settings.limits(for: "stripe") == [
        .successRate: AlertLimit(threshold: 0.9, window: .seconds(300), minimumCalls: 50),
        .serverErrors: AlertLimit(threshold: 3, window: .seconds(60)),
        .webhookFailures: AlertLimit(threshold: 10, window: .seconds(7_200)),
      ])
    #expect(settings.limits(for: "slack").isEmpty)
    #expect(settings.limits(for: "openai") == settings.limits)
    #expect(settings.webhook?.url == "https://hooks.example/alerts")
    try settings.validate()
  }

  @Test func offSwitchesEveryRuleOff() throws {
    #expect(try load("alerts: off").alerts.limits.isEmpty)
  }

  @Test(arguments: [
    ("alerts: { latency: { window: 1s } }", "alerts.latency.window: is `1s`; write a duration"),
    ("alerts: { success_rate: { threshold: 0 } }", "is no percentage"),
    ("alerts: { success_rate: { threshold: 101% } }", "is no percentage"),
    ("alerts: { success_rate: { threshold: inf } }", "is no percentage"),
    ("alerts: { success_rate: { threshold: 0x5 } }", "is no percentage"),
    ("alerts: { server_errors: { min_calls: 5 } }", "unknown key"),
    ("alerts: { server_errors: { threshold: -1 } }", "write a whole number"),
    ("alerts: { interval: 0s }", "write a duration from 1s"),
    ("alerts: { sucess_rate: off }", "did you mean `success_rate`?"),
    ("alerts: { webhook: { url: \"https://a.example\" } }", "alerts.webhook.secret: is missing"),
    ("alerts: { webhook: { url: \"http://a.example\", secret: x } }", "must be https"),
    ("alerts: on", "write a mapping"),
  ])
  func whatCannotBeIsRefusedWithAReason(yaml: String, reason: String) {
    let error = #expect(throws: FairleadError.self) { try load(yaml) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test func anIntegrationThatDoesNotExistIsRefused() throws {
    let configuration = try load("alerts: { integrations: { strip: off } }")
    let error = #expect(throws: FairleadError.self) { try configuration.integrations(catalog: []) }
    #expect(
      error?.message == "alerts.integrations.strip: there is no integration named strip.")
  }

  @Test(arguments: ["x", "whsec_c2hvcnQ="])
  func aSecretThatCannotSignIsRefusedAndNotShown(secret: String) {
    var settings = AlertSettings()
    settings.webhook = AlertWebhook(url: "https://hooks.example", secret: Secret(secret))
    let error = #expect(throws: FairleadError.self) { try settings.validate() }
    #expect(error?.code == .configurationError)
    #expect(error?.message.contains("c2hvcnQ") == false)
  }
}
