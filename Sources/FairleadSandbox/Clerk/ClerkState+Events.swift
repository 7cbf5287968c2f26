import Fairlead

extension ClerkState {
  /// Notes that something happened, with the object as it is now.
  @discardableResult
  mutating func record(_ type: String, _ data: Object) -> OutgoingEvent {
    let id = "msg_" + random.alphanumeric(27)
    let body: JSONValue = [
      "object": "event", "type": .string(type), "data": .object(data),
      "timestamp": milliseconds, "instance_id": .string(instanceID),
      "event_attributes": [
        "http_request": ["client_ip": "127.0.0.1", "user_agent": "fairlead-sandbox"]
      ],
    ]
    let event = OutgoingEvent(id: id, type: type, body: body.bytes)
    events[id] = event
    return event
  }

  /// Events ordered by a control. What a type says happened is made true in the store, so that
  /// reading the user agrees with the event.
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let event = events[id] else {
        throw ControlError(.notFound, "Clerk has no event \"\(id)\".")
      }
      return [event]
    }
    var made: [OutgoingEvent] = []
    for (index, type) in order.typesToMake.enumerated() {
      self.now = now + .seconds(index)
      made.append(makeEvent(type, order.data))
    }
    return made
  }

  private mutating func makeEvent(_ type: String, _ data: Object) -> OutgoingEvent {
    let id = data["id"]?.string
    switch type {
    case "user.created", "user.updated":
      var user = id.flatMap { users[$0] } ?? specimen(data, recorded: false)
      user.merge(data) { _, given in given }
      user["email_address"] = nil
      user["updated_at"] = data["updated_at"] ?? milliseconds
      users[user["id"]?.string ?? ""] = user
      return record(type, user)
    case "user.deleted":
      let newest = users.newestFirst.first { _ in true }?.id
      let gone = id ?? newest ?? "user_" + random.alphanumeric(27)
      var deleted: Object = ["object": "user", "id": .string(gone), "deleted": true]
      if let external = users[gone]?["external_id"]?.string {
        deleted["external_id"] = .string(external)
      }
      endSessions(of: gone, as: "removed")
      users[gone] = nil
      return record(type, deleted)
    default:
      guard type.hasPrefix("session.") else { return record(type, data) }
      var session = id.flatMap { sessions[$0] } ?? blankSession(of: sessionOwner(data))
      session.merge(data) { _, given in given }
      let status = String(type.dropFirst("session.".count))
      session["status"] = .string(status == "created" ? "active" : status)
      sessions[session["id"]?.string ?? ""] = session
      return record(type, session)
    }
  }

  private mutating func sessionOwner(_ data: Object) -> String {
    if let owner = data["user_id"]?.string { return owner }
    let user = users.newestFirst.first { _ in true }?.value ?? specimen([:])
    return user["id"]?.string ?? ""
  }

  /// A new user. `email_address` in `data` is a shorthand for its only address.
  mutating func specimen(_ data: Object, recorded: Bool = true) -> Object {
    let number = users.count + 1
    let email = data["email_address"]?.string ?? "user\(number)@example.com"
    var user = blankUser(emails: [email])
    user["first_name"] = "Sandbox"
    user["last_name"] = .string("User \(number)")
    if let id = user["id"]?.string, recorded {
      users[id] = user
      record("user.created", user)
    }
    return user
  }
}
