import ArgumentParser
import Fairlead
import FairleadSandbox
import Logging
import ServiceLifecycle
import UnixSignals

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "The provider simulators alone, as a process of their own.")

  @Option(help: "Port to listen on; 0 lets the system choose.")
  var port: Int = 8090

  @Option(help: "Makes a run repeatable: the same seed gives the same ids and data.")
  var seed: UInt64 = 1

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be a number from 0 to 65535.")
    }
  }

  func run() async throws {
    Deployment.bootstrapLogging(level: .warning)
    let logger = Logger(label: "fairlead.sandbox")
    let sandbox = Sandbox(port: port, seed: seed, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let port = try await sandbox.boundPort
        Console.line("fairlead: sandbox listening on http://127.0.0.1:\(port)")
      }
      group.addTask {
        let services = ServiceGroup(
          services: [sandbox], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await services.run()
      }
      try await group.waitForAll()
    }
  }
}
