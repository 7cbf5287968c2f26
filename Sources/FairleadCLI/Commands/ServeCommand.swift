import ArgumentParser
import Fairlead
import FairleadSandbox
import FairleadServer
import Logging
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the server.")

  @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
  var config: String?

  @Option(help: "Port to listen on; 0 lets the system choose.")
  var port: Int?

  @Option(
    help: ArgumentHelp(
      "Point every integration at the simulators: in this process, or at a URL.",
      valueName: "url"))
  var sandbox: String?

  func validate() throws {
    if let port, !(0...65_535).contains(port) {
      throw ValidationError("--port must be a number from 0 to 65535.")
    }
  }

  func run() async throws {
    var configuration = try Deployment.configuration(file: config)
    if let port { configuration.port = port }
    Deployment.bootstrapLogging(level: configuration.logLevel)
    let logger = Logger(label: "fairlead")
    // Without a key nothing starts, the simulators included.
    _ = try Deployment.vault(configuration)
    guard sandbox == "in-process" else {
      try await serve(configuration, sandboxURL: sandbox, logger: logger)
      return
    }
    let simulators = Sandbox(port: 0, logger: logger)
    let group = ServiceGroup(services: [simulators], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let url = "http://127.0.0.1:\(try await simulators.boundPort)"
      Console.line("fairlead: sandbox listening on \(url)")
      try await serve(configuration, sandboxURL: url, logger: logger)
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private func serve(
    _ configuration: FairleadConfiguration, sandboxURL: String?, logger: Logger
  ) async throws {
    let deployment = try await Deployment(
      configuration, sandboxURL: sandboxURL, logger: logger)
    try await deployment.run(signals: [.sigterm, .sigint]) { url in
      Console.line("fairlead: listening on \(url)")
    }
  }
}
