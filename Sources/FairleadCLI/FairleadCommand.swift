import ArgumentParser
import Fairlead

/// The command line. Exit codes: 0 done; 1 failed, with one clear line; 64 wrong usage.
@main
struct FairleadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fairlead",
    abstract: "The integration layer between your application and third-party APIs.",
    version: FairleadVersion.current,
    subcommands: [
      DemoCommand.self, InitCommand.self, ServeCommand.self, DoctorCommand.self, StatusCommand.self,
      ConnectCommand.self, ConnectionsCommand.self, CallCommand.self, EventsCommand.self,
      DeliveriesCommand.self, SyncsCommand.self, RecordsCommand.self, AlertsCommand.self,
      WebhookCommand.self, SandboxCommand.self, KeysCommand.self, ProvidersCommand.self,
      MigrateCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot(Self.spelledOut(Array(CommandLine.arguments.dropFirst())))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let failure as CommandFailure {
      Console.error("fairlead: \(PrintableText.lines(failure.line))")
      exit(withError: ExitCode(1))
    } catch let failure as FairleadError {
      Console.error("fairlead: \(PrintableText.lines(failure.message))")
      exit(withError: ExitCode(1))
    } catch {
      exit(withError: error)
    }
  }

  /// `--sandbox` without a URL behind it means the simulators in this process; the parser wants every
  /// option to have its value.
  static func spelledOut(_ arguments: [String]) -> [String] {
    arguments.enumerated().map { index, argument in
      let next = index + 1 < arguments.count ? arguments[index + 1] : ""
      let isAlone = argument == "--sandbox" && !next.hasPrefix("http")
      return isAlone ? "--sandbox=in-process" : argument
    }
  }
}

/// A command that cannot go on, in one line that says what to do.
struct CommandFailure: Error {
  let line: String
  init(_ line: String) { self.line = line }
}
