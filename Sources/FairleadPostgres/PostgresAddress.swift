import CLibPQ
import Fairlead

/// Where a PostgreSQL server is and how to connect to it, read from a URL and checked, so that a
/// mistake is told in words and without the password.
struct PostgresAddress: Sendable {
  /// What libpq is given, by keyword. Secret as a whole: the password is among them.
  let parameters: [(keyword: String, value: Secret)]
  /// How many transactions may run side by side.
  let poolSize: Int
  /// How long one attempt to connect may take, in milliseconds.
  let connectTimeout: Int
  /// The server and database in words for people, such as `db.example:5432/fairlead`.
  let name: String

  static let defaultPoolSize = 10
  static let defaultConnectTimeout = 10

  /// - Throws: `FairleadError` (`configurationError`); never with the URL in it.
  init(_ url: Secret) throws {
    let text = url.expose()
    guard text.utf8.count <= 8_192, !text.utf8.contains(0),
      text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    else { throw Self.refusal("The database URL cannot be read. \(Self.form)") }
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard Self.isUnambiguous(parts[0]) else {
      throw Self.refusal("The database URL cannot be read. \(Self.form)")
    }
    var pool = Self.defaultPoolSize
    var timeout = Self.defaultConnectTimeout
    var passedOn: [Substring] = []
    for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let (key, value) = (String(pair[0]), pair.count > 1 ? String(pair[1]) : "")
      switch key {
      case "pool": pool = try Self.number(value, of: key, in: 1...200)
      case "connect_timeout": timeout = try Self.number(value, of: key, in: 1...300)
      case _ where Self.known.contains(key): passedOn.append(item)
      default: throw Self.unknown(key)
      }
    }
    let rest =
      passedOn.isEmpty ? String(parts[0]) : "\(parts[0])?\(passedOn.joined(separator: "&"))"
    var values = try Self.decode(rest)
    for (keyword, value) in Self.defaults where values[keyword] == nil { values[keyword] = value }
    poolSize = pool
    connectTimeout = timeout * 1_000
    name = Self.name(values)
    parameters = values.sorted { $0.key < $1.key }.map { ($0.key, Secret($0.value)) }
  }

  /// What the URL may say beside where the server is. libpq knows more, which would be no use here.
  private static let known: Set<String> = [
    "application_name", "channel_binding", "dbname", "gssencmode", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "options",
    "passfile", "password", "port", "requirepeer", "ssl_max_protocol_version",
    "ssl_min_protocol_version", "sslcert", "sslcrl", "sslkey", "sslmode", "sslpassword",
    "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
  ]

  /// Where the URL is silent. A peer that vanished is given up after half a minute.
  private static let defaults = [
    ("application_name", "fairlead"), ("client_encoding", "UTF8"), ("gssencmode", "disable"),
    ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
  ]

  private static let form =
    "Write it as postgres://user:password@host:5432/database, with special characters in the "
    + "password percent-encoded."

  /// Whether user, host and database stand where they seem to. A `/` or `@` in a password that is not
  /// encoded moves a part of it into the host or the database, which messages name.
  private static func isUnambiguous(_ text: Substring) -> Bool {
    guard let scheme = text.firstRange(of: "://") else { return false }
    let rest = text[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    guard rest.count(where: { $0 == "@" }) == authority.count(where: { $0 == "@" }) else {
      return false
    }
    let sides = authority.split(separator: "@", omittingEmptySubsequences: false)
    guard sides.count <= 2, let hosts = sides.last else { return false }
    return hosts.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { host in
      // Behind the last colon outside an IPv6 address stands a port.
      guard let colon = host.lastIndex(of: ":"), host.last != "]" else { return true }
      return host[host.index(after: colon)...].utf8.allSatisfy { (48...57).contains($0) }
    }
  }

  private static func decode(_ text: String) throws -> [String: String] {
    // libpq's own message would quote parts of the URL.
    var message: UnsafeMutablePointer<CChar>?
    defer { PQfreemem(message) }
    guard let options = PQconninfoParse(text, &message) else {
      throw refusal("The database URL cannot be read. \(form)")
    }
    defer { PQconninfoFree(options) }
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        values[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    return values
  }

  private static func name(_ values: [String: String]) -> String {
    let host = values["host"] ?? values["hostaddr"] ?? "localhost"
    let port = values["port"].map { ":\($0)" } ?? ""
    return "\(host)\(port)/\(values["dbname"] ?? values["user"] ?? "")"
  }

  private static func number(
    _ text: String, of key: String, in range: ClosedRange<Int>
  ) throws -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw refusal(
        "\(key) in the database URL must be a number from \(range.lowerBound) to "
          + "\(range.upperBound).")
    }
    return number
  }

  private static func unknown(_ key: String) -> FairleadError {
    // What is no plain name may be part of a password with an unencoded question mark.
    let isName =
      (1...40).contains(key.utf8.count)
      && key.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
    return refusal(
      isName
        ? "\(key) is no parameter of the database URL. Known are pool, connect_timeout, sslmode, "
          + "sslrootcert and others; docs/postgres.md lists them."
        : "The parameters of the database URL cannot be read. \(form)")
  }

  static func refusal(_ message: String) -> FairleadError {
    FairleadError(.configurationError, message)
  }
}
