import AsyncHTTPClient
public import Fairlead
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// Simulators of third-party APIs behind one port, with controls that make them fail.
///
/// Each provider is at `/{provider}/{its own path}`, the controls are under `/_sandbox`. Every
/// answer comes from state that earlier requests stored, in memory; equal seeds and equal requests
/// give equal ids. It is meant for loopback: its keys are public and nothing in it is secret.
public final class Sandbox: Service {
  /// The keys the simulators accept.
  public static let credentials = SandboxCredentials()

  private let host: String
  private let port: Int
  private let world: SandboxWorld
  private let logger: Logger
  private let listening = ListeningPort()

  /// - Parameters:
  ///   - port: 0 lets the system choose; see `boundPort`.
  ///   - clock: where the simulators' time comes from. Delays of faults sleep on it.
  public init(
    host: String = "127.0.0.1", port: Int, seed: UInt64 = 1,
    clock: any FairleadClock = SystemClock(),
    logger: Logger
  ) {
    self.host = host
    self.port = port
    self.logger = logger
    world = SandboxWorld(seed: seed, clock: clock)
  }

  /// The port it listens on. Waits until it does.
  /// - Throws: what `run()` failed with, or `CancellationError`.
  public var boundPort: Int {
    get async throws { try await listening.value }
  }

  /// Serves until graceful shutdown or cancellation. Can be called once.
  /// - Throws: `FairleadError` when it cannot listen.
  public func run() async throws {
    guard listening.start() else {
      throw FairleadError(.conflict, "This sandbox has been started before; make another.")
    }
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(5)
    // A refused connection is an answer worth telling at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      try await serve(client)
    } catch {
      let explained = explain(error)
      listening.failed(explained)
      try await client.shutdown()
      throw explained
    }
    listening.failed(FairleadError(.serviceUnavailable, "The sandbox has stopped."))
    try await client.shutdown()
  }

  private func serve(_ client: HTTPClient) async throws {
    let sender = EventSender(client: client, clock: world.clock)
    let kernel = SandboxKernel(world: world, controls: Controls(world: world, sender: sender))
    let exchange = Exchange(kernel: kernel)
    let server = try HTTPServerBuilder.http1().buildServer(
      configuration: ServerConfiguration(address: .hostname(host, port: port), serverName: nil),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
    ) { request, writer, channel in
      try await exchange.respond(to: request, writer: writer, channel: channel)
    } onServerRunning: { [listening, port] channel in
      listening.opened(channel.localAddress?.port ?? port)
    }
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { [world] in await world.google.pushes.run(sender) }
      try await server.run()
      group.cancelAll()
    }
  }

  private func explain(_ error: any Error) -> any Error {
    guard let failure = error as? IOError else { return error }
    let reason =
      failure.errnoCode == EADDRINUSE
      ? "Port \(port) on \(host) is taken. Stop what listens there or choose another port."
      : "The sandbox cannot listen on \(host):\(port). Choose another host or port."
    return FairleadError(.configurationError, reason, detail: "\(failure)")
  }
}
