import ArgumentParser
import Fairlead
import Foundation

/// Which server to talk to, and with which key.
struct ServerOptions: ParsableArguments {
  @Option(
    help: "The server; where the configuration of this folder says it listens when absent.")
  var url: String?

  @Option(
    help: ArgumentHelp(
      "A Fairlead key. Others on this machine can read it in the list of processes; prefer "
        + "FAIRLEAD_ADMIN_KEY or --key-file.", valueName: "key"))
  var key: String?

  @Option(help: "A file that holds the key; - for standard input.")
  var keyFile: String?

  @Option(help: "The configuration file; fairlead.yaml when it is there.")
  var config: String?

  func validate() throws {
    if key != nil, keyFile != nil {
      throw ValidationError("Give either --key or --key-file.")
    }
  }

  /// Runs `body` with a client of the server, and ends its connections.
  func withServer<Result>(_ body: (ServerClient) async throws -> Result) async throws -> Result {
    // With both given on the command line, the folder's configuration has nothing to say.
    let configuration =
      url != nil && (key != nil || keyFile != nil) && config == nil
      ? nil : try Deployment.configuration(file: config)
    let address = try ServerAddress.url(given: url, configuration: configuration)
    guard let key = try chosenKey() ?? configuration?.adminKey else {
      throw CommandFailure(
        "there is no key to talk to the server with. Set FAIRLEAD_ADMIN_KEY in the environment or "
          + ".env, or name a file with --key-file.")
    }
    let transport = HTTPClientTransport(allowPrivateNetworks: true)
    do {
      let result = try await body(ServerClient(url: address, key: key, transport: transport))
      try await transport.shutdown()
      return result
    } catch {
      // Why the command failed is the error to tell.
      try? await transport.shutdown()
      throw error
    }
  }

  private func chosenKey() throws -> Secret? {
    let text: String
    if let key {
      text = key
    } else if let keyFile {
      text = String(decoding: try Terminal.read(keyFile, limit: 64 << 10), as: UTF8.self)
    } else {
      return nil
    }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (33...126).contains($0) }) else {
      throw CommandFailure("\(keyFile ?? "--key") holds no key.")
    }
    return Secret(trimmed)
  }
}

/// What every command that only reads offers.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print what the API answered, for scripts.")
  var json = false
}

/// Which part of a list to show.
struct ListOptions: ParsableArguments {
  @Option(help: "How many at once, 1 to 200.")
  var limit: Int?

  @Option(help: "Go on behind this page: the `next_cursor` of the page before.")
  var cursor: String?

  @Flag(help: "Every page.")
  var all = false

  @Flag(help: "Print what the API answered, for scripts.")
  var json = false

  func validate() throws {
    if let limit, !(1...200).contains(limit) {
      throw ValidationError("--limit must be a number from 1 to 200.")
    }
  }
}
