/// A part of a YAML document that knows its line. Scalars keep their text: what `8080` or `true`
/// means is for the reader of the key to say.
struct YAMLNode {
  enum Content {
    /// `key:` with nothing behind it, `~` or `null`.
    case null
    case scalar(String, quoted: Bool)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  struct Entry {
    var key: String
    var line: Int
    var value: YAMLNode
  }

  var line: Int
  var content: Content
  /// The value came from `${VARIABLE}`, so that no message may quote it.
  var isExpanded = false

  /// What it is, in words for an error.
  var kind: String {
    switch content {
    case .null: "nothing"
    case .scalar: "a single value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}
