/// The keys one mapping may have. Each is an enum, so that the loader cannot read a key that it
/// would also report as unknown.
protocol YAMLKeySet: RawRepresentable<String>, CaseIterable, Hashable {
  /// Keys of the format that this version does not act on yet.
  static var later: [String] { get }
}

extension YAMLKeySet {
  static var later: [String] { [] }
}

/// A mapping whose keys are known; what it does not know is a problem.
struct YAMLMapping<Key: YAMLKeySet> {
  private let values: [String: YAMLReader]
  private let reader: YAMLReader

  /// `nil` when the value is no mapping, which is reported.
  init?(_ reader: YAMLReader, _ keys: Key.Type = Key.self) {
    guard let entries = reader.entries() else { return nil }
    self.reader = reader
    var values: [String: YAMLReader] = [:]
    for (key, line, value) in entries {
      guard Key(rawValue: key) != nil else {
        Self.reportUnknown(key, line: line, value)
        continue
      }
      if case .null = value.node.content {
        value.report("has no value; give it one or remove the key.", line: line)
        continue
      }
      values[key] = value
    }
    self.values = values
  }

  private static func reportUnknown(_ key: String, line: Int, _ value: YAMLReader) {
    if Key.later.contains(key) {
      value.report("\(key) is not supported by this version yet; remove it.", line: line)
      return
    }
    let known = Key.allCases.map(\.rawValue)
    if let guess = Suggestion.closest(to: key, among: known + Key.later) {
      value.report("unknown key; did you mean `\(guess)`?", line: line)
    } else {
      value.report("unknown key; known here: \(known.joined(separator: ", ")).", line: line)
    }
  }

  subscript(key: Key) -> YAMLReader? { values[key.rawValue] }

  var keys: [Key] { values.keys.compactMap(Key.init(rawValue:)) }

  /// The value of a key that must be there.
  func require(_ key: Key, _ expected: String) -> YAMLReader? {
    if let value = values[key.rawValue] { return value }
    reader.log.add(
      line: reader.node.line, key: path(key), "is missing; write \(expected).")
    return nil
  }

  func mapping<Inner: YAMLKeySet>(_ key: Key, _ keys: Inner.Type) -> YAMLMapping<Inner>? {
    self[key].flatMap { YAMLMapping<Inner>($0) }
  }

  func report(_ message: String) { reader.report(message) }

  private func path(_ key: Key) -> String {
    reader.key.isEmpty ? key.rawValue : "\(reader.key).\(key.rawValue)"
  }
}
