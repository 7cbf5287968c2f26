import Fairlead
import Testing

@Suite struct DefinitionLintTests {
  private func warnings(_ yaml: String) throws -> [String] {
    try DefinitionLint.warnings(yaml: yaml, file: "acme.yaml").map(\.description)
  }

  @Test func saysWhatABareDefinitionLacks() throws {
    let warnings = try warnings(DefinitionSamples.minimal)
    for key in ["docs", "setup", "verify", "errors", "limits", "endpoints"] {
      #expect(warnings.contains { $0.hasPrefix("acme.yaml:1: \(key): is missing") }, "\(key)")
    }
  }

  @Test func hasNothingToSayAboutACompleteOne() throws {
    #expect(try warnings(DefinitionSamples.complete) == [])
  }

  @Test(arguments: [
    ("https://files.acme.example:8443", "http://localhost:8443", "hosts.files: is http"),
    ("default: [read, write]", "default: []", "auth.scopes: has no `default`"),
    (
      "  revoke: { token_in: bearer, success_when: { body: { revoked: true } } }\n",
      "", ""
    ),
    ("effect: none", "effect: unknown", "a rule of class rate_limited has no `effect: none`"),
    ("{timestamp}.{body}", "{body}", "webhook.signed: holds no {timestamp}"),
    ("matches: identity.id", "matches: params.store", "matches params.store, which"),
    ("  event_id: { header: X-Acme-Id }\n", "", "webhook.event_id: is missing"),
    (", identity: { id: id, label: name }", "", "verify.identity: has no `id`"),
    (
      "- { name: default, requests: 100, per: 1s, key: [connection] }",
      "- { name: one, requests: 1, per: 1s, key: [connection], paths: [/other] }", ""
    ),
  ])
  func warnsWithThePlace(old: String, new: String, message: String) throws {
    let warnings = try warnings(DefinitionSamples.complete(old, new))
    if message.isEmpty {
      #expect(warnings == [])
    } else {
      #expect(warnings.count == 1)
      #expect(warnings.contains { $0.contains(message) }, "\(warnings)")
    }
  }

  @Test func eventsWithoutATypeAreNamed() throws {
    let yaml = DefinitionSamples.complete(
      "  event_type: { body: type }\n  event_action: { body: action }\n", ""
    ).replacing(
      "    events: { upsert: [order.created], delete: [order.deleted], data: data, id: key, time: at }\n",
      with: "")
    let warnings = try warnings(yaml)
    #expect(warnings.count == 1)
    #expect(warnings.contains { $0.contains("webhook.event_type: is missing") }, "\(warnings)")
  }

  @Test func anEndpointOutsideEveryLimitIsNamed() throws {
    let yaml = DefinitionSamples.complete(
      "- { name: default, requests: 100, per: 1s, key: [connection] }",
      "- { name: one, requests: 1, per: 1s, key: [connection], paths: [/other] }"
    ).replacing("endpoints: [\"/orders/{id}\"]", with: "endpoints: [\"/customers\"]")
    let warnings = try warnings(yaml)
    #expect(warnings.count == 1)
    #expect(warnings[0].contains("endpoints: /customers falls under none of the limits."))
  }

  @Test func aParameterNobodyUsesIsNamed() throws {
    let yaml = DefinitionSamples.complete(
      "label: Shop name } }", "label: Shop name }, region: { pattern: \"[a-z]{2}\" } }")
    #expect(try warnings(yaml).map { $0.contains("params.region: is used in no") } == [true])
  }
}
