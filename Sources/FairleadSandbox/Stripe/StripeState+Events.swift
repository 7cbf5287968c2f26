import Fairlead

extension StripeState {
  /// Notes that something happened, with the object as it is now.
  @discardableResult
  mutating func record(_ type: String, _ object: Object, before: Object? = nil) -> Object {
    var event = base(.event)
    event["metadata"] = nil
    event["type"] = .string(type)
    event["api_version"] = .string(StripeVersion.current.text)
    event["pending_webhooks"] = 0
    event["request"] = [
      "id": requestID.isEmpty ? .null : .string(requestID),
      "idempotency_key": idempotencyKey.map { .string($0) } ?? .null,
    ]
    var data: Object = ["object": shown(object)]
    if let before {
      let changed = before.filter { $0.value != object[$0.key] && $0.key.first != Self.hidden }
      let added = object.keys.filter { before[$0] == nil && $0.first != Self.hidden }
      data["previous_attributes"] = .object(
        changed.merging(added.map { ($0, JSONValue.null) }) { old, _ in old })
    }
    event["data"] = .object(data)
    save(.event, event)
    return event
  }

  private func shown(_ object: Object) -> JSONValue {
    // Without expansions nothing can be refused.
    (try? present(.object(object), expand: [], .current)) ?? .object(object)
  }

  /// Saves a changed object and notes the change, when there is one.
  mutating func saveChange(
    _ kind: StripeKind, _ object: Object, before: Object, event: String
  ) {
    save(kind, object)
    if object != before { record(event, object, before: before) }
  }
}
