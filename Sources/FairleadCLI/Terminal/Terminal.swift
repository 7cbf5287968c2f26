import Foundation

/// What standard output is connected to.
enum Terminal {
  static let isInteractive = isatty(STDOUT_FILENO) == 1
  /// Where progress is shown.
  static let isErrorInteractive = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal; `nil` in a pipe, where nothing is cut.
  static var width: Int? {
    guard isInteractive else { return nil }
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text),
      (20...1_000).contains(columns)
    {
      return columns
    }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 80 }
    return Int(size.ws_col)
  }

  /// Asks a yes-or-no question; yes without asking where nobody sits there to answer.
  static func confirms(_ question: String) -> Bool {
    guard isInteractive, isatty(STDIN_FILENO) == 1 else { return true }
    Console.write("\(question) [y/N] ")
    let answer = readLine()?.lowercased() ?? ""
    return ["y", "yes"].contains(answer)
  }

  /// Reads a secret: without echo from a terminal, else all of standard input.
  static func readSecret(_ prompt: String) throws -> String {
    let text: String
    if isatty(STDIN_FILENO) == 1 {
      guard let typed = getpass("\(prompt): ") else {
        throw CommandFailure("nothing was typed.")
      }
      text = String(cString: typed)
    } else {
      text = try readInput(limit: 64 << 10)
    }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty else {
      throw CommandFailure("\(prompt.lowercased()) expected on standard input, but it is empty.")
    }
    return trimmed
  }

  /// All of standard input.
  static func readInput(limit: Int) throws -> String {
    String(decoding: try readBytes(.standardInput, "standard input", limit: limit), as: UTF8.self)
  }

  /// A file, or standard input for `-`.
  static func read(_ path: String, limit: Int) throws -> [UInt8] {
    if path == "-" { return try readBytes(.standardInput, "standard input", limit: limit) }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("\(path) cannot be read.")
    }
    // Nothing was written, so a failing close loses nothing.
    defer { try? handle.close() }
    return try readBytes(handle, path, limit: limit)
  }

  private static func readBytes(
    _ handle: FileHandle, _ name: String, limit: Int
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk: Data?
      do {
        chunk = try handle.read(upToCount: 64 << 10)
      } catch {
        throw CommandFailure("\(name) cannot be read.")
      }
      guard let chunk, !chunk.isEmpty else { return bytes }
      bytes += chunk
      guard bytes.count <= limit else {
        throw CommandFailure("\(name) is larger than \(limit >> 20) MiB.")
      }
    }
  }

  /// Opens an address in the user's browser; nothing happens where there is none.
  static func openInBrowser(_ url: String) {
    #if os(macOS)
    let program = "open"
    #else
    let program = "xdg-open"
    #endif
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, url]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    // The link is printed as well, so a machine without a browser loses nothing.
    try? process.run()
  }
}
