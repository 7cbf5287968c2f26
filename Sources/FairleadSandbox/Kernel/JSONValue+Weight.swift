import Fairlead

extension JSONValue {
  /// About how many bytes it takes, for bounds.
  var weight: Int {
    switch self {
    case .null, .bool, .int, .double: 16
    case .string(let text): 32 + text.utf8.count
    case .array(let elements): elements.reduce(32) { $0 + $1.weight }
    case .object(let members): members.reduce(32) { $0 + 32 + $1.key.utf8.count + $1.value.weight }
    }
  }
}
