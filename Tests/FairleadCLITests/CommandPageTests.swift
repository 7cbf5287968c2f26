import ArgumentParser
import Foundation
import Testing

@testable import FairleadCLI

/// docs/cli.md says what there is: no more and no less.
@Suite struct CommandPageTests {
  private static let page: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try? String(contentsOf: root.appendingPathComponent("docs/cli.md"), encoding: .utf8)
  }()

  /// Every command that can be run, as it is typed.
  private static func commands(
    _ type: any ParsableCommand.Type, _ prefix: [String] = []
  ) -> [String] {
    let own = prefix + [type.configuration.commandName ?? kebab("\(type)")]
    let children = type.configuration.subcommands
    return children.isEmpty
      ? [own.joined(separator: " ")] : children.flatMap { commands($0, own) }
  }

  private static func kebab(_ name: String) -> String {
    name.reduce(into: "") { text, character in
      if character.isUppercase, !text.isEmpty { text.append("-") }
      text += character.lowercased()
    }
  }

  @Test func everyCommandIsOnThePage() throws {
    let page = try #require(Self.page)
    let shown = Set(
      page.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("### `") }.map {
        $0.dropFirst("### `".count).prefix { $0 != "`" }.description
      })
    let known = Set(Self.commands(FairleadCommand.self))
    #expect(known.subtracting(shown).isEmpty, "not on the page")
    #expect(shown.subtracting(known).isEmpty, "on the page, but no command")
  }

  @Test func everyCommandHasAnExample() throws {
    let page = try #require(Self.page)
    for command in Self.commands(FairleadCommand.self) {
      #expect(page.contains("\n    \(command)"), "\(command)")
    }
  }

  @Test func everyExampleIsAcceptedByTheParser() throws {
    let page = try #require(Self.page)
    let examples = page.split(whereSeparator: \.isNewline).filter {
      $0.hasPrefix("    fairlead ")
    }
    #expect(!examples.isEmpty)
    for example in examples {
      let words = Self.words(String(example.trimmingCharacters(in: .whitespaces)))
      let arguments = FairleadCommand.spelledOut(Array(words.dropFirst()))
      #expect(throws: Never.self, "\(example)") {
        _ = try FairleadCommand.parseAsRoot(arguments)
      }
    }
  }

  /// Splits as a shell does, as far as the page's examples need it.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in line {
      switch character {
      case "'":
        isQuoted.toggle()
        word = word ?? ""
      case " " where !isQuoted:
        if let done = word { words.append(done) }
        word = nil
      case "<" where !isQuoted, "|" where !isQuoted:
        return words
      default: word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}
