/// One thing wrong with a file people wrote, with the place and what to write instead.
///
/// Prints as `providers/acme.yaml:12: auth.token_url: …`. Never holds the value of a variable.
public struct FileProblem: Error, Sendable, Hashable, CustomStringConvertible {
  public var file: String
  /// Counted from 1; `nil` when the problem is the file as a whole.
  public var line: Int?
  /// Dotted path of the key; empty at the top of the file.
  public var key: String
  public var message: String

  public init(file: String, line: Int? = nil, key: String = "", message: String) {
    self.file = file
    self.line = line
    self.key = key
    self.message = message
  }

  public var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
  }
}

/// Collects what is wrong with one file, so that all of it is reported at once.
final class ProblemLog {
  /// More than a person reads; a hostile file must not fill the log.
  static let limit = 50

  let file: String
  private(set) var problems: [FileProblem] = []
  private var omitted = 0

  init(file: String) { self.file = file }

  func add(line: Int?, key: String, _ message: String) {
    guard problems.count < Self.limit else {
      omitted += 1
      return
    }
    problems.append(FileProblem(file: file, line: line, key: key, message: message))
  }

  /// In the order of their lines.
  var sorted: [FileProblem] {
    var all = problems.enumerated().sorted {
      ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
    }.map(\.element)
    if omitted > 0 { all.append(FileProblem(file: file, message: "… and \(omitted) more.")) }
    return all
  }
}
