import ArgumentParser
import Fairlead
import FairleadSQLite
import FairleadSandbox
import FairleadServer
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Walk the main job end to end, against the simulators, with nothing to set up.")

  @Flag(help: "Stop after the tour: exit 0 when every step held, 1 otherwise.")
  var once = false

  @Option(help: "Port of the server; 0 lets the system choose.")
  var port: Int = 0

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be a number from 0 to 65535.")
    }
  }

  func run() async throws {
    Deployment.bootstrapLogging(level: .error)
    let logger = Logger(label: "fairlead")
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("fairlead-demo-\(RandomSource.system.token(bytes: 6))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    // A demo leaves nothing behind, whatever happened; a folder that cannot go stays in /tmp.
    defer { try? FileManager.default.removeItem(at: folder) }

    let sandbox = Sandbox(port: 0, logger: logger)
    let simulators = ServiceGroup(services: [sandbox], logger: logger)
    let held = try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await simulators.run() }
      let held = try await serve(
        sandboxURL: "http://127.0.0.1:\(try await sandbox.boundPort)", folder: folder,
        logger: logger)
      await simulators.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return held
    }
    if !held { throw ExitCode(1) }
  }

  private func serve(sandboxURL: String, folder: URL, logger: Logger) async throws -> Bool {
    let adminKey = Secret(RandomSource.system.token(bytes: 18))
    let database = folder.appendingPathComponent("fairlead.db").path
    var configuration = FairleadConfiguration()
    configuration.database = .sqlite(path: database)
    configuration.vaultKeys = Secret(try KeyRing.generate(id: "demo"))
    configuration.adminKey = adminKey
    configuration.port = port
    configuration.allowPrivateNetworks = true
    let deployment = try await Deployment(
      configuration, sandboxURL: sandboxURL, logger: logger)
    deployment.fairlead.inbox.on("*", from: "stripe", name: "tour") { _, _ in }

    let (addresses, address) = AsyncStream<String>.makeStream()
    return try await withThrowingTaskGroup(of: Bool?.self) { tasks in
      tasks.addTask {
        defer { address.finish() }
        try await deployment.run(signals: [.sigterm, .sigint]) { url in
          address.yield(url)
        }
        return nil
      }
      guard let url = await addresses.first(where: { _ in true }) else {
        while try await tasks.next() != nil {}
        return false
      }
      let transport = HTTPClientTransport(allowPrivateNetworks: true)
      let held = await Tour(
        client: DemoClient(
          server: url, sandbox: sandboxURL, adminKey: adminKey, transport: transport),
        databaseFiles: [database, database + "-wal"], clock: SystemClock()
      ).introduced(once: once, adminKey: adminKey)
      if once {
        await deployment.shutDown()
      } else {
        Console.line()
        Console.line("The server stays up. Press Ctrl-C to stop it.")
      }
      try await transport.shutdown()
      while try await tasks.next() != nil {}
      return held
    }
  }
}

extension Tour {
  /// The tour with its heading, and where to look afterwards.
  fileprivate func introduced(once: Bool, adminKey: Secret) async -> Bool {
    Console.line(
      Console.styled("Fairlead \(FairleadVersion.current): the main job, end to end", .bold))
    Console.line(
      Console.styled(
        "Against simulators of Slack, Stripe and OpenAI at \(client.sandbox); no account is used.",
        .dim))
    let held = await run()
    Console.line()
    Console.line("Dashboard         \(Console.styled(client.server + "/", .cyan))")
    Console.line("Sign in with      \(adminKey.expose())")
    return held
  }
}
