import Fairlead

extension StripeState {
  /// An unpaid first invoice ends a subscription after this.
  private static let incompleteLifetime: Int64 = 23 * 3_600

  /// Remembers when the subscription changes by itself.
  mutating func schedule(_ subscription: Object) {
    guard let due = Self.due(subscription) else { return }
    nextDue = min(nextDue ?? due, due)
  }

  private static func due(_ subscription: Object) -> Int64? {
    switch subscription["status"]?.string {
    case "canceled", "incomplete_expired": return nil
    case "incomplete": return (subscription["created"]?.int ?? 0) + incompleteLifetime
    default:
      return [
        subscription["cancel_at"]?.int, itemPeriods(subscription).min(),
        // A trial that is over does not come due again.
        subscription["status"]?.string == "trialing" ? subscription["trial_end"]?.int : nil,
      ].compactMap { $0 }.min()
    }
  }

  /// Lets the time that has passed take effect on subscriptions: ends, expiries, new periods.
  mutating func settleDue() {
    guard let due = nextDue, due <= now.seconds else { return }
    nextDue = nil
    for (id, subscription) in all(.subscription) {
      if let due = Self.due(subscription), due <= now.seconds { pass(id, subscription) }
      if let subscription = objects[.subscription]?[id] { schedule(subscription) }
    }
  }

  private mutating func pass(_ id: String, _ before: Object) {
    var subscription = before
    if subscription["status"]?.string == "incomplete" {
      subscription["status"] = "incomplete_expired"
      subscription["ended_at"] = .int(now.seconds)
    } else {
      if let end = subscription["cancel_at"]?.int, end <= now.seconds {
        return endSubscription(id, at: end)
      }
      if let end = subscription["trial_end"]?.int, end <= now.seconds,
        subscription["status"]?.string == "trialing"
      {
        subscription["status"] = "active"
      }
      subscription = withCurrentPeriods(subscription)
    }
    saveChange(
      .subscription, subscription, before: before, event: "customer.subscription.updated")
  }

  private mutating func withCurrentPeriods(_ subscription: Object) -> Object {
    var subscription = subscription
    var items: [Object] = []
    for value in subscription["items"]?[path: "data"]?.array ?? [] {
      guard var item = value.object else { continue }
      let recurring = item["price"]?[path: "recurring"] ?? .null
      var start = item["current_period_start"]?.int ?? 0
      var end = item["current_period_end"]?.int ?? 0
      // A century of days is the most the clock can be advanced.
      for _ in 0..<36_600 where end <= now.seconds {
        start = end
        end = Self.periodEnd(start, recurring)
      }
      item["current_period_start"] = .int(start)
      item["current_period_end"] = .int(end)
      save(.subscriptionItem, item)
      items.append(item)
    }
    var list = subscription["items"]?.object ?? [:]
    list["data"] = .array(items.map { .object($0) })
    subscription["items"] = .object(list)
    return subscription
  }
}
