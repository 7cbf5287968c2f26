import Testing

@testable import Fairlead

/// The loader meets files that people and attackers wrote: whatever it is given, it answers with a
/// definition or with problems.
@Suite struct DefinitionMutationTests {
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func neverTrapsOnMutatedDefinitions(seed: UInt64) {
    let random = RandomSource(seed: seed)
    let sources =
      Catalog.files.map { String(decoding: $0.bytes, as: UTF8.self) }
      + [DefinitionSamples.complete, DefinitionSamples.minimal]
    var loaded = 0
    var refused = 0
    for round in 0..<1_000 {
      let text = TextMutation.mutated(sources[round % sources.count], random)
      do {
        let definition = try DefinitionLoader.load(yaml: text, file: "mutated.yaml")
        // What loads is fit for use: a name, an origin, limits that divide.
        #expect(!definition.name.isEmpty && !definition.baseURL.isEmpty)
        #expect(definition.limits.allSatisfy { $0.requests > 0 && $0.period > .zero })
        loaded += 1
      } catch {
        #expect(!error.problems.isEmpty)
        #expect(error.problems.allSatisfy { $0.message.utf8.count < 2_000 })
        refused += 1
      }
    }
    #expect(loaded > 20 && refused > 300, "\(loaded) loaded, \(refused) refused")
  }
}
