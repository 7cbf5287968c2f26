import Crypto
public import Logging
import Synchronization

/// Where events are forwarded to: the API's destinations, whose secrets are sealed in the vault, and
/// those of the configuration, whose secrets are held in memory only. Thread-safe.
public final class Destinations: Sendable {
  let database: any Database
  private let vault: Vault
  private let clock: any FairleadClock
  private let random: RandomSource
  private let logger: Logger
  private let configured = Mutex<[DestinationID: DestinationSecrets]>([:])

  public init(
    database: any Database, vault: Vault, clock: any FairleadClock,
    random: RandomSource = .system, logger: Logger
  ) {
    self.database = database
    self.vault = vault
    self.clock = clock
    self.random = random
    self.logger = logger
  }

  // MARK: - The configuration's

  /// Whether configured destinations can be used, for a start that must not write anything first.
  /// - Throws: `FairleadError` (`configurationError`) when a URL, type or secret is not usable.
  public static func check(_ wanted: [ConfiguredDestination]) throws {
    for item in wanted {
      do {
        try DestinationRules.check(item.destination)
      } catch {
        throw FairleadError(.configurationError, "destinations: \(error.message)")
      }
      try DestinationRules.check(secret: item.secret, url: item.destination.url)
    }
  }

  /// Makes the configured destinations exactly these. Call it once at start, before jobs run.
  /// - Throws: `FairleadError` (`configurationError`) when a URL, type or secret is not usable;
  ///   nothing is changed then. (`serviceUnavailable`) when storage fails.
  public func configure(_ wanted: [ConfiguredDestination]) async throws {
    try Self.check(wanted)
    var secrets: [DestinationID: DestinationSecrets] = [:]
    var rows: [Destination] = []
    for item in wanted {
      let id = Self.configuredID(of: item.destination, taken: secrets.keys)
      secrets[id] = DestinationSecrets(item.secret)
      rows.append(make(item.destination, id: id, isConfigured: true))
    }
    let kept = rows
    try await mappingStorageErrors {
      try await self.database.write { connection in
        for row in try DestinationStore.all(in: connection)
        where row.isConfigured && !kept.contains(where: { $0.id == row.id }) {
          try DestinationStore.delete(row.id, in: connection)
        }
        for row in kept { try DestinationStore.upsert(row, secrets: nil, in: connection) }
      }
    }
    configured.withLock { [secrets] in $0 = secrets }
  }

  /// The same for the same URL in every start and on every node, so that open deliveries find it.
  private static func configuredID(
    of destination: NewDestination, taken: some Collection<DestinationID>
  ) -> DestinationID {
    var number = 1
    while true {
      let hash = SHA256.hash(data: Array("\(number) \(destination.url)".utf8))
      let id = DestinationID(rawValue: "dest_config_\(Array(hash).hex.prefix(20))")
      if !taken.contains(id) { return id }
      number += 1
    }
  }

  // MARK: - The API's

  /// - Throws: `FairleadError`: `invalidRequest` saying what is wrong, `serviceUnavailable`.
  public func create(_ new: NewDestination) async throws -> CreatedDestination {
    try DestinationRules.check(new)
    let id = DestinationID(at: clock.now, random: random)
    let secret = StandardWebhooks.makeSecret(random: random)
    let sealed = try DestinationSecrets(secret).sealed(in: vault, for: id)
    let destination = make(new, id: id, isConfigured: false)
    try await mappingStorageErrors {
      try await self.database.write {
        try DestinationStore.upsert(destination, secrets: sealed, in: $0)
      }
    }
    return CreatedDestination(destination: destination, secret: secret)
  }

  /// Newest first.
  public func list(page: PageRequest = PageRequest()) async throws -> Page<Destination> {
    try await mappingStorageErrors {
      try await self.database.read { try DestinationStore.page(page, in: $0) }
    }
  }

  /// - Throws: `FairleadError`: `notFound`, `serviceUnavailable`.
  public func get(_ id: DestinationID) async throws -> Destination {
    let found = try await mappingStorageErrors {
      try await self.database.read { try DestinationStore.destination(id, in: $0) }
    }
    guard let found else { throw Self.notFound(id) }
    return found
  }

