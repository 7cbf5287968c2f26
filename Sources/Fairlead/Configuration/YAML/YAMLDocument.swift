import Yams

/// Parses one YAML document strictly and in bounded space and time.
///
/// Anchors and aliases, tags, several documents and duplicate keys are refused: a few lines of
/// aliases describe gigabytes, and none of them helps a reader of a configuration file.
enum YAMLDocument {
  static let maximumBytes = 1 << 20
  static let maximumDepth = 24

  /// - Parameter variables: expands `${NAME}` in values; `nil` leaves the text as it is.
  static func parse(
    _ text: String, file: String, variables: VariableExpansion? = nil
  ) throws(FileProblem) -> YAMLNode {
    guard text.utf8.count <= maximumBytes else {
      throw FileProblem(file: file, message: "is larger than 1 MiB. Split it.")
    }
    if let line = lineOfAlias(in: text) {
      throw FileProblem(
        file: file, line: line,
        message: "anchors and aliases (&name, *name) are not supported. Write the value out.")
    }
    let source = try variables?.marking(text, file: file) ?? text
    // Two things Yams would do by itself are switched off: the resolver would run eight regular
    // expressions on each key, and the default encoding can be changed by an environment variable.
    let root: Node?
    do {
      root = try Yams.compose(yaml: source, .basic, .default, .utf8)
    } catch let error as YamlError {
      throw problem(error, in: source, file: file)
    } catch {
      throw FileProblem(file: file, message: "is not valid YAML.")
    }
    guard let root else { throw FileProblem(file: file, message: "is empty.") }
    return try convert(root, file: file, depth: 0, variables: variables)
  }

  private static func convert(
    _ node: Node, file: String, depth: Int, variables: VariableExpansion?
  ) throws(FileProblem) -> YAMLNode {
    let line = node.mark?.line ?? 1
    guard depth <= maximumDepth else {
      throw FileProblem(
        file: file, line: line, message: "is nested deeper than \(maximumDepth) levels.")
    }
    switch node {
    case .scalar(let scalar):
      try refuseTag(scalar.tag, plain: scalar.style == .plain, file: file, line: line)
      return try convert(scalar, file: file, line: line, variables: variables)
    case .sequence(let sequence):
      try refuseTag(sequence.tag, plain: true, file: file, line: line)
      var elements: [YAMLNode] = []
      for element in sequence {
        elements.append(
          try convert(element, file: file, depth: depth + 1, variables: variables))
      }
      return YAMLNode(line: line, content: .sequence(elements))
    case .mapping(let mapping):
      try refuseTag(mapping.tag, plain: true, file: file, line: line)
      var entries: [YAMLNode.Entry] = []
      for (key, value) in mapping {
        let keyLine = key.mark?.line ?? line
        guard case .scalar(let scalar) = key, !scalar.string.isEmpty,
          !VariableExpansion.isMarked(scalar.string)
        else {
          throw FileProblem(file: file, line: keyLine, message: "a key must be a plain word.")
        }
        let converted = try convert(value, file: file, depth: depth + 1, variables: variables)
        entries.append(YAMLNode.Entry(key: scalar.string, line: keyLine, value: converted))
      }
      return YAMLNode(line: line, content: .mapping(entries))
    case .alias:
      throw FileProblem(file: file, line: line, message: "aliases are not supported.")
    }
  }

  private static func convert(
    _ scalar: Node.Scalar, file: String, line: Int, variables: VariableExpansion?
  ) throws(FileProblem) -> YAMLNode {
    let plain = scalar.style == .plain || scalar.style == .any
    if plain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) {
      return YAMLNode(line: line, content: .null)
    }
    guard let variables, VariableExpansion.isMarked(scalar.string) else {
      return YAMLNode(line: line, content: .scalar(scalar.string, quoted: !plain))
    }
    let (text, expanded) = try variables.expand(scalar.string, file: file, line: line)
    return YAMLNode(
      line: line, content: .scalar(text, quoted: !plain), isExpanded: expanded)
  }

  private static func refuseTag(
    _ tag: Tag, plain: Bool, file: String, line: Int
  ) throws(FileProblem) {
    let name = tag.description
    // Quoted scalars carry the string tag by themselves; the empty name is "no tag".
    guard name.isEmpty || name == "tag:yaml.org,2002:str" || (!plain && name == "!") else {
      throw FileProblem(
        file: file, line: line, message: "YAML tags (!name) are not supported. Remove the tag.")
    }
  }

  /// The line of an alias in a text that has an anchor too. It judges by the bytes around `&` and
  /// `*` alone and errs towards finding one; without an anchor an alias is an error to the parser,
  /// so that `*` in ordinary text does no harm.
  private static func lineOfAlias(in text: String) -> Int? {
    var line = 1
    var anchorSeen = false
    var aliasLine: Int?
    var previous: UInt8 = 10
    var indicator: UInt8?
    for byte in text.utf8 {
      if let open = indicator, byte > 32 {
        if open == 38 { anchorSeen = true } else { aliasLine = aliasLine ?? line }
      }
      indicator = nil
      // After white space, an indicator of YAML or anything beyond ASCII (other line breaks).
      let opens = previous <= 32 || previous >= 128 || "-:?[{,".utf8.contains(previous)
      if byte == 38 || byte == 42, opens { indicator = byte }
      if byte == 10 { line += 1 }
      previous = byte
    }
    return anchorSeen ? aliasLine : nil
  }

  private static func problem(_ error: YamlError, in text: String, file: String) -> FileProblem {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return FileProblem(
        file: file, line: mark.line, message: "is not valid YAML: \(problem)\(hint(problem)).")
    case .reader(let problem, let offset, _, _):
      let line = offset.map { text.prefix($0).reduce(1) { $1.isNewline ? $0 + 1 : $0 } }
      return FileProblem(file: file, line: line, message: "is not valid YAML: \(problem).")
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.sorted().map { "`\($0.prefix(60))`" }.joined(separator: ", ")
      return FileProblem(
        file: file, line: context.mark.line,
        message: "the key \(names) is there more than once. Keep one.")
    default:
      return FileProblem(file: file, message: "is not valid YAML.")
    }
  }

  private static func hint(_ problem: String) -> String {
    if problem.contains("cannot start any token") {
      return " (indent with spaces; quote a value that begins with a special character)"
    }
    if problem.contains("mapping values are not allowed") {
      return " (quote a value that contains a colon and a space)"
    }
    return ""
  }
}
