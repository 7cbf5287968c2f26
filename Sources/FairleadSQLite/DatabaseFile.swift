import Fairlead
import Foundation

/// The file under a SQLite database: looked at before SQLite opens it, so that a wrong path is told
/// in words and is left as it was.
struct DatabaseFile {
  let path: String

  private static let signature = Array("SQLite format 3\u{0}".utf8)

  /// Whether there is a file already.
  /// - Throws: `FairleadError` when what is there cannot be a database of ours.
  func inspect() throws -> Bool {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw refusal("The path of the database is empty. Set FAIRLEAD_DATABASE to sqlite:PATH.")
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
        isDirectory.boolValue
      else {
        throw refusal(
          "The folder of the database \(path) does not exist or cannot be entered. Create it, or "
            + "set FAIRLEAD_DATABASE to another path.")
      }
      return false
    }
    guard !isDirectory.boolValue else {
      throw refusal(
        "The database path \(path) is a folder. Set FAIRLEAD_DATABASE to a file in it, for example "
          + "sqlite:\(path.hasSuffix("/") ? path : path + "/")fairlead.db.")
    }
    try inspectContents()
    return true
  }

  /// Makes an empty file that only this user may read, before SQLite would make it with the umask's
  /// mode; the log files beside it take their mode from it.
  func create() throws {
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw refusal(
        "The database \(path) cannot be created (\(String(cString: strerror(errno)))). Give this "
          + "user write access to its folder, or set FAIRLEAD_DATABASE to another path.")
    }
    close(descriptor)
  }

  /// The refusal of a path at which SQLite itself failed.
  func refusal(_ error: StorageError) -> FairleadError {
    switch error {
    case .unavailable(let reason), .corrupt(let reason), .statement(let reason),
      .uniqueViolation(let reason), .constraintViolation(let reason), .outcomeUnknown(let reason):
      refusal("The database \(path) cannot be used. \(reason)")
    case .overloaded: refusal("The database \(path) cannot be used.")
    }
  }

  private func inspectContents() throws {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw refusal(
        "The database \(path) cannot be opened (\(String(cString: strerror(errno)))). Give this "
          + "user read and write access to it, or set FAIRLEAD_DATABASE to another path.")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw notADatabase
    }
    // An empty file is a database that nothing was written to yet.
    guard status.st_size > 0 else { return }
    var head = [UInt8](repeating: 0, count: Self.signature.count)
    let count = pread(descriptor, &head, head.count, 0)
    guard count == head.count, head == Self.signature else { throw notADatabase }
  }

  private var notADatabase: FairleadError {
    refusal(
      "\(path) is not a SQLite database. Nothing was changed; set FAIRLEAD_DATABASE to another path."
    )
  }

  private func refusal(_ message: String) -> FairleadError {
    FairleadError(.configurationError, message)
  }
}
