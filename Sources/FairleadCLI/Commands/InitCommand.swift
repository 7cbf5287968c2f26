import ArgumentParser
import Fairlead
import Foundation

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write fairlead.yaml and .env, with a fresh vault key and admin key.")

  func run() throws {
    let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    let configuration = folder.appendingPathComponent("fairlead.yaml").path
    let secrets = folder.appendingPathComponent(".env").path
    for path in [configuration, secrets] where FileManager.default.fileExists(atPath: path) {
      throw CommandFailure("\(path) is there already. Nothing was changed.")
    }
    let month = SystemClock().now.rfc3339.prefix(7)
    let environment = """
      # Secrets of this deployment. Keep them out of version control.
      FAIRLEAD_VAULT_KEYS=\(try KeyRing.generate(id: "k\(month)"))
      FAIRLEAD_ADMIN_KEY=\(RandomSource.system.token(bytes: 24))

      # An integration switches itself on when its variables are set:
      # STRIPE_SECRET_KEY=sk_test_…
      # STRIPE_WEBHOOK_SECRET=whsec_…
      # OPENAI_API_KEY=sk-…
      # SLACK_CLIENT_ID=…
      # SLACK_CLIENT_SECRET=…
      # SLACK_SIGNING_SECRET=…
      # GOOGLE_CLIENT_ID=…
      # GOOGLE_CLIENT_SECRET=…
      # CLERK_SECRET_KEY=sk_test_…
      # CLERK_WEBHOOK_SECRET=whsec_…
      # CLERK_PUBLISHABLE_KEY=pk_test_…
      # GITHUB_CLIENT_ID=…
      # GITHUB_CLIENT_SECRET=…
      # GITHUB_WEBHOOK_SECRET=…

      """
    let yaml = """
      # Fairlead's configuration. Every key is described in docs/configuration.md.
      server:
        host: 127.0.0.1
        port: 8080
      database: sqlite:fairlead.db

      """
    // The secrets are never readable by others, not even for a moment.
    try Self.make(secrets, environment, mode: 0o600)
    do {
      try Self.make(configuration, yaml, mode: 0o644)
    } catch {
      unlink(secrets)
      throw error
    }
    Console.line("Wrote fairlead.yaml and .env (readable by you alone).")
    Console.line()
    Console.line("Keep the vault key: without it, no stored credential can be read again.")
    Console.line()
    Console.line("Next:")
    Console.line("  1. Put the keys of your providers into .env, or go on with the simulators")
    Console.line("  2. fairlead doctor            checks what you have set")
    Console.line(
      "  3. fairlead serve             or, with the simulators: fairlead serve --sandbox")
    Console.line("  4. fairlead status            shows how every integration is doing")
  }

  /// Makes a file that must not be there yet.
  private static func make(_ path: String, _ text: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw CommandFailure("\(path) cannot be written.") }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try file.write(contentsOf: Data(text.utf8))
    } catch {
      unlink(path)
      throw CommandFailure("\(path) cannot be written.")
    }
  }
}
