import Fairlead
import Foundation
import Logging
import Testing

@Suite struct ConfigurationLoadTests {
  typealias Samples = ConfigurationSamples

  @Test func defaultsNeedNoFileAndNoVariable() throws {
    let configuration = try Samples.load()
    #expect(configuration.host == "127.0.0.1")
    #expect(configuration.port == 8080)
    #expect(configuration.publicURL == nil)
    #expect(configuration.publicURL(boundPort: 4_321) == "http://localhost:4321")
    #expect(configuration.database == .sqlite(path: "fairlead.db"))
    #expect(configuration.logLevel == .info)
    #expect(configuration.allowPrivateNetworks == false)
    #expect(configuration.integrations.isEmpty)
    #expect(configuration.retention.eventPayloads == .seconds(30 * 86_400))
    #expect(configuration.retention.eventIDs == .seconds(90 * 86_400))
    #expect(configuration.retention.requests == .seconds(14 * 86_400))
  }

  @Test func readsEveryVariable() throws {
    let configuration = try Samples.load([
      "FAIRLEAD_DATABASE": "sqlite:/var/lib/f.db", "FAIRLEAD_VAULT_KEYS": "k1:AAAA",
      "FAIRLEAD_ADMIN_KEY": "fl_admin", "FAIRLEAD_PUBLIC_URL": "https://f.example/",
      "FAIRLEAD_HOST": "0.0.0.0", "FAIRLEAD_PORT": "0",
      "FAIRLEAD_CORS_ORIGINS": "https://a.example, https://b.example",
      "FAIRLEAD_ALLOW_PRIVATE_NETWORKS": "true", "FAIRLEAD_LOG_LEVEL": "debug", "PATH": "/bin",
    ])
    #expect(configuration.database == .sqlite(path: "/var/lib/f.db"))
    #expect(configuration.vaultKeys == Secret("k1:AAAA"))
    #expect(configuration.adminKey == Secret("fl_admin"))
    #expect(configuration.publicURL == "https://f.example")
    #expect(configuration.host == "0.0.0.0")
    #expect(configuration.port == 0)
    #expect(configuration.corsOrigins == ["https://a.example", "https://b.example"])
    #expect(configuration.allowPrivateNetworks)
    #expect(configuration.logLevel == .debug)
    let file = try Samples.load(["FAIRLEAD_VAULT_KEY_FILE": "/run/key"])
    #expect(file.vaultKeyFile == "/run/key")
  }

  @Test func readsEveryKeyOfTheFile() throws {
    let configuration = try Samples.load(
      [
        "ACME_ID": "id-1", "ACME_SECRET": "s: {1} # x", "ACME_WHSEC": "new,old",
        "HOOK_SECRET": "whsec_1",
      ],
      yaml: """
        server: { host: "::1", port: 9090, public_url: http://localhost:9090, trusted_proxies: [10.0.0.0/8, "fd00::1"] }
        database: postgres://u:p@db/fairlead
        definitions: ./providers
        integrations:
          acme: { provider: slack, client_id: ${ACME_ID}, client_secret: ${ACME_SECRET}, scopes: [read], plan: free,
                  webhook_secrets: [ "${ACME_WHSEC}", third ], base_url: https://proxy.example/slack/ }
          pay: { provider: stripe, api_key: "sk$$_${ACME_ID}" }
        destinations: [ { url: https://app.example/hooks, secret: ${HOOK_SECRET}, types: ["invoice.*"], integrations: [pay] } ]
        connect: { redirect_origins: [ https://app.example ] }
        cors: { origins: [ https://app.example ] }
        retention: { event_payloads: 10d, event_ids: 20d, requests: 12h }
        """)
    #expect(configuration.host == "::1")
    #expect(configuration.port == 9090)
    #expect(configuration.publicURL == "http://localhost:9090")
    #expect(configuration.trustedProxies == ["10.0.0.0/8", "fd00::1"])
    #expect(configuration.database == .postgres(url: Secret("postgres://u:p@db/fairlead")))
    #expect(configuration.definitionsFolder == "./providers")
    let acme = try #require(configuration.integrations.first)
    #expect(acme.name == "acme")
    #expect(acme.provider == "slack")
    #expect(acme.clientID == "id-1")
    #expect(acme.clientSecret == Secret("s: {1} # x"))
    #expect(acme.scopes == ["read"])
    #expect(acme.plan == "free")
    #expect(acme.webhookSecrets == [Secret("new"), Secret("old"), Secret("third")])
    #expect(acme.baseURL == "https://proxy.example/slack")
    #expect(configuration.integrations.last?.apiKey == Secret("sk$_id-1"))
    let destination = try #require(configuration.destinations.first)
    #expect(destination.url == "https://app.example/hooks")
    #expect(destination.secret == Secret("whsec_1"))
    #expect(destination.types == ["invoice.*"])
    #expect(destination.integrations == ["pay"])
    #expect(configuration.connectRedirectOrigins == ["https://app.example"])
    #expect(configuration.corsOrigins == ["https://app.example"])
    #expect(configuration.retention.eventPayloads == .seconds(10 * 86_400))
    #expect(configuration.retention.eventIDs == .seconds(20 * 86_400))
    #expect(configuration.retention.requests == .seconds(12 * 3_600))
  }

