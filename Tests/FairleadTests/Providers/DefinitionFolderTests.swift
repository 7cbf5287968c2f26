import Fairlead
import Foundation
import Testing

@Suite struct DefinitionFolderTests {
  private func withFolder(
    _ files: [String: String], _ body: (String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "definitions-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // a leftover does no harm
    for (name, text) in files {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    try body(folder.path)
  }

  private func named(_ name: String) -> String {
    DefinitionSamples.minimal.replacing("name: acme", with: "name: \(name)", maxReplacements: 1)
  }

  @Test func loadsItsYAMLFilesInOrder() throws {
    try withFolder(["b.yml": named("beta"), "a.yaml": named("alpha"), "c.txt": "no"]) { folder in
      #expect(try DefinitionLoader.loadFolder(folder).map(\.name) == ["alpha", "beta"])
      let all = try DefinitionLoader.definitions(folder: folder).map(\.name)
      #expect(
        all == ["alpha", "beta", "clerk", "github", "google", "openai", "slack", "stripe"])
    }
  }

  @Test func twoFilesOfTheSameProviderAreNamedBoth() throws {
    try withFolder(["a.yaml": named("acme"), "b.yaml": named("acme")]) { folder in
      let error = #expect(throws: DefinitionProblems.self) {
        try DefinitionLoader.loadFolder(folder)
      }
      #expect(
        error?.description
          == "\(folder)/b.yaml:1: name: acme is described by \(folder)/a.yaml already. Remove one.")
    }
  }

  @Test func theProblemsOfAllFilesAreReportedTogether() throws {
    try withFolder(["a.yaml": "name: 1", "b.yaml": "[", "c.yaml": named("ok")]) { folder in
      let error = #expect(throws: DefinitionProblems.self) {
        try DefinitionLoader.loadFolder(folder)
      }
      let files = Set((error?.problems ?? []).map { $0.file.suffix(6) })
      #expect(files == ["a.yaml", "b.yaml"])
    }
  }

  @Test func replacingTheCatalogHasToBeSaid() throws {
    try withFolder(["mine.yaml": named("slack")]) { folder in
      let error = #expect(throws: DefinitionProblems.self) {
        try DefinitionLoader.definitions(folder: folder)
      }
      #expect(error?.description.contains("slack is in the catalog already") == true)
      #expect(error?.description.contains("`replaces_catalog: true`") == true)
    }
    try withFolder(["mine.yaml": named("slack") + "\nreplaces_catalog: true"]) { folder in
      let slack = try DefinitionLoader.definitions(folder: folder).first { $0.name == "slack" }
      #expect(slack?.displayName == "Acme")
    }
  }

  @Test func aFolderThatIsNotThereIsAProblem() {
    let error = #expect(throws: DefinitionProblems.self) {
      try DefinitionLoader.loadFolder("/nowhere/at/all")
    }
    #expect(error?.description.hasPrefix("/nowhere/at/all: cannot be read.") == true)
  }

  @Test func aFileThatIsNoTextIsAProblem() throws {
    try withFolder([:]) { folder in
      try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: folder + "/a.yaml"))
      let error = #expect(throws: DefinitionProblems.self) {
        try DefinitionLoader.loadFolder(folder)
      }
      #expect(error?.description.contains("is not UTF-8") == true)
    }
  }
}
