import Fairlead

extension ClerkState {
  private static let writable: Set<String> = [
    "external_id", "first_name", "last_name", "locale", "username", "public_metadata",
    "private_metadata", "unsafe_metadata", "delete_self_enabled", "create_organization_enabled",
  ]
  /// Accepted and without effect here.
  private static let inert: Set<String> = [
    "password", "password_digest", "password_hasher", "skip_password_checks",
    "skip_password_requirement", "skip_legal_checks", "skip_user_requirement", "legal_accepted_at",
    "notify_primary_email_address_changed", "create_organizations_limit", "bypass_client_trust",
    "sign_out_of_other_sessions",
  ]
  static let metadata = ["public_metadata", "private_metadata", "unsafe_metadata"]

  func user(_ id: String) throws(ClerkError) -> Object {
    guard let user = users[id] else { throw .notFound("user", id) }
    return user
  }

  mutating func createUser(_ request: SimulatedRequest) throws(ClerkError) -> Object {
    let body = try ClerkBody(
      request,
      allowed: Self.writable.union(Self.inert).union(["email_address", "phone_number"]))
    let emails = try body.texts("email_address")
    let phones = try body.texts("phone_number")
    guard !emails.isEmpty || !phones.isEmpty || body.has("username") || body.has("external_id")
    else {
      throw ClerkError(
        status: 422, code: "form_data_missing", message: "missing data",
        longMessage: "A user needs an email address, a phone number or a user name.")
    }
    for email in emails {
      guard email.contains("@"), !email.hasPrefix("@"), !email.hasSuffix("@") else {
        throw .invalid("email_address", "is invalid", code: "form_param_format_invalid")
      }
      guard userID(email: email) == nil else {
        throw .invalid(
          "email_address", "That email address is taken. Please try another.",
          code: "form_identifier_exists")
      }
    }
    var user = blankUser(emails: emails, phones: phones)
    if body.has("password") || body.has("password_digest") { user["password_enabled"] = true }
    try write(body, to: &user)
    save(user, "user.created")
    return user
  }

  mutating func updateUser(
    _ id: String, _ request: SimulatedRequest
  ) throws(ClerkError) -> Object {
    var user = try user(id)
    try countPatch(id)
    let body = try ClerkBody(
      request,
      allowed: Self.writable.union(Self.inert).union(["primary_email_address_id"]))
    if let primary = try body.text("primary_email_address_id") {
      let owned = user["email_addresses"]?.array?.contains { $0["id"]?.string == primary } ?? false
      guard owned else { throw .notFound("email address", primary) }
      user["primary_email_address_id"] = .string(primary)
    }
    try write(body, to: &user)
    user["updated_at"] = milliseconds
    save(user, "user.updated")
    return user
  }

  /// Merges, member by member; null removes one.
  mutating func updateMetadata(
    _ id: String, _ request: SimulatedRequest
  ) throws(ClerkError) -> Object {
    var user = try user(id)
    try countPatch(id)
    let body = try ClerkBody(request, allowed: Set(Self.metadata))
    for name in Self.metadata {
      guard let changes = try body.object(name) else { continue }
      user[name] = .object(Self.merged(user[name]?.object ?? [:], changes))
    }
    user["updated_at"] = milliseconds
    save(user, "user.updated")
    return user
  }

  mutating func setBanned(_ id: String, _ banned: Bool) throws(ClerkError) -> Object {
    var user = try user(id)
    user["banned"] = .bool(banned)
    user["updated_at"] = milliseconds
    if banned { endSessions(of: id, as: "revoked") }
    save(user, "user.updated")
    return user
  }

  mutating func deleteUser(_ id: String) throws(ClerkError) -> Object {
    _ = try user(id)
    return remove(id)
  }

  /// Forgets a user, its sessions too, and returns what Clerk says of it.
  mutating func remove(_ id: String) -> Object {
    var deleted: Object = ["object": "user", "id": .string(id), "deleted": true]
    if let external = users[id]?["external_id"]?.string {
      deleted["external_id"] = .string(external)
    }
    endSessions(of: id, as: "removed")
    users[id] = nil
    record("user.deleted", deleted)
    return deleted
  }

  mutating func save(_ user: Object, _ event: String) {
    guard let id = user["id"]?.string else { return }
    users[id] = user
    record(event, user)
  }

  func userID(email: String) -> String? {
    users.oldestFirst.first { item in
      item.value["email_addresses"]?.array?.contains {
        $0["email_address"]?.string?.lowercased() == email.lowercased()
      } ?? false
    }?.id
  }

  private mutating func countPatch(_ id: String) throws(ClerkError) {
    var limit = patchLimits[id] ?? ClerkRateLimit(limit: Self.patchesPerWindow)
    let wait = limit.take(now: now)
    patchLimits[id] = limit
    if let wait { throw Self.limited(wait) }
  }

  private func write(_ body: ClerkBody, to user: inout Object) throws(ClerkError) {
    for name in ["external_id", "first_name", "last_name", "locale", "username"]
    where body.has(name) {
      user[name] = try body.text(name).map { .string($0) } ?? .null
    }
    for name in Self.metadata {
      if let object = try body.object(name) { user[name] = .object(object) }
    }
    for name in ["delete_self_enabled", "create_organization_enabled"] {
      guard let value = body.members[name], value != .null else { continue }
      guard value.bool != nil else { throw .wrongType(name, "true or false") }
      user[name] = value
    }
  }

  private static func merged(_ old: Object, _ changes: Object) -> Object {
    var result = old
    for (name, value) in changes {
      switch (result[name], value) {
      case (_, .null): result[name] = nil
      case (.object(let before)?, .object(let after)):
        result[name] = .object(merged(before, after))
      default: result[name] = value
      }
    }
    return result
  }
}
