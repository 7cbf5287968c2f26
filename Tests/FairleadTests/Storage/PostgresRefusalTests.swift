import Fairlead
import FairleadPostgres
import Testing

/// What a wrong URL, password or server is told as. Those that ask a server take it for one as
/// `bin/test` makes it: it wants a password and speaks no TLS.
@Suite struct PostgresRefusalTests {
  @Test(arguments: [
    ("postgres://u:planted-secret@127.0.0.1:1/db", "No server answers"),
    ("postgres://u:planted-secret@nowhere.invalid/db?connect_timeout=5", "host is not known"),
    ("postgres://u:planted-secret@127.0.0.1:99999/db", "port"),
    ("postgres://u:planted-secret@[::1/db", "cannot be read"),
    ("postgres://u:planted%zz-secret@h/db", "cannot be read"),
    ("postgres://u:p?planted-secret@h/db", "cannot be read"),
    ("postgres://u:x/planted-secret@127.0.0.1:5432/db", "percent-encoded"),
    ("postgres://u:x@planted-secret@127.0.0.1:5432/db", "percent-encoded"),
    ("postgres://u:planted-secret/db", "percent-encoded"),
    ("postgres://h/db?poool=3", "poool is no parameter"),
    ("postgres://u:planted-secret@h/db?pool=0", "pool in the database URL must be a number"),
    ("postgres://u:planted-secret@h/db?connect_timeout=soon", "connect_timeout"),
    ("postgres://u:planted-secret@h/db?sslmode=perhaps", "sslmode"),
    ("postgres://u@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/nowhere.pem", "127.0.0.1"),
  ])
  func aWrongURLIsToldInWords(url: String, words: String) async throws {
    let error = try await #require(throws: FairleadError.self) {
      _ = try await PostgresDatabase.open(Secret(url))
    }
    #expect(error.code == .configurationError)
    #expect(error.message.contains(words), "\(error.message)")
    #expect(!"\(error)".contains("planted"), "\(error)")
    #expect(!error.message.contains("\n"))
  }

  @Test(.enabled(if: PostgresServer.url != nil))
  func aWrongDatabaseUserOrPasswordIsToldInWords() async throws {
    let url = try #require(PostgresServer.url)
    let place = try #require(ServerPlace(url))
    for (credentials, database, words) in [
      (place.credentials, "no_such_database", "createdb"),
      ("no_such_user:planted-secret", place.database, "user"),
      ("\(place.user):planted-secret", place.database, "password is wrong"),
    ] {
      let error = try await #require(throws: FairleadError.self) {
        _ = try await PostgresDatabase.open(
          Secret("postgres://\(credentials)@\(place.host)/\(database)"))
      }
      #expect(error.message.contains(words), "\(error.message)")
      #expect(!"\(error)".contains("planted"), "\(error)")
    }
  }

  @Test(.enabled(if: PostgresServer.url != nil))
  func aServerThatWouldLoseWhatItAcknowledgedIsRefused() async throws {
    let url = try #require(PostgresServer.url)
    let error = try await #require(throws: FairleadError.self) {
      _ = try await PostgresDatabase.open(
        Secret(PostgresServer.with("options=-c%20synchronous_commit%3Doff", url)))
    }
    #expect(error.message.contains("synchronous_commit is off"), "\(error.message)")
  }

  @Test(.enabled(if: PostgresServer.url != nil))
  func aReadOnlyServerIsRefused() async throws {
    let url = try #require(PostgresServer.url)
    let error = try await #require(throws: FairleadError.self) {
      _ = try await PostgresDatabase.open(
        Secret(PostgresServer.with("options=-c%20default_transaction_read_only%3Don", url)))
    }
    #expect(error.message.contains("read-only"), "\(error.message)")
  }

  @Test(.enabled(if: PostgresServer.url != nil))
  func tlsThatTheServerDoesNotSpeakIsToldInWords() async throws {
    let url = try #require(PostgresServer.url)
    let error = try await #require(throws: FairleadError.self) {
      _ = try await PostgresDatabase.open(Secret(PostgresServer.with("sslmode=require", url)))
    }
    #expect(error.message.contains("TLS"), "\(error.message)")
  }
}

/// The parts of `postgres://user[:password]@host:port/database…`.
struct ServerPlace {
  var credentials: String
  var host: Substring
  var database: String

  var user: Substring { credentials.prefix { $0 != ":" } }

  init?(_ url: String) {
    let rest = url.drop { $0 != "/" }.dropFirst(2)
    let parts = rest.split(separator: "@", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    let path = parts[1].split(separator: "/", maxSplits: 1)
    guard path.count == 2 else { return nil }
    credentials = String(parts[0])
    host = path[0]
    database = String(path[1].prefix { $0 != "?" })
  }
}
