import ArgumentParser
import Fairlead
import Foundation

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check configuration, secrets, storage, clock and each integration's credentials.",
    discussion: """
      Works without a running server and changes nothing. It exits 1 when something has failed; \
      warnings do not count.
      """)

  @Flag(
    inversion: .prefixedNo,
    help: "Ask providers whether they accept the configured keys, and try the public URL.")
  var online = true

  @Option(
    help: ArgumentHelp("Ask the simulators at this URL instead of the providers.", valueName: "url")
  )
  var sandbox: String?

  @Option(help: "The configuration file; fairlead.yaml when it is there.")
  var config: String?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if sandbox == "in-process" {
      throw ValidationError(
        "--sandbox takes the simulators' URL here, such as http://127.0.0.1:8090.")
    }
  }

  func run() async throws {
    let doctor = Doctor(
      directory: FileManager.default.currentDirectoryPath, configFile: config,
      sandboxURL: sandbox, online: online, clock: SystemClock())
    let report = await doctor.examine()
    if output.json { Console.answer(report.json.bytes) } else { report.show() }
    guard !report.hasFailed else {
      throw CommandFailure(
        "\(report.count(.fail)) of the checks failed\(output.json ? "" : "; see above").")
    }
  }
}
