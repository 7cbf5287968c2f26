import Fairlead
import Foundation
import Testing

@testable import FairleadCLI

@Suite struct DoctorTests {
  static let now = Timestamp(seconds: 1_800_000_000)  // 2027-01-15

  // MARK: - Secrets

  @Test(arguments: [(0o600, Finding.Verdict.ok), (0o400, .ok), (0o640, .warn), (0o604, .warn)])
  func secretsAreForTheirOwner(mode: Int, verdict: Finding.Verdict) {
    let finding = SecretChecks.mode(of: ".env", permissions: 0o100_000 | mode)
    #expect(finding.verdict == verdict)
    #expect((finding.advice == "chmod 600 .env") == (verdict == .warn))
  }

  @Test func oldSecretsAreNamed() {
    let old = SecretChecks.age(
      of: ".env", changed: Self.now - .seconds(400 * 86_400), now: Self.now)
    #expect(old?.message.contains("400 days") == true)
    #expect(
      SecretChecks.age(of: ".env", changed: Self.now - .seconds(10 * 86_400), now: Self.now) == nil)
  }

  @Test(
    arguments: [
      ("k2027-01", 0), ("k2026-11", 2), ("k2025-01", 24), ("k2027-02", nil), ("k1", nil),
      ("k2026-13", nil), ("k20-26-1", nil), ("demo", nil),
    ] as [(String, Int?)])
  func readsTheAgeOfAVaultKeyFromItsID(id: String, months: Int?) {
    #expect(SecretChecks.monthsOld(id, now: Self.now) == months)
  }

  @Test func anOldVaultKeyIsToBeReplaced() {
    let findings = SecretChecks.vaultKeys(["k2025-06", "k2024-01"], now: Self.now)
    #expect(findings.map(\.verdict) == [.ok, .warn])
    #expect(findings[0].message.contains("k2024-01 can still decrypt"))
    #expect(SecretChecks.vaultKeys(["k2026-12"], now: Self.now).map(\.verdict) == [.ok])
  }

  @Test(
    arguments: [
      (nil, Finding.Verdict.warn), ("short", .fail), ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", .fail),
      ("change-me-to-something-else", .warn), ("q3Jx9vT2LmZ8wRk5YbN1cDf7", .ok),
    ] as [(String?, Finding.Verdict)])
  func judgesTheAdminKey(key: String?, verdict: Finding.Verdict) {
    let finding = SecretChecks.adminKey(key.map { Secret($0) })
    #expect(finding.verdict == verdict)
    if let key { #expect(!finding.message.contains(key) && finding.advice?.contains(key) != true) }
  }

  @Test func testAndLiveKeysOfOneProviderDoNotGoTogether() {
    let findings = SecretChecks.modes([
      ModedKey(name: "STRIPE_SECRET_KEY", group: "stripe", mode: .live),
      ModedKey(name: "STRIPE_PUBLISHABLE_KEY", group: "stripe", mode: .test),
    ])
    #expect(findings.map(\.verdict) == [.fail])
    #expect(
      findings[0].message
        == "STRIPE_SECRET_KEY is a live key, but STRIPE_PUBLISHABLE_KEY is a test key.")
  }

  @Test func testAndLiveKeysOfSeveralProvidersMay() {
    let live = ModedKey(name: "STRIPE_SECRET_KEY", group: "stripe", mode: .live)
    let test = ModedKey(name: "CLERK_SECRET_KEY", group: "clerk", mode: .test)
    #expect(SecretChecks.modes([live, test]).map(\.verdict) == [.warn])
    #expect(SecretChecks.modes([live]).map(\.verdict) == [.ok])
    #expect(SecretChecks.modes([]).isEmpty)
  }

  @Test func findsModesInEveryVariableAndKeepsNoValue() throws {
    var configuration = FairleadConfiguration()
    var acme = IntegrationSettings(name: "acme", provider: "stripe")
    acme.apiKey = Secret("rk_live_0123456789")
    var same = IntegrationSettings(name: "stripe", provider: "stripe")
    same.apiKey = Secret("sk_test_0123456789")
    configuration.integrations = [acme, same]
    let keys = configuration.modedKeys(
      environment: ["STRIPE_SECRET_KEY": "sk_test_0123456789", "HOME": "/root"],
      dotEnv: [(".env", "STRIPE_SECRET_KEY=sk_live_behind\nCLERK_PUBLISHABLE_KEY=pk_live_abc\nbad")]
    )
    #expect(
      keys == [
        ModedKey(name: "CLERK_PUBLISHABLE_KEY", group: "clerk", mode: .live),
        ModedKey(name: "STRIPE_SECRET_KEY", group: "stripe", mode: .test),
        ModedKey(name: "integrations.acme", group: "stripe", mode: .live),
      ])
  }

  // MARK: - Integrations

  private func integration(_ name: String, secrets: [String] = []) throws -> Integration {
    let definition = try #require(try DefinitionLoader.catalog().first { $0.name == name })
    return Integration(
      name: IntegrationName(name), definition: definition,
      webhookSecrets: secrets.map { Secret($0) })
  }

  @Test func aMissingOrImpossibleWebhookSecretIsNamed() throws {
    #expect(
      IntegrationChecks.webhooks(try integration("stripe")).map(\.verdict) == [.warn])
    let wrong = IntegrationChecks.webhooks(try integration("stripe", secrets: ["sk_test_oops"]))
    #expect(wrong.map(\.verdict) == [.warn])
    #expect(wrong[0].message.contains("whsec_") && !wrong[0].message.contains("oops"))
    let second = IntegrationChecks.webhooks(
      try integration("stripe", secrets: ["whsec_good", "bad"]))
    #expect(second[0].message.hasPrefix("Number 2"))
    #expect(
      IntegrationChecks.webhooks(try integration("stripe", secrets: ["whsec_good"])).map(\.verdict)
        == [.ok])
    var silent = try integration("stripe")
    silent.definition.webhook = nil
    #expect(IntegrationChecks.webhooks(silent).isEmpty)
  }

  @Test func deadConnectionsAreCounted() async throws {
    let slack = try integration("slack")
    #expect(IntegrationChecks.connections(slack, nil).isEmpty)
    #expect(IntegrationChecks.connections(slack, ConnectionCounts()).map(\.verdict) == [.skip])
    var own = try integration("stripe")
    own.defaultCredential = .apiKey(key: Secret("k"), secret: nil)
    #expect(IntegrationChecks.connections(own, ConnectionCounts()).isEmpty)
  }

  @Test func signingInNeedsSomewhereToGo() throws {
    var configuration = FairleadConfiguration()
    let slack = try integration("slack")
    #expect(IntegrationChecks.redirects(configuration, [slack]).map(\.verdict) == [.warn])
    #expect(IntegrationChecks.redirects(configuration, [try integration("stripe")]).isEmpty)
    configuration.connectRedirectOrigins = ["https://app.example.com"]
    #expect(IntegrationChecks.redirects(configuration, [slack]).map(\.verdict) == [.ok])
  }

  // MARK: - Storage and network

  @Test func migrationsAreCompared() {
    let known = ["010_a", "020_b"].map { Migration(name: $0) { _ in [] } }
    #expect(
      StorageChecks.migrations(applied: ["010_a", "020_b"], known: known).map(\.verdict) == [.ok])
    #expect(
      StorageChecks.migrations(applied: ["010_a"], known: known).map(\.verdict) == [.warn])
    #expect(
      StorageChecks.migrations(applied: ["010_a", "020_b", "030_c"], known: known).map(\.verdict)
        == [.fail])
  }

  @Test func commitsThatDoNotWaitForTheDiskFail() {
    for engine in [Dialect.Engine.sqlite, .postgres] {
      #expect(StorageChecks.durability(engine, isDurable: false).verdict == .fail)
      #expect(StorageChecks.durability(engine, isDurable: true).verdict == .ok)
    }
  }

  @Test(arguments: [
    (Int64(10) << 20, [Finding.Verdict.fail]), (Int64(500) << 20, [.warn]), (Int64(5) << 30, []),
  ])
  func aFullDiskIsNoticed(free: Int64, verdicts: [Finding.Verdict]) {
    #expect(StorageChecks.space(free: free).map(\.verdict) == verdicts)
  }

  @Test(arguments: [
    (0, Finding.Verdict.ok), (-9, .ok), (11, .warn), (-60, .warn), (121, .fail), (-100_000, .fail),
  ])
  func aWrongClockIsNoticed(seconds: Int, verdict: Finding.Verdict) {
    let finding = NetworkChecks.clock(off: .seconds(seconds), comparedWith: "Stripe")
    #expect(finding.verdict == verdict)
    if seconds < -10 { #expect(finding.message.contains("behind")) }
  }

  @Test func readsTheDateOfAnAnswer() {
    #expect(HTTPTime.parse("Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
    #expect(HTTPTime.parse("yesterday") == nil)
  }

  // MARK: - The whole

  @Test func aConfigurationThatCannotBeReadGivesOneFindingALine() {
    let error = FairleadError(.configurationError, "fairlead.yaml:3: prot\nfairlead.yaml:7: x")
    #expect(
      Doctor.problems(error)
        == [
          Finding("configuration", .fail, "fairlead.yaml:3: prot"),
          Finding("configuration", .fail, "fairlead.yaml:7: x"),
        ])
  }

  @Test func theReportCountsWhatItHolds() {
    var report = DoctorReport(findings: [.ok("a", "Fine."), Finding("b", .warn, "Hm.")])
    #expect(!report.hasFailed)
    #expect(report.summary == "1 warning, 1 check passed.")
    report.findings.append(Finding("c", .fail, "No.", advice: "Do."))
    #expect(report.hasFailed)
    #expect(report.json["healthy"] == false)
    #expect(
      report.json[path: "checks.2"]
        == ["check": "c", "status": "fail", "message": "No.", "advice": "Do."])
  }
}