  /// - Throws: `FairleadError`: `notFound`, `invalidRequest`, `conflict` for one of the
  ///   configuration, `serviceUnavailable`.
  public func update(_ id: DestinationID, _ change: DestinationChange) async throws -> Destination {
    if let url = change.url { try DestinationRules.check(url: url) }
    if let types = change.types { try DestinationRules.check(types: types) }
    guard change.state != .disabled else {
      throw FairleadError(.invalidRequest, "A destination can be set to active or paused.")
    }
    return try await edit(id) { destination, now, connection in
      if let url = change.url { destination.url = url }
      if let integrations = change.integrations { destination.integrations = integrations }
      if let types = change.types { destination.types = types }
      if let state = change.state {
        destination.state = state
        destination.stateReason = nil
      }
      try DestinationStore.update(destination, at: now, in: connection)
    }
  }

  /// Makes a new signing secret. The old one goes on signing beside it for a day, so that the
  /// receiver can change over.
  /// - Throws: as `update`.
  public func rotateSecret(_ id: DestinationID) async throws -> CreatedDestination {
    let secret = StandardWebhooks.makeSecret(random: random)
    let vault = vault
    let destination = try await edit(id) { _, now, connection in
      let sealed = try DestinationStore.secrets(of: id, in: connection)
      var secrets: DestinationSecrets
      if let sealed {
        secrets = try DestinationSecrets(sealed: sealed, in: vault, for: id)
        secrets.rotate(to: secret, at: now)
      } else {
        secrets = DestinationSecrets(secret)
      }
      try DestinationStore.setSecrets(
        try secrets.sealed(in: vault, for: id), of: id, at: now, in: connection)
    }
    return CreatedDestination(destination: destination, secret: secret)
  }

  /// Deletes it; what was on its way there is cancelled when its turn comes.
  /// - Throws: as `update`.
  public func delete(_ id: DestinationID) async throws {
    _ = try await edit(id) { _, _, connection in
      try DestinationStore.delete(id, in: connection)
    }
  }

  private func edit(
    _ id: DestinationID,
    _ change: @escaping @Sendable (inout Destination, Timestamp, any SQLConnection) throws -> Void
  ) async throws -> Destination {
    let now = clock.now
    return try await mappingStorageErrors {
      try await self.database.write { connection in
        guard var destination = try DestinationStore.destination(id, in: connection) else {
          throw Self.notFound(id)
        }
        guard !destination.isConfigured else {
          throw FairleadError(
            .conflict, "This destination is set in the configuration. Change it there.")
        }
        try change(&destination, now, connection)
        return destination
      }
    }
  }

  // MARK: - For deliveries

  /// A destination as it is now, with the keys that sign for it.
  struct Route: Sendable {
    var destination: Destination
    var keys: [[UInt8]]
  }

  /// `nil` for one that was deleted.
  func route(to id: DestinationID) async throws -> Route? {
    let found = try await database.read { connection -> (Destination, [UInt8]?)? in
      guard let destination = try DestinationStore.destination(id, in: connection) else {
        return nil
      }
      return (destination, try DestinationStore.secrets(of: id, in: connection))
    }
    guard let (destination, sealed) = found else { return nil }
    let secrets =
      try sealed.map { try DestinationSecrets(sealed: $0, in: vault, for: id) }
      ?? configured.withLock { $0[id] }
    let keys = (secrets?.active(at: clock.now) ?? []).compactMap(StandardWebhooks.key(of:))
    return Route(destination: destination, keys: keys)
  }

  /// Switches a destination off that asked for it.
  func disable(_ id: DestinationID, reason: String, in connection: any SQLConnection) throws {
    guard
      var destination = try DestinationStore.destination(
        id, lock: database.dialect.forUpdate, in: connection)
    else { return }
    destination.state = .disabled
    destination.stateReason = reason
    try DestinationStore.update(destination, at: clock.now, in: connection)
  }

  private func make(_ new: NewDestination, id: DestinationID, isConfigured: Bool) -> Destination {
    Destination(
      id: id, url: new.url, integrations: new.integrations, types: new.types, owner: new.owner,
      state: .active, isConfigured: isConfigured, createdAt: clock.now)
  }

  private static func notFound(_ id: DestinationID) -> FairleadError {
    FairleadError(.notFound, "There is no destination \(id.rawValue.prefix(64)).")
  }
}
