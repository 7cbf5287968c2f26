/// One value of a document together with its key and the place where problems go.
///
/// A getter answers `nil` after it reported what is wrong; the caller goes on, so that one run
/// names every problem of the file.
struct YAMLReader {
  let node: YAMLNode
  /// Dotted path: `auth.token_url`, `limits[0].per`.
  let key: String
  let log: ProblemLog

  func report(_ message: String, line: Int? = nil) {
    log.add(line: line ?? node.line, key: key, message)
  }

  /// The value for a message: short, on one line, and only where it is no variable's.
  var shown: String {
    guard case .scalar(let text, _) = node.content else { return node.kind }
    if node.isExpanded { return "the variable's value" }
    let visible = text.unicodeScalars.prefix(60).map {
      $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0)
    }
    return "`\(visible.joined())\(text.unicodeScalars.count > 60 ? "…" : "")`"
  }

  private func scalar(_ expected: String) -> String? {
    guard case .scalar(let text, _) = node.content else {
      report("is \(node.kind); write \(expected).")
      return nil
    }
    return text
  }

  /// One line of text, 1 to `max` characters.
  func text(max: Int = 500, _ expected: String = "a text") -> String? {
    guard let text = scalar(expected) else { return nil }
    guard !text.isEmpty else {
      report("is empty; write \(expected).")
      return nil
    }
    guard text.unicodeScalars.count <= max else {
      report("is longer than \(max) characters.")
      return nil
    }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      report("holds a line break or a control character; write \(expected) on one line.")
      return nil
    }
    return text
  }

  func bool() -> Bool? {
    guard let text = scalar("true or false") else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default:
      report("is \(shown); write true or false.")
      return nil
    }
  }

  func int(in range: ClosedRange<Int>) -> Int? {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = scalar(expected) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      report("is \(shown); write \(expected).")
      return nil
    }
    return number
  }

  func duration(in range: ClosedRange<Duration>) -> Duration? {
    let expected = "a duration with its unit, such as 500ms, 30s, 15m, 2h or 7d"
    guard let text = scalar(expected) else { return nil }
    guard let duration = DurationText.parse(text) else {
      report("is \(shown); write \(expected).")
      return nil
    }
    guard range.contains(duration) else {
      let lower = DurationText.format(range.lowerBound)
      let upper = DurationText.format(range.upperBound)
      report("is \(shown); write a duration from \(lower) to \(upper).")
      return nil
    }
    return duration
  }

  func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ type: Value.Type, later: [String] = []
  ) -> Value? {
    let names = Value.allCases.map(\.rawValue)
    let expected = names.count == 1 ? names.joined() : "one of \(names.joined(separator: ", "))"
    guard let text = scalar(expected) else { return nil }
    if let value = Value(rawValue: text) { return value }
    if later.contains(text) {
      report("\(text) is not supported by this version yet; write \(expected).")
    } else {
      let guess = Suggestion.closest(to: text, among: names).map { " (did you mean \($0)?)" } ?? ""
      report("is \(shown); write \(expected)\(guess).")
    }
    return nil
  }

  /// The elements of a list, at most `max`.
  func list(max: Int = 500) -> [YAMLReader]? {
    guard case .sequence(let elements) = node.content else {
      report("is \(node.kind); write a list, [ … ].")
      return nil
    }
    guard elements.count <= max else {
      report("has \(elements.count) entries; \(max) are allowed.")
      return nil
    }
    return elements.enumerated().map {
      YAMLReader(node: $0.element, key: "\(key)[\($0.offset)]", log: log)
    }
  }

  func texts(max: Int = 500, each: Int = 500) -> [String]? {
    list(max: max)?.compactMap { $0.text(max: each) }
  }

  /// A list, or a single value that stands for a list of one.
  func oneOrMore() -> [YAMLReader]? {
    if case .sequence = node.content {
      guard let elements = list() else { return nil }
      if elements.isEmpty { report("is an empty list; write at least one value.") }
      return elements
    }
    return [self]
  }

  /// The entries of a mapping whose keys the file chooses.
  func entries(max: Int = 200) -> [(key: String, line: Int, value: YAMLReader)]? {
    guard case .mapping(let entries) = node.content else {
      report("is \(node.kind); write a mapping, { key: value }.")
      return nil
    }
    guard entries.count <= max else {
      report("has \(entries.count) entries; \(max) are allowed.")
      return nil
    }
    return entries.map { entry in
      let path = key.isEmpty ? entry.key : "\(key).\(entry.key)"
      return (entry.key, entry.line, YAMLReader(node: entry.value, key: path, log: log))
    }
  }

  /// A scalar as JSON would hold it: plain `true`, `12`, `1.5`, `null` are typed, the rest is text.
  func json() -> JSONValue? {
    switch node.content {
    case .null: return .null
    case .scalar(let text, let quoted):
      if quoted { return .string(text) }
      if text == "true" || text == "false" { return .bool(text == "true") }
      if let number = Int64(text) { return .int(number) }
      if text.first.map({ $0.isNumber || $0 == "-" || $0 == "." }) == true,
        let number = Double(text), number.isFinite
      {
        return .double(number)
      }
      return .string(text)
    case .sequence, .mapping:
      report("is \(node.kind); write a single value.")
      return nil
    }
  }
}
