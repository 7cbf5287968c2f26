import Fairlead
import Testing

@Suite struct ConfigurationFaultTests {
  typealias Samples = ConfigurationSamples

  @Test(arguments: [
    ("FAIRLEAD_PORT", "70000", "is no port"), ("FAIRLEAD_PORT", "-1", "is no port"),
    ("FAIRLEAD_PORT", "80a", "is no port"), ("FAIRLEAD_PORT", "999999999999999999999", "no port"),
    ("FAIRLEAD_PORT", "tcp://10.0.0.1:8080", "enableServiceLinks"),
    ("FAIRLEAD_HOST", "a b", "is no host"), ("FAIRLEAD_HOST", "http://a", "is no host"),
    ("FAIRLEAD_HOST", "a:80", "is no host"),
    ("FAIRLEAD_PUBLIC_URL", "http://f.example", "must be https"),
    ("FAIRLEAD_PUBLIC_URL", "https://f.example/x", "must end after the host"),
    ("FAIRLEAD_PUBLIC_URL", "f.example", "is no URL"),
    ("FAIRLEAD_CORS_ORIGINS", "*", "holds a wildcard"),
    ("FAIRLEAD_CORS_ORIGINS", "https://a.example,https://*.example", "holds a wildcard"),
    ("FAIRLEAD_CORS_ORIGINS", "http://a.example", "must be https"),
    ("FAIRLEAD_DATABASE", "mysql://x", "write sqlite:PATH or postgres://"),
    ("FAIRLEAD_DATABASE", "sqlite:", "has no path"),
    ("FAIRLEAD_ALLOW_PRIVATE_NETWORKS", "maybe", "write true or false"),
    ("FAIRLEAD_LOG_LEVEL", "loud", "write one of trace, debug"),
  ])
  func aWrongVariableIsNamedWithWhatBelongsThere(name: String, value: String, message: String) {
    let text = Samples.message([name: value])
    #expect(text.hasPrefix("environment: \(name): "), "\(text)")
    #expect(text.contains(message), "\(text)")
    #expect(text.split(separator: "\n").count == 1)
    let inFile = Samples.message(dotEnv: "# x\n\(name)=\(value)")
    #expect(inFile.hasPrefix(".env:2: \(name): "), "\(inFile)")
  }

