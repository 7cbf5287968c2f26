import Fairlead

/// Why no connection came about, in words that say what to do. Never with the password: libpq's
/// messages name host, user and database only.
enum ConnectFailure: Error, Equatable {
  case refused(String), timeout, unknownHost(String)
  case password, noDatabase, noRole, notAdmitted, tooMany
  case tlsRefused, tlsUntrusted(String)
  case starting
  case tooOld(Int32), notDurable, encoding(String), readOnly, noSchema
  case other(String)

  init(message: String) {
    // With several addresses, each has its line, with hints below; the last one counts.
    let lines = message.split(separator: "\n")
    let text =
      lines.last { $0.hasPrefix("connection to server") } ?? lines.first ?? "no reason given"
    func has(_ parts: String...) -> Bool { parts.contains { message.contains($0) } }
    self =
      if has("28P01", "no password supplied") { .password } else if has("3D000") {
        .noDatabase
      } else if has("server does not support SSL", "SSL off") {
        .tlsRefused
      } else if has("certificate verify failed", "root certificate", "does not match host name") {
        .tlsUntrusted(Self.short(text))
      } else if has("no pg_hba.conf entry") { .notAdmitted } else if has("28000") {
        .noRole
      } else if has("53300") { .tooMany } else if has("57P03") {
        .starting
      } else if has("could not translate host name") {
        .unknownHost(Self.short(text))
      } else if has("timeout expired", "Connection timed out") {
        .timeout
      } else if has("Connection refused", "No such file or directory", "unreachable", "No route") {
        .refused(Self.short(text))
      } else { .other(Self.short(text)) }
  }

  /// Whether waiting may help; the rest needs someone to change something.
  var isPassing: Bool {
    switch self {
    case .refused, .timeout, .unknownHost, .tooMany, .starting, .readOnly, .other: true
    default: false
    }
  }

  /// What happened and what to do, as sentences that follow "The database … cannot be used."
  var words: String {
    switch self {
    case .refused(let text):
      "No server answers there (\(text)). Start PostgreSQL, or correct host and port in "
        + "FAIRLEAD_DATABASE."
    case .timeout:
      "No answer came in time. Check host, port and firewall; connect_timeout in the URL sets how "
        + "many seconds to wait."
    case .unknownHost(let text): "The host is not known (\(text)). Check its name."
    case .password:
      "The user name or the password is wrong. Correct FAIRLEAD_DATABASE; special characters in the "
        + "password must be percent-encoded."
    case .noDatabase: "The server has no such database. Make it with: createdb NAME"
    case .noRole:
      "The server does not admit this user. Make it with CREATE ROLE, or correct the user in "
        + "FAIRLEAD_DATABASE."
    case .notAdmitted:
      "The server's pg_hba.conf admits no connection like this one. Add a line for this host, user "
        + "and database; it may ask for TLS: sslmode=require in the URL."
    case .tooMany:
      "The server has no connection left. Raise its max_connections, or give each node fewer with "
        + "pool=N in the URL."
    case .tlsRefused:
      "The server does not speak TLS, which sslmode in the URL asks for. Switch TLS on at the "
        + "server; over a trusted network sslmode=disable does without."
    case .tlsUntrusted(let text):
      "The server's certificate is not trusted (\(text)). Name the authority's certificate with "
        + "sslrootcert=FILE in the URL, and the host as the server's certificate does."
    case .starting: "The server is starting or stopping. Try again in a moment."
    case .tooOld(let version):
      "The server is PostgreSQL \(version); Fairlead needs 14 or newer."
    case .notDurable:
      "synchronous_commit is off, with which a crash loses what was already acknowledged. Switch it "
        + "on: ALTER DATABASE NAME SET synchronous_commit = on"
    case .encoding(let name):
      "Its encoding is \(name); Fairlead needs UTF8. Make a database with: createdb -T template0 -E "
        + "UTF8 NAME"
    case .readOnly:
      "It is read-only, a standby perhaps. Name the primary in FAIRLEAD_DATABASE; with several hosts, "
        + "add target_session_attrs=read-write."
    case .noSchema:
      "The user's search_path names no schema that exists. Make one with CREATE SCHEMA, or correct "
        + "the search_path."
    case .other(let text): text.hasSuffix(".") ? text : text + "."
    }
  }

  /// libpq's reason, without its hints and without the address, which is said already.
  private static func short(_ text: Substring) -> String {
    let reason = text.firstRange(of: " failed: ").map { text[$0.upperBound...] } ?? text
    let words = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words.count > 300 ? words.prefix(300) + "…" : words
  }
}
