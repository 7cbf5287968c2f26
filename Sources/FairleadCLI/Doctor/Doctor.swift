import Fairlead
import Foundation

/// Looks a deployment over. It reads and asks; it changes nothing.
struct Doctor {
  let directory: String
  let configFile: String?
  let sandboxURL: String?
  /// Whether providers and the public URL may be asked.
  let online: Bool
  let clock: any FairleadClock

  func examine() async -> DoctorReport {
    var report = DoctorReport(findings: secretFiles())
    var configuration: FairleadConfiguration
    let integrations: [Integration]
    do {
      configuration = try FairleadConfiguration.load(directory: directory, configFile: configFile)
      if let sandboxURL { try configuration.pointAtSandbox(sandboxURL) }
      integrations = try configuration.integrations(
        catalog: Deployment.definitions(configuration))
    } catch {
      // Without a configuration there is nothing else to look at.
      report.findings += Self.problems(error)
      return report
    }
    report.findings.append(
      .ok(
        "configuration",
        integrations.isEmpty
          ? "The configuration can be read; no integration is configured yet."
          : "The configuration can be read: \(integrations.map(\.name.rawValue).joined(separator: ", "))."
      )
    )
    report.findings += configuration.notices.map { Finding("configuration", .warn, $0) }
    report.findings += vaultKeys(configuration)
    report.findings.append(SecretChecks.adminKey(configuration.adminKey))
    report.findings += SecretChecks.modes(
      configuration.modedKeys(
        environment: ProcessInfo.processInfo.environment, dotEnv: secretTexts()))
    let (storage, counts) = await StorageChecks(configuration: configuration).run()
    report.findings += storage
    await ask(configuration, integrations, counts, &report)
    return report
  }

  private func ask(
    _ configuration: FairleadConfiguration, _ integrations: [Integration],
    _ counts: ConnectionCounts?, _ report: inout DoctorReport
  ) async {
    // The server and, in a sandbox, the providers are on this machine.
    let near = HTTPClientTransport(allowPrivateNetworks: true, connectTimeout: .seconds(5))
    let providers = HTTPClientTransport(
      allowPrivateNetworks: configuration.allowPrivateNetworks, connectTimeout: .seconds(5))
    let local = NetworkChecks(configuration: configuration, transport: near, clock: clock)
    report.findings += await local.server()
    report.findings += await local.publicURL(online: online, integrations: integrations)
    report.findings += IntegrationChecks.redirects(configuration, integrations)
    let check = CredentialCheck(transport: providers, clock: clock)
    for integration in integrations {
      if online { report.findings += await IntegrationChecks.credential(integration, check) }
      report.findings += IntegrationChecks.connections(integration, counts)
      report.findings += IntegrationChecks.webhooks(integration)
    }
    report.findings += IntegrationChecks.orphans(counts, integrations)
    if online {
      report.findings += await NetworkChecks(
        configuration: configuration, transport: providers, clock: clock
      ).clocks(integrations)
    }
    // Both are done with; there is nothing left to lose.
    try? await near.shutdown()
    try? await providers.shutdown()
  }

  // MARK: - Configuration and secrets

  /// One finding for each line of a configuration's problems.
  static func problems(_ error: any Error) -> [Finding] {
    let text =
      (error as? FairleadError)?.message ?? (error as? CommandFailure)?.line
      ?? "The configuration cannot be read."
    return text.split(whereSeparator: \.isNewline).map {
      Finding("configuration", .fail, String($0))
    }
  }

  private static let secretFileNames = [".env", ".dev.vars"]

  private func path(_ name: String) -> String {
    URL(fileURLWithPath: directory).appendingPathComponent(name).path
  }

  private func secretFiles() -> [Finding] {
    Self.secretFileNames.flatMap { name -> [Finding] in
      guard let permissions = FileFacts.permissions(of: path(name)) else { return [] }
      let age = FileFacts.changed(path(name)).flatMap {
        SecretChecks.age(of: name, changed: $0, now: clock.now)
      }
      return [SecretChecks.mode(of: name, permissions: permissions)] + [age].compactMap(\.self)
    }
  }

  private func secretTexts() -> [(file: String, text: String)] {
    Self.secretFileNames.compactMap { name in
      guard let data = FileManager.default.contents(atPath: path(name)), data.count <= 1 << 20
      else { return nil }
      return (file: name, text: String(decoding: data, as: UTF8.self))
    }
  }

  private func vaultKeys(_ configuration: FairleadConfiguration) -> [Finding] {
    var findings: [Finding] = []
    if let file = configuration.vaultKeyFile, let mode = FileFacts.permissions(of: file) {
      findings.append(SecretChecks.mode(of: file, permissions: mode))
    }
    do {
      let ids = try Deployment.vault(configuration).keyIDs()
      return findings + SecretChecks.vaultKeys(ids, now: clock.now)
    } catch {
      let message = (error as? FairleadError)?.message ?? "The vault keys cannot be read."
      return findings + [Finding("vault.keys", .fail, message)]
    }
  }
}