  @Test func anUnknownVariableOfOursIsAnError() {
    #expect(
      Samples.message(["FAIRLEAD_PROT": "1"])
        == "environment: FAIRLEAD_PROT: unknown variable; did you mean FAIRLEAD_PORT?")
    #expect(
      Samples.message(dotEnv: "FAIRLEAD_VAULT_KEY=x").hasPrefix(".env:1: FAIRLEAD_VAULT_KEY: unkn"))
    #expect(Samples.message(["FAIRLEAD_ZZZZZZZZZZZZ": "1"]).contains("unknown variable; remove it"))
    #expect(Samples.message(["FAIRLEAD_STRICT": "1", "OTHER_TOOL": "1"]) == "")
  }

  @Test func bothWaysToGiveVaultKeysAtOnceIsAnError() {
    let message = Samples.message(["FAIRLEAD_VAULT_KEYS": "a:b", "FAIRLEAD_VAULT_KEY_FILE": "f"])
    #expect(message.contains("FAIRLEAD_VAULT_KEY_FILE: is set together with FAIRLEAD_VAULT_KEYS"))
  }

  @Test(arguments: [
    ("sever: {}", "fairlead.yaml:1: sever: unknown key; did you mean `server`?"),
    ("server: { prot: 1 }", "fairlead.yaml:1: server.prot: unknown key; did you mean `port`?"),
    ("server: 1", "fairlead.yaml:1: server: is a single value; write a mapping"),
    ("server: { port: 99999 }", "server.port: is no port"),
    ("server: { port: [1] }", "server.port: is a list; write a single value"),
    ("server: { public_url: http://x.example }", "server.public_url: must be https"),
    ("server: { trusted_proxies: [10.0.0.0/33] }", "trusted_proxies[0]: is no address or network"),
    ("server: { trusted_proxies: [proxy] }", "trusted_proxies[0]: is no address or network"),
    ("database: oracle", "database: is no database"),
    ("cors: { origins: [\"*\"] }", "cors.origins[0]: holds a wildcard"),
    ("cors: { origins: \"*\" }", "cors.origins: is a single value; write a list"),
    ("connect: { redirect_origins: [http://x.example] }", "redirect_origins[0]: must be https"),
    ("connect: { redirect_origins: [https://x.example/a] }", "must end after the host"),
    (
      "destinations: [ { url: http://x.example/h, secret: s } ]",
      "destinations[0].url: must be http"
    ),
    ("destinations: [ { url: https://x.example/h } ]", "destinations[0].secret: is missing"),
    ("destinations: [ { secret: s } ]", "destinations[0].url: is missing"),
    (
      "destinations: [ { url: https://x.example, secret: s, integrations: [acme] } ]",
      "destinations[0].integrations: there is no integration named acme"
    ),
    ("retention: { event_ids: 1d }", "event_ids: is `1d`; write a duration from 3d to 3650d"),
    ("retention: { requests: 14 }", "retention.requests: is `14`; write a duration with its unit"),
    (
      "integrations: { a: { provider: stripe, api_key: k, fallback: { message: Later. } } }",
      "Stripe has no fallback that says a message; add responses"
    ),
    (
      "integrations: { a: { provider: openai, fallback: { on: [always] } } }",
      "integrations.a.fallback.on[0]: is `always`; write one of unavailable, rate_limit, quota"
    ),
    ("integrations: { a: { provider: openai, fallback: on } }", "fallback: is a single value"),
    ("integrations: { A: { provider: stripe } }", "integrations.A: a name is"),
    ("integrations: { conn_a: { provider: stripe } }", "integrations.conn_a: a name is"),
    ("integrations: { a: { provider: strip } }", "did you mean stripe?"),
    (
      "integrations: { a: { provider: shopify } }",
      "known: clerk, github, google, openai, slack, stripe."
    ),
    ("integrations: { a: { provider: slack } }", "fairlead.yaml:1: integrations.a: Slack authoris"),
    ("integrations: { a: { provider: slack, client_id: i } }", "OAuth; set client_secret"),
    (
      "integrations: { a: { provider: slack, client_id: i, client_secret: s, api_key: k } }",
      "Slack takes no API key"
    ),
    ("integrations: { a: { provider: stripe, client_id: i } }", "Stripe does not use OAuth"),
    (
      "integrations: { a: { provider: stripe, plan: gold } }",
      "no plan named `gold`; known: live, te"
    ),
    ("integrations: { a: { provider: openai, plan: gold } }", "OpenAI has no plans; remove plan"),
    ("integrations: { a: { provider: stripe, base_url: http://x.example } }", "base_url: must be"),
    ("integrations: { a: { provider: stripe, base_url: \"https://x.example?a\" } }", "a query or"),
    ("server: { port: ${NOPE} }", "fairlead.yaml:1: the variable NOPE is not defined"),
    ("a: 1\ndatabase: ${NOPE", "fairlead.yaml:2: `${` must be followed by a variable's name"),
    ("database: ${A-b}", "`${` must be followed by"),
    ("database: ${}", "`${` must be followed by"),
    ("a: 1\na: 2", "fairlead.yaml:1: the key `a` is there more than once"),
    ("- 1", "fairlead.yaml:1: is a list; write a mapping"),
  ])
  func aFaultOfTheFileIsNamedWithItsPlace(yaml: String, message: String) {
    let text = Samples.message(yaml: yaml)
    #expect(text.contains(message), "\(text)")
    #expect(!text.contains("wrong "))
  }

  @Test func everyProblemIsReportedAtOnce() {
    let message = Samples.message(
      ["FAIRLEAD_PORT": "x", "FAIRLEAD_LOG_LEVEL": "x"],
      yaml: "nope: 1\ncors: { origins: [\"*\"] }")
    #expect(message.split(separator: "\n").count == 4, "\(message)")
  }

  @Test func variablesInCommentsNeedNotExist() throws {
    #expect(try Samples.load(yaml: "# ${NOPE}\nserver: { port: 1 } # ${NOPE}").port == 1)
  }
}