  @Test func theEnvironmentComesBeforeDotEnvBeforeDevVarsBeforeTheFile() throws {
    let yaml = "server: { port: 4, host: 4.4.4.4, public_url: https://four.example }\n"
    let devVars = "FAIRLEAD_PORT=3\nFAIRLEAD_HOST=3.3.3.3\nFAIRLEAD_LOG_LEVEL=error"
    let dotEnv = "FAIRLEAD_PORT=2\nFAIRLEAD_HOST=2.2.2.2"
    let configuration = try Samples.load(
      ["FAIRLEAD_PORT": "1"], dotEnv: dotEnv, devVars: devVars, yaml: yaml)
    #expect(configuration.port == 1)
    #expect(configuration.host == "2.2.2.2")
    #expect(configuration.logLevel == .error)
    #expect(configuration.publicURL == "https://four.example")
  }

  @Test func anEmptyVariableCountsAsNotSet() throws {
    let configuration = try Samples.load(
      ["FAIRLEAD_PORT": "", "FAIRLEAD_ADMIN_KEY": ""], dotEnv: "FAIRLEAD_PORT=99")
    #expect(configuration.port == 99)
    #expect(configuration.adminKey == nil)
  }

  @Test func anEmptyFileIsNoError() throws {
    #expect(try Samples.load(yaml: "  \n").port == 8080)
  }

  @Test func readsTheFilesOfAFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "configuration-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("etc"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // a leftover does no harm
    func write(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    try write("FAIRLEAD_PORT=1234\nSHOP=acme", ".env")
    try write("FAIRLEAD_HOST=127.0.0.2", ".dev.vars")
    try write("definitions: ./${SHOP}", "fairlead.yaml")
    try write("definitions: ../mine", "etc/other.yaml")
    let own = try FairleadConfiguration.load(directory: folder.path, environment: [:])
    #expect(own.port == 1_234)
    #expect(own.host == "127.0.0.2")
    #expect(own.definitionsFolder == folder.appendingPathComponent("acme").path)
    let other = try FairleadConfiguration.load(
      directory: folder.path, configFile: folder.path + "/etc/other.yaml", environment: [:])
    #expect(other.definitionsFolder == folder.appendingPathComponent("mine").path)
    let error = #expect(throws: FairleadError.self) {
      try FairleadConfiguration.load(
        directory: folder.path, configFile: folder.path + "/nope.yaml", environment: [:])
    }
    #expect(error?.code == .configurationError)
    #expect(error?.message.contains("nope.yaml: cannot be read") == true)
  }
}
