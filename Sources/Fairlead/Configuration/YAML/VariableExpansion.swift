/// `${NAME}` in YAML values, `$$` for a dollar sign.
///
/// References are marked before the text is parsed and replaced afterwards, in scalars only: a
/// value may hold any character without becoming YAML, and `{ key: ${NAME} }` is no nested mapping.
struct VariableExpansion {
  /// What a name stands for; `nil` when it is not defined.
  var value: (String) -> String?

  // Private-use characters that YAML allows and no real file holds.
  private static let open: Unicode.Scalar = "\u{F5A0}"
  private static let close: Unicode.Scalar = "\u{F5A1}"
  private static let dollar: Unicode.Scalar = "\u{F5A2}"

  static func isMarked(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0 == open || $0 == close || $0 == dollar }
  }

  /// The text with every `${NAME}` and `$$` replaced by marks.
  func marking(_ text: String, file: String) throws(FileProblem) -> String {
    guard !Self.isMarked(text) else {
      throw FileProblem(file: file, message: "holds private-use characters. Remove them.")
    }
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    var line = 1
    while let scalar = rest.popFirst() {
      if scalar == "\n" { line += 1 }
      guard scalar == "$" else {
        result.append(scalar)
        continue
      }
      if rest.first == "$" {
        rest.removeFirst()
        result.append(Self.dollar)
      } else if rest.first == "{" {
        let name = rest.dropFirst().prefix { Self.isNameCharacter($0) }
        let end = name.endIndex
        guard !name.isEmpty, name.count <= 128, end < rest.endIndex, rest[end] == "}" else {
          throw FileProblem(
            file: file, line: line,
            message: "`${` must be followed by a variable's name and `}`; write $$ for a dollar.")
        }
        result.append(Self.open)
        result.append(contentsOf: name)
        result.append(Self.close)
        rest = rest[rest.index(after: end)...]
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// The scalar with its marks replaced, and whether a variable's value is in it now.
  func expand(
    _ text: String, file: String, line: Int
  ) throws(FileProblem) -> (String, expanded: Bool) {
    var result = String.UnicodeScalarView()
    var name: String.UnicodeScalarView?
    var expanded = false
    for scalar in text.unicodeScalars {
      switch scalar {
      case Self.open: name = String.UnicodeScalarView()
      case Self.dollar: result.append("$")
      case Self.close:
        let variable = String(name ?? String.UnicodeScalarView())
        guard let value = value(variable) else {
          throw FileProblem(
            file: file, line: line,
            message:
              "the variable \(variable) is not defined. Set it in the environment or in .env."
          )
        }
        result.append(contentsOf: value.unicodeScalars)
        expanded = true
        name = nil
      default:
        if name == nil { result.append(scalar) } else { name?.append(scalar) }
      }
    }
    return (String(result), expanded)
  }

  private static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
  }
}
