/// Makes a record of a provider's object. Pure.
struct RecordMapping: Sendable {
  private let fields: [String: ProviderDefinition.ModelSync.Field]

  /// - Parameter fields: by name; the object stays as it is when empty.
  init(_ fields: [String: ProviderDefinition.ModelSync.Field]) { self.fields = fields }

  /// - Parameter warnings: counts the values that do not fit; they become `null`.
  func apply(to object: JSONValue, _ warnings: inout [String: Int]) -> JSONValue {
    guard !fields.isEmpty else { return object }
    var record: [String: JSONValue] = [:]
    for (name, field) in fields {
      let value = object[path: field.path] ?? .null
      guard let cast = field.cast, value != JSONValue.null else {
        record[name] = value
        continue
      }
      if let result = Self.cast(value, to: cast) {
        record[name] = result
      } else {
        warnings["values of \(name) that are no \(cast.rawValue)", default: 0] += 1
        record[name] = .null
      }
    }
    return .object(record)
  }

  private static func cast(
    _ value: JSONValue, to cast: ProviderDefinition.ModelSync.Cast
  ) -> JSONValue? {
    switch cast {
    case .int:
      if let number = value.int { return .int(number) }
      if let flag = value.bool { return .int(flag ? 1 : 0) }
      guard let text = value.string else { return nil }
      if let number = Int64(text) { return .int(number) }
      return Double(text).flatMap { Int64(exactly: $0) }.map { .int($0) }
    case .float:
      if let number = value.double { return .double(number) }
      guard let number = value.string.flatMap({ Double($0) }), number.isFinite else { return nil }
      return .double(number)
    case .string: return value.scalarText.map { .string($0) }
    case .bool:
      if let flag = value.bool { return .bool(flag) }
      switch value.scalarText?.lowercased() {
      case "true", "1": return .bool(true)
      case "false", "0": return .bool(false)
      default: return nil
      }
    case .time: return SyncTime.read(value).map { .string($0.rfc3339) }
    }
  }
}

/// Times as providers write them. Pure.
enum SyncTime {
  /// RFC 3339, a bare date, or a number of seconds, milliseconds or microseconds since 1970, told
  /// apart by its size. `nil` for anything else.
  static func read(_ value: JSONValue) -> Timestamp? {
    switch value {
    case .string(let text):
      if let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: "\(text)T00:00:00Z") {
        return time
      }
      return Double(text).flatMap(time)
    case .int(let number): return time(Double(number))
    case .double(let number): return time(number)
    default: return nil
    }
  }

  private static func time(_ number: Double) -> Timestamp? {
    guard number.isFinite, number.magnitude < 8e15 else { return nil }
    // 1e11 seconds are the year 5138, 1e11 milliseconds 1973.
    let scale: Double = number.magnitude < 1e11 ? 1e6 : number.magnitude < 1e14 ? 1e3 : 1
    return Int64(exactly: (number * scale).rounded()).map { Timestamp(microseconds: $0) }
  }
}
