/// A `.env` file: `KEY=VALUE` lines, `export` in front, quotes, comments. Nothing is expanded in it.
///
/// No message quotes a line: it may hold a secret.
struct DotEnvFile {
  let file: String
  private(set) var values: [String: String] = [:]
  private(set) var lines: [String: Int] = [:]

  /// Reports what it cannot read to `log` and goes on with the next line.
  init(_ text: String, file: String, log: ProblemLog) {
    self.file = file
    guard text.utf8.count <= YAMLDocument.maximumBytes else {
      log.add(line: nil, key: "", "is larger than 1 MiB.")
      return
    }
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, raw) in lines.enumerated() {
      var line = raw.trimming { $0.isWhitespace || $0 == "\u{FEFF}" }[...]
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("export "), line.contains("=") {
        line = line.dropFirst("export ".count).drop(while: \.isWhitespace)
      }
      guard let equals = line.firstIndex(of: "="),
        let name = Self.name(line[..<equals].trimming(while: \.isWhitespace))
      else {
        log.add(line: index + 1, key: "", "is no NAME=value line; write one, or # for a comment.")
        continue
      }
      let text = line[line.index(after: equals)...].drop(while: \.isWhitespace)
      do throws(SettingFault) {
        values[name] = try Self.value(text)
        self.lines[name] = index + 1
      } catch {
        log.add(line: index + 1, key: name, error.message)
      }
    }
  }

  private static func name(_ text: String) -> String? {
    let valid =
      text.utf8.first.map { !(48...57).contains($0) } == true
      && text.utf8.allSatisfy {
        (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == 95
      }
    return valid && text.utf8.count <= 128 ? text : nil
  }

  private static func value(_ text: Substring) throws(SettingFault) -> String {
    guard let quote = text.first, quote == "\"" || quote == "'" else { return unquoted(text) }
    var result = ""
    var rest = text.dropFirst()
    while let character = rest.popFirst() {
      if character == quote {
        let behind = rest.drop(while: \.isWhitespace)
        guard behind.isEmpty || behind.hasPrefix("#") else {
          throw SettingFault("has text behind the closing quote; quote the whole value.")
        }
        return result
      }
      if character == "\\", quote == "\"", let escaped = rest.popFirst() {
        switch escaped {
        case "n": result.append("\n")
        case "r": result.append("\r")
        case "t": result.append("\t")
        case "\"", "\\", "$": result.append(escaped)
        default: result += "\\\(escaped)"
        }
      } else {
        result.append(character)
      }
    }
    throw SettingFault("has no closing quote; close it on the same line.")
  }

  /// Up to a comment, which has a blank in front of its `#`.
  private static func unquoted(_ text: Substring) -> String {
    var end = text.endIndex
    var previous: Character = " "
    for index in text.indices {
      if text[index] == "#", previous.isWhitespace {
        end = index
        break
      }
      previous = text[index]
    }
    return text[..<end].trimming(while: \.isWhitespace)
  }
}
