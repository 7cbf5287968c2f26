import Foundation
import Testing

@testable import Fairlead

/// The pages for users name every key and variable that the loaders know.
@Suite struct DocumentationTests {
  private func page(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
  }

  @Test func everyKeyOfADefinitionIsDescribed() throws {
    let page = try page("definitions.md")
    for key in DefinitionFormat.keys {
      #expect(page.contains("| `\(key)` |"), "\(key)")
    }
    for key in DefinitionKey.later + AuthType.later {
      #expect(page.contains("`\(key)`"), "\(key)")
    }
  }

  @Test func everyKeyInTheTablesExists() throws {
    let known = Set(DefinitionFormat.keys + ErrorClass.allCases.map(\.rawValue))
    for line in try page("definitions.md").split(separator: "\n") where line.hasPrefix("| `") {
      let key = line.dropFirst(3).prefix { $0 != "`" }
      #expect(known.contains(String(key)), "\(key)")
    }
  }

  @Test func everyValueOfAChoiceIsDescribed() throws {
    let page = try page("definitions.md")
    let values =
      AuthType.allCases.map(\.rawValue) + ErrorClass.allCases.map(\.rawValue)
      + ProviderDefinition.LimitHeaders.Format.allCases.map(\.rawValue)
      + ProviderDefinition.Pagination.Style.allCases.map(\.rawValue)
      + ProviderDefinition.WebhookSettings.Scheme.allCases.map(\.rawValue)
      + ProviderDefinition.Limit.Key.allCases.map(\.rawValue)
    for value in values { #expect(page.contains("`\(value)`"), "\(value)") }
  }

  @Test func theExampleOfThePageLoads() throws {
    let page = try page("definitions.md")
    let blocks = page.components(separatedBy: "```yaml\n").dropFirst()
    #expect(!blocks.isEmpty)
    for block in blocks {
      let yaml = block.components(separatedBy: "```")[0]
      _ = try DefinitionLoader.load(yaml: yaml, file: "docs/definitions.md")
    }
  }

  @Test func everySettingIsDescribed() throws {
    let page = try page("configuration.md")
    for key in ConfigurationFormat.keys { #expect(page.contains("| `\(key)` |"), "\(key)") }
    for variable in EnvironmentVariable.allCases {
      #expect(page.contains("| `\(variable.rawValue)` |"), "\(variable.rawValue)")
    }
    for key in ConfigurationKey.later { #expect(page.contains("`\(key)`"), "\(key)") }
  }
}
