import Synchronization

/// The Swift handlers of this process.
final class HandlerRegistry: Sendable {
  private struct Entry {
    let name: String
    let integration: IntegrationName
    let pattern: EventTypePattern
    let handler: EventHandler
  }

  private let entries = Mutex<[Entry]>([])

  /// Adds a handler. A name that is taken gets a number, in the order of registration.
  func add(
    _ pattern: EventTypePattern, from integration: IntegrationName, name: String?,
    handler: @escaping EventHandler
  ) {
    entries.withLock { entries in
      let wanted = name ?? "\(integration)/\(pattern.text)"
      var free = wanted
      var number = 2
      while entries.contains(where: { $0.name == free }) {
        free = "\(wanted)#\(number)"
        number += 1
      }
      entries.append(
        Entry(name: free, integration: integration, pattern: pattern, handler: handler))
    }
  }

  /// Names of the handlers that want events of `type`, in the order of registration.
  func names(for type: String, from integration: IntegrationName) -> [String] {
    entries.withLock { entries in
      entries.filter { $0.integration == integration && $0.pattern.matches(type) }.map(\.name)
    }
  }

  func handler(named name: String) -> EventHandler? {
    entries.withLock { entries in entries.first { $0.name == name }?.handler }
  }
}
