import Fairlead

/// How a parameter becomes a member of the stored object.
enum StripeField: Sendable {
  case text, integer, flag, texts
  /// A nested object whose scalars stay text: addresses and the like.
  case fields
  /// Accepted and checked by the resource itself.
  case special
}

extension StripeParameters {
  /// Sets what was given on an object; an empty text unsets.
  /// - Throws: for a wrong type and for a parameter that is not in `fields`.
  func apply(
    _ fields: [String: StripeField], to object: inout [String: JSONValue]
  ) throws(StripeError) {
    try allow(Set(fields.keys).union(["metadata"]))
    for (name, field) in fields where has(name) {
      switch field {
      case .special: break
      case .text:
        object[name] = try text(name).flatMap { $0.isEmpty ? nil : .string($0) } ?? .null
      case .integer: object[name] = try integer(name).map { .int($0) } ?? .null
      case .flag: if let flag = try flag(name) { object[name] = .bool(flag) }
      case .texts: object[name] = .array((try texts(name) ?? []).map { .string($0) })
      case .fields:
        object[name] =
          try nested(name).map { JSONValue.object($0.members.mapValues(\.json)) } ?? .null
      }
    }
    object["metadata"] = try metadata(onto: object["metadata"])
  }
}
