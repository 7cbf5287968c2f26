import Fairlead
import Testing

@Suite struct ConfigurationMutationTests {
  private static let yaml = """
    server: { host: 127.0.0.1, port: 8080, public_url: http://localhost:8080, trusted_proxies: [] }
    database: sqlite:fairlead.db
    definitions: ./providers
    integrations:
      acme: { provider: stripe, api_key: ${KEY}, plan: live,
              webhook_secrets: [ "${KEY}" ], base_url: https://acme.example/x }
    destinations: [ { url: https://app.example/hooks, secret: ${KEY}, types: ["invoice.*"] } ]
    connect: { redirect_origins: [ https://app.example ] }
    cors: { origins: [ https://app.example ] }
    retention: { event_payloads: 30d, event_ids: 90d, requests: 14d }
    """
  private static let dotEnv = """
    # settings
    KEY="hunter2-planted"
    export FAIRLEAD_PORT=8080
    FAIRLEAD_CORS_ORIGINS='https://a.example,https://b.example'
    FAIRLEAD_DATABASE=postgres://u:hunter2-planted@h/db
    """

  @Test(arguments: [UInt64(11), 12, 13])
  func neverTrapsAndNeverTellsASecret(seed: UInt64) throws {
    let random = RandomSource(seed: seed)
    let catalog = try DefinitionLoader.catalog()
    var loaded = 0
    var refused = 0
    for round in 0..<700 {
      let damaged = round.isMultiple(of: 2)
      let yaml = damaged ? TextMutation.mutated(Self.yaml, random) : Self.yaml
      let dotEnv = damaged ? Self.dotEnv : TextMutation.mutated(Self.dotEnv, random)
      do {
        let configuration = try FairleadConfiguration.load(
          environment: [:], dotEnv: [(".env", dotEnv)], yaml: ("fairlead.yaml", yaml))
        _ = try configuration.integrations(catalog: catalog)
        loaded += 1
      } catch let error as FairleadError {
        #expect(error.code == .configurationError)
        // Damage may move the text of a secret into the place of a name; whole it never shows.
        #expect(!error.message.contains("hunter2-planted"), "\(error.message)")
        refused += 1
      }
    }
    #expect(loaded > 50 && refused > 200, "\(loaded) loaded, \(refused) refused")
  }

  @Test func aValueIsPutInAsItIs() throws {
    let values = ["${OTHER}", "$$", "a: b", "- x", "{}", "'\"", "#", " x ", "a\nb: c", "*a &b"]
    for value in values {
      let configuration = try FairleadConfiguration.load(
        environment: ["VALUE": value], dotEnv: [],
        yaml: (
          "fairlead.yaml",
          "integrations: { a: { provider: stripe, api_key: ${VALUE} }, b: { client_id: \"<${VALUE}>\" } }"
        ))
      #expect(configuration.integrations.first?.apiKey == Secret(value))
      #expect(configuration.integrations.last?.clientID == "<\(value)>")
    }
  }
}
