import Fairlead

extension ClerkState {
  private static let statuses: Set<String> = [
    "active", "revoked", "ended", "expired", "removed", "abandoned", "replaced", "pending",
  ]

  /// With its status as it is now: a session ends by itself.
  func session(_ id: String) throws(ClerkError) -> Object {
    guard let session = sessions[id] else { throw .notFound("session", id) }
    return current(session)
  }

  private func current(_ session: Object) -> Object {
    guard session["status"] == "active", let end = session["expire_at"]?.int,
      now.microseconds / 1_000 >= end
    else { return session }
    var session = session
    session["status"] = "expired"
    return session
  }

  func listSessions(_ request: SimulatedRequest) throws(ClerkError) -> [JSONValue] {
    let query = try ClerkQuery(request)
    guard query["user_id"] != nil || query["client_id"] != nil else {
      throw ClerkError(
        status: 422, code: "form_param_missing", message: "is missing",
        longMessage: "Name a user_id or a client_id.", parameter: "user_id")
    }
    if let status = query["status"], !Self.statuses.contains(status) {
      throw .wrongType("status", "a session's status")
    }
    let found = sessions.newestFirst.map { current($0.value) }.filter { session in
      ["user_id", "client_id", "status"].allSatisfy { name in
        query[name].map { session[name]?.string == $0 } ?? true
      }
    }
    return try query.page(found)
  }

  mutating func createSession(_ request: SimulatedRequest) throws(ClerkError) -> Object {
    let body = try ClerkBody(request, allowed: ["user_id", "active_organization_id"])
    guard let id = try body.text("user_id") else {
      throw .invalid("user_id", "is missing", code: "form_param_missing")
    }
    return begin(try user(id))
  }

  /// Signs a user in.
  mutating func begin(_ user: Object) -> Object {
    let id = user["id"]?.string ?? ""
    let session = blankSession(of: id)
    sessions[session["id"]?.string ?? ""] = session
    var user = user
    user["last_sign_in_at"] = milliseconds
    user["last_active_at"] = milliseconds
    users[id] = user
    record("session.created", session)
    return session
  }

  mutating func revokeSession(_ id: String) throws(ClerkError) -> Object {
    var session = try session(id)
    session["status"] = "revoked"
    session["updated_at"] = milliseconds
    sessions[id] = session
    record("session.revoked", session)
    return session
  }

  mutating func endSessions(of user: String, as status: String) {
    for (id, session) in Array(sessions.oldestFirst)
    where session["user_id"]?.string == user && session["status"] == "active" {
      var session = session
      session["status"] = .string(status)
      session["updated_at"] = milliseconds
      sessions[id] = session
    }
  }

  /// The user's newest active session; a new one where there is none.
  mutating func activeSession(of user: Object) -> Object {
    let id = user["id"]
    let found = sessions.newestFirst.first {
      $0.value["user_id"] == id && current($0.value)["status"] == "active"
    }
    return found?.value ?? begin(user)
  }

  mutating func createToken(
    _ id: String, _ request: SimulatedRequest
  ) throws(ClerkError) -> JSONValue {
    let body = try ClerkBody(request, allowed: ["expires_in_seconds"])
    let lifetime = try body.number("expires_in_seconds", in: 30...315_360_000) ?? 60
    let session = try session(id)
    guard session["status"] == "active", let owner = session["user_id"]?.string,
      let user = users[owner]
    else {
      throw ClerkError(
        status: 422, code: "session_not_active", message: "The session is not active.")
    }
    let claims = claims(of: user, session: session, issuer: origin, lifetime: lifetime)
    return ["object": "token", "jwt": .string(currentKey().token(claims))]
  }
}
