import Foundation

/// Reads provider definitions: YAML in, `ProviderDefinition` out, every problem with its place.
public enum DefinitionLoader {
  /// Loads one definition.
  /// - Parameter file: what messages call the text, usually its path.
  /// - Throws: every problem of the text at once.
  public static func load(
    yaml: String, file: String
  ) throws(DefinitionProblems) -> ProviderDefinition {
    try read(yaml: yaml, file: file).definition
  }

  /// Loads `*.yaml` and `*.yml` of a folder, in the order of their names; other files and
  /// subfolders are left alone.
  /// - Throws: `DefinitionProblems` with the problems of all files, two files that describe the
  ///   same provider and an unreadable folder among them.
  public static func loadFolder(_ path: String) throws -> [ProviderDefinition] {
    try readFolder(path).map(\.definition)
  }

  /// The definitions that come with Fairlead.
  public static func catalog() throws -> [ProviderDefinition] {
    try readCatalog().map(\.definition)
  }

  /// The catalog together with a folder of the deployment's own definitions, in the order of their
  /// names. A definition replaces the catalog's of the same name only when it says
  /// `replaces_catalog: true`.
  public static func definitions(folder: String?) throws -> [ProviderDefinition] {
    let catalog = try readCatalog()
    let own = try folder.map(readFolder) ?? []
    var byName = Dictionary(
      catalog.map { ($0.definition.name, $0.definition) }, uniquingKeysWith: { _, last in last })
    var problems: [FileProblem] = []
    for loaded in own {
      let name = loaded.definition.name
      if byName[name] != nil, !loaded.definition.replacesCatalog {
        problems.append(
          FileProblem(
            file: loaded.file, line: loaded.nameLine, key: "name",
            message: "\(name) is in the catalog already. Choose another name, or write "
              + "`replaces_catalog: true` to use this file instead."))
      }
      byName[name] = loaded.definition
    }
    guard problems.isEmpty else { throw DefinitionProblems(problems) }
    return byName.values.sorted { $0.name < $1.name }
  }
}

// MARK: - Reading

extension DefinitionLoader {
  struct Loaded {
    var definition: ProviderDefinition
    var file: String
    var nameLine: Int?
    var root: YAMLNode
  }

  static func read(yaml: String, file: String) throws(DefinitionProblems) -> Loaded {
    let root: YAMLNode
    do {
      root = try YAMLDocument.parse(yaml, file: file)
    } catch {
      throw DefinitionProblems([error])
    }
    let log = ProblemLog(file: file)
    guard let definition = DefinitionParser(log: log).definition(root), log.problems.isEmpty else {
      throw DefinitionProblems(log.sorted)
    }
    return Loaded(
      definition: definition, file: file, nameLine: root.line(of: "name"), root: root)
  }

  private static func readCatalog() throws -> [Loaded] {
    try Catalog.files.map { name, bytes in
      try read(yaml: String(decoding: bytes, as: UTF8.self), file: "catalog/\(name)")
    }
  }

  private static func readFolder(_ path: String) throws -> [Loaded] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw DefinitionProblems([
        FileProblem(
          file: path, message: "cannot be read. Create the folder or correct `definitions`.")
      ])
    }
    var problems: [FileProblem] = []
    var loaded: [Loaded] = []
    var fileOf: [String: String] = [:]
    for name in names.sorted() where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      do {
        let one = try read(yaml: try TextFile.read(file), file: file)
        if let other = fileOf[one.definition.name] {
          problems.append(
            FileProblem(
              file: file, line: one.nameLine, key: "name",
              message: "\(one.definition.name) is described by \(other) already. Remove one."))
        }
        fileOf[one.definition.name] = file
        loaded.append(one)
      } catch let error as DefinitionProblems {
        problems += error.problems
      } catch let error as FileProblem {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { throw DefinitionProblems(problems) }
    return loaded
  }
}

extension YAMLNode {
  /// The line of a key of this mapping.
  func line(of key: String) -> Int? { entry(key)?.line }

  func entry(_ key: String) -> Entry? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }
  }
}
