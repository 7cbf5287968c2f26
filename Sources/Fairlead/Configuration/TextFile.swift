import Foundation

/// Reads small text files that people wrote.
enum TextFile {
  /// - Throws: `FileProblem` when the file cannot be read, is larger than a configuration file may
  ///   be, or is no UTF-8.
  static func read(_ path: String) throws -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw FileProblem(file: path, message: "cannot be read. Check that it exists and its mode.")
    }
    // Nothing can be done about a failing close of a file that was only read.
    defer { try? handle.close() }
    let data: Data?
    do {
      data = try handle.read(upToCount: YAMLDocument.maximumBytes + 1)
    } catch {
      throw FileProblem(file: path, message: "cannot be read. Check that it is a file.")
    }
    guard (data?.count ?? 0) <= YAMLDocument.maximumBytes else {
      throw FileProblem(file: path, message: "is larger than 1 MiB. Split it.")
    }
    guard let text = String(validating: data ?? Data(), as: UTF8.self) else {
      throw FileProblem(file: path, message: "is not UTF-8. Save it as UTF-8 text.")
    }
    return text
  }
}
