extension Fairlead {
  /// Lets the events that a definition calls `owner_deleted` end what was connected for the owner.
  ///
  /// It is a handler like any other: it is tried again until it succeeded, and its deliveries show.
  func handleDeletedOwners() {
    for integration in integrations.all {
      guard let deletion = integration.definition.webhook?.ownerDeleted else { continue }
      let name = integration.definition.displayName
      for type in deletion.events {
        inbox.on(
          type, from: integration.name, name: "fairlead/owner-deleted/\(integration.name)/\(type)"
        ) { [connections] _, context in
          guard let owner = try deletion.owner(in: context) else {
            throw EventHandlerError.permanent("the event names no owner")
          }
          try await connections.revokeAll(
            of: owner, reason: "\(name) says that this account was deleted.")
        }
      }
    }
  }
}

extension ProviderDefinition.OwnerDeletion {
  /// The owner an event is about; `nil` when it names none that could be one.
  func owner(in context: EventContext) throws -> Owner? {
    let text: String?
    switch owner {
    case .header(let name):
      text = context.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    case .body(let path): text = try context.json()[path: path]?.scalarText
    }
    // Text that is no owner names nobody.
    return text.flatMap { try? Owner($0).validated() }
  }
}
