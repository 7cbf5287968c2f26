import Fairlead
import Foundation
import HTTPTypes

/// Checks that ask the network: the server if it runs, the public URL, other clocks.
struct NetworkChecks {
  let configuration: FairleadConfiguration
  let transport: any Transport
  let clock: any FairleadClock

  private static let patience: Duration = .seconds(8)

  /// What answered, read no further than its head.
  struct Head {
    var status: Int
    var isFairlead: Bool
    var date: Timestamp?
    /// Our time in the middle of the exchange.
    var asked: Timestamp
  }

  func head(_ url: String, key: Secret? = nil) async -> Head? {
    var headers: HTTPFields = [:]
    if let key { headers[.authorization] = "Bearer \(key.expose())" }
    let before = clock.now
    // That nobody answers is the information.
    guard
      let response = try? await transport.send(
        TransportRequest(method: .get, url: url, headers: headers), timeout: Self.patience)
    else { return nil }
    let after = clock.now
    return Head(
      status: response.status,
      isFairlead: HTTPField.Name("fairlead-request-id").map { response.headers[$0] != nil }
        ?? false,
      date: response.headers[.date].flatMap(HTTPTime.parse),
      asked: before + .microseconds((after - before).microseconds / 2))
  }

  /// Whether our server runs, and else whether it could.
  func server() async -> [Finding] {
    guard configuration.port != 0 else {
      return [Finding("server", .skip, "The system chooses the port at each start.")]
    }
    let host = ServerAddress.reachable(configuration.host)
    let url = "http://\(host):\(configuration.port)"
    guard let ready = await head(url + "/readyz") else { return [portIsFree()] }
    guard ready.isFairlead else {
      return [
        Finding(
          "server", .fail, "Port \(configuration.port) is taken by another program.",
          advice: "Stop it, or choose another port with FAIRLEAD_PORT.")
      ]
    }
    var findings: [Finding] = []
    if ready.status == 200 {
      findings.append(.ok("server", "A Fairlead server runs at \(url) and can take work."))
    } else {
      findings.append(
        Finding(
          "server", .fail, "The Fairlead server at \(url) cannot write its storage.",
          advice: "Its log says why."))
    }
    if let key = configuration.adminKey,
      let answer = await head(url + "/v1/integrations", key: key), answer.status == 401
    {
      findings.append(
        Finding(
          "server.key", .fail, "The running server was started with another admin key.",
          advice: "Restart it, so that it reads this configuration."))
    }
    return findings
  }

  private func portIsFree() -> Finding {
    do {
      _ = try PortCheck.settle(host: configuration.host, port: configuration.port)
      return Finding(
        "server", .skip,
        "No server runs at \(configuration.host):\(configuration.port); the port is free.",
        advice: "fairlead serve")
    } catch {
      let message = (error as? FairleadError)?.message ?? "The port cannot be used."
      return Finding("server", .fail, message)
    }
  }

  /// Where browsers and providers reach the server.
  func publicURL(online: Bool, integrations: [Integration]) async -> [Finding] {
    let needsIt = integrations.contains { integration in
      if case .oauth2Code = integration.definition.auth { return true }
      return !integration.webhookSecrets.isEmpty
    }
    guard let url = configuration.publicURL else {
      guard needsIt else { return [] }
      return [Self.onlyHere("FAIRLEAD_PUBLIC_URL is not set")]
    }
    guard let host = URL(string: url)?.host(), !ServerAddress.isLoopback(host) else {
      return needsIt ? [Self.onlyHere("The public URL \(url) leads to this machine only")] : []
    }
    guard online else { return [.ok("public_url", "The public URL is \(url).")] }
    guard let answer = await head(url + "/healthz") else {
      return [
        Finding(
          "public_url", .fail, "Nothing answers at the public URL \(url).",
          advice: "Start the server, and check DNS, certificate and reverse proxy.")
      ]
    }
    guard answer.status == 200, answer.isFairlead else {
      return [
        Finding(
          "public_url", .fail,
          "The public URL \(url) does not lead to a Fairlead server (it answered \(answer.status)).",
          advice: "Check the reverse proxy's target.")
      ]
    }
    return [.ok("public_url", "The public URL \(url) leads to a Fairlead server.")]
  }

  private static func onlyHere(_ what: String) -> Finding {
    Finding(
      "public_url", .warn, "\(what): providers cannot send webhooks here.",
      advice: "Set FAIRLEAD_PUBLIC_URL to the https address of this server. For a trial, a tunnel "
        + "gives one.")
  }

  /// Compares our clock with providers': webhooks are refused when it is minutes wrong.
  func clocks(_ integrations: [Integration]) async -> [Finding] {
    for integration in integrations {
      // An origin that needs a connection's own values cannot be asked here.
      guard let origin = try? integration.origin(), let answer = await head(origin + "/"),
        let date = answer.date
      else { continue }
      return [
        Self.clock(
          off: answer.asked - date, comparedWith: integration.definition.displayName)
      ]
    }
    return []
  }

  /// Pure. A `Date` header has whole seconds, so less than two say nothing.
  static func clock(off: Duration, comparedWith name: String) -> Finding {
    let seconds = off.microseconds / 1_000_000
    guard seconds.magnitude > 10 else {
      return .ok("clock", "This machine's clock agrees with \(name)'s.")
    }
    let direction = seconds > 0 ? "ahead of" : "behind"
    return Finding(
      "clock", seconds.magnitude > 120 ? .fail : .warn,
      "This machine's clock is \(seconds.magnitude) s \(direction) \(name)'s; webhooks are refused "
        + "from 300 s on.", advice: "Switch time synchronisation on: timedatectl set-ntp true")
  }
}

/// The preferred date form of HTTP. Source: RFC 9110 section 5.6.7.
enum HTTPTime {
  static func parse(_ text: String) -> Timestamp? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.date(from: text).map { Timestamp($0) }
  }
}
