import ArgumentParser
import Fairlead

struct SyncsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "syncs", abstract: "What is kept up to date, and how it is going.",
    subcommands: [List.self, Show.self, Run.self, Pause.self, Resume.self, Reset.self],
    defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List syncs.")

    @Option(help: "Only of this integration.")
    var integration: String?
    @Option(help: "Only of this connection.")
    var connection: String?
    @Option(help: "Only of this owner.")
    var owner: String?
    @Option(help: "Only of this model.")
    var model: String?
    @Option(help: "Only in this state: active, paused or blocked.")
    var state: String?
    @OptionGroup var list: ListOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let found = try await server.withServer {
        try await $0.list(
          "/v1/syncs",
          [
            ("integration", integration), ("connection", connection), ("owner", owner),
            ("model", model), ("state", state),
          ], list)
      }
      let now = SystemClock().now
      found.show(
        list,
        empty: "No sync yet. A definition declares them under syncs:, and each connection gets its "
          + "own.",
        columns: [
          .text("id"), .text("integration"), .text("model"), .flexible("owner"), .text("state"),
          .text("last run"), .number("records"), .text("synced"), .text("next run"),
          .flexible("problem"),
        ]
      ) { item in
        let isRunning = item["running"]?.bool == true
        let last = item[path: "last_run.status"]?.string
        return [
          .init(item["id"]?.string), .init(item["integration"]?.string),
          .init(item["model"]?.string), .init(item["owner"]?.string),
          StatusWord.cell(item["state"]?.string),
          isRunning ? .init("running", .cyan) : StatusWord.cell(last),
          .init(NumberText.grouped(item["records"])),
          .init(RelativeTime.text(item["last_synced_at"], now: now)),
          .init(RelativeTime.text(item["next_run_at"], now: now)),
          .init(item["error"]?.string ?? item[path: "last_run.error"]?.string),
        ]
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One sync.")

    @Argument(help: "The sync's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let answer = try await server.withServer {
        try await $0.get("/v1/syncs/\(pathSegment(id))")
      }
      if output.json { return Console.answer(answer.bytes) }
      SyncText.tell(answer.json, now: SystemClock().now)
    }
  }

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a sync now.",
      discussion: "--follow stays until it has ended, with a progress bar on a terminal.")

    @Argument(help: "The sync's id.")
    var id: String
    @Flag(help: "Fetch everything anew; what is gone at the provider is deleted here at its end.")
    var full = false
    @Flag(help: "Fetch what has changed since the last run.")
    var incremental = false
    @Flag(help: "Let a full run delete more records at once than it may by itself.")
    var force = false
    @Flag(help: "Wait until it has ended and show how far it is.")
    var follow = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func validate() throws {
      if full, incremental { throw ValidationError("Give either --full or --incremental.") }
      if force, !full { throw ValidationError("--force goes with --full.") }
    }

    func run() async throws {
      try await server.withServer { client in
        let path = "/v1/syncs/\(pathSegment(id))"
        let before = follow ? try await client.get(path).json : .null
        var wish: [String: JSONValue] = [:]
        if full || incremental { wish["kind"] = full ? "full" : "incremental" }
        if force { wish["force"] = true }
        let answer = try await client.post("\(path)/run", .object(wish))
        guard follow else {
          if output.json { return Console.answer(answer.bytes) }
          return Console.line(
            "Started \(SyncText.name(answer.json)). See how far it is: fairlead syncs show "
              + id.printable)
        }
        let last = try await SyncFollower(clock: SystemClock(), isQuiet: output.json)
          .follow(from: before) { try await client.get(path) }
        if output.json { Console.answer(last.bytes) }
        if let failure = SyncFollow.failure(of: last.json) { throw CommandFailure(failure) }
        if !output.json {
          Console.line(SyncText.outcome(last.json))
          for warning in SyncText.warnings(last.json) { Console.error(warning) }
        }
      }
    }
  }

  struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Stop a sync's schedule for now.")
    @Argument(help: "The sync's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws { try await change(id, "pause", "Paused", output, server) }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Go on with a paused sync.")
    @Argument(help: "The sync's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws { try await change(id, "resume", "Resumed", output, server) }
  }

  struct Reset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget what a sync has stored and start over.",
      discussion: "Consumers of the change feed are told of deletions; then a full run follows.")
    @Argument(help: "The sync's id.")
    var id: String
    @Flag(help: "Do not ask.")
    var yes = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      guard
        yes || output.json
          || Terminal.confirms(
            "Reset \(id.printable)? Its records are deleted, and a full run fetches them anew.")
      else { return Console.line("Nothing was changed.") }
      try await change(id, "reset", "Reset", output, server)
    }
  }
}

private func change(
  _ id: String, _ action: String, _ done: String, _ output: OutputOptions, _ server: ServerOptions
) async throws {
  let answer = try await server.withServer {
    try await $0.post("/v1/syncs/\(pathSegment(id))/\(action)")
  }
  if output.json { return Console.answer(answer.bytes) }
  Console.line("\(done) \(SyncText.name(answer.json)).")
}
