import Fairlead

/// The tree that bracketed form names make: `items[0][price]=p`, `expand[]=a`, `metadata[k]=v`.
indirect enum StripeForm: Sendable, Equatable {
  case value(String)
  case fields([String: StripeForm])
  case list([StripeForm])

  private static let depthLimit = 10

  /// Reads a query or a form body.
  static func parse(_ bytes: some Sequence<UInt8>) throws(StripeError) -> [String: StripeForm] {
    guard let pairs = FormPair.parse(bytes) else {
      throw .invalid("The form has too many parameters or is not UTF-8.")
    }
    var root = StripeForm.fields([:])
    for pair in pairs where !pair.name.isEmpty {
      root = try root.adding(try steps(pair.name)[...], pair.value, name: pair.name)
    }
    guard case .fields(let members) = root else { return [:] }
    return members.mapValues(\.withNumberedLists)
  }

  /// `items[0][price]` as `items`, `0`, `price`.
  private static func steps(_ name: String) throws(StripeError) -> [String] {
    guard let open = name.firstIndex(of: "["), name.hasSuffix("]") else { return [name] }
    var steps = [String(name[..<open])]
    var rest = name[open...]
    while !rest.isEmpty {
      guard rest.first == "[", let close = rest.firstIndex(of: "]") else {
        throw .invalid("Invalid parameter name: \(name.prefix(200))", param: name)
      }
      steps.append(String(rest[rest.index(after: rest.startIndex)..<close]))
      rest = rest[rest.index(after: close)...]
    }
    guard steps.count <= depthLimit, steps.first?.isEmpty == false,
      !steps.contains(where: { $0.contains("[") })
    else {
      throw .invalid("Invalid parameter name: \(name.prefix(200))", param: name)
    }
    return steps
  }

  private func adding(
    _ steps: ArraySlice<String>, _ value: String, name: String
  ) throws(StripeError) -> StripeForm {
    guard let step = steps.first else { return .value(value) }
    let rest = steps.dropFirst()
    let empty = StripeForm.fields([:])
    if step.isEmpty {
      var elements: [StripeForm]
      switch self {
      case .list(let existing): elements = existing
      case .fields(let members) where members.isEmpty: elements = []
      default: throw .invalid("Invalid parameter: \(name.prefix(200))", param: name)
      }
      // `items[][price]=…&items[][quantity]=…`: a member that the last element lacks belongs to it.
      if let next = rest.first, !next.isEmpty, case .fields(let last)? = elements.last,
        last[next] == nil || rest.count > 1
      {
        elements[elements.count - 1] = try StripeForm.fields(last).adding(rest, value, name: name)
      } else {
        elements.append(try empty.adding(rest, value, name: name))
      }
      return .list(elements)
    }
    guard case .fields(var members) = self else {
      throw .invalid("Invalid parameter: \(name.prefix(200))", param: name)
    }
    members[step] = try (members[step] ?? empty).replacedWhenLeaf(rest).adding(
      rest, value, name: name)
    return .fields(members)
  }

  /// A repeated plain name: the last value stands.
  private func replacedWhenLeaf(_ rest: ArraySlice<String>) -> StripeForm {
    if case .value = self, rest.isEmpty { return .fields([:]) }
    return self
  }

  /// Members whose names are all numbers are a list, in the order of the numbers.
  private var withNumberedLists: StripeForm {
    switch self {
    case .value: return self
    case .list(let elements): return .list(elements.map(\.withNumberedLists))
    case .fields(let members):
      let numbered = members.compactMap { name, form in
        name.utf8.count <= 6 && name.utf8.allSatisfy { (48...57).contains($0) }
          ? Int(name).map { ($0, form) } : nil
      }
      guard !members.isEmpty, numbered.count == members.count else {
        return .fields(members.mapValues(\.withNumberedLists))
      }
      return .list(numbered.sorted { $0.0 < $1.0 }.map(\.1.withNumberedLists))
    }
  }

  /// As JSON, every scalar a string; equal forms give equal JSON.
  var json: JSONValue {
    switch self {
    case .value(let text): .string(text)
    case .list(let elements): .array(elements.map(\.json))
    case .fields(let members): .object(members.mapValues(\.json))
    }
  }
}
