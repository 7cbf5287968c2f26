import Synchronization

/// How much retrying one owner may do at one integration, so that retries never turn an outage into
/// a storm: the token bucket of AWS's standard mode (500 tokens; a retry costs 14, after a throttle
/// 5; successes earn them back), and at most 20 % of the calls in flight retrying at once, though
/// always three.
struct RetryBudget: Sendable, Equatable {
  static let capacity = 500
  static let retryCost = 14
  static let throttleCost = 5

  private(set) var tokens = capacity
  private(set) var active = 0
  private(set) var retrying = 0

  mutating func begin() { active += 1 }

  /// - Parameter isRetrying: whether the call is counted among the retrying already.
  mutating func take(cost: Int, isRetrying: Bool) -> Bool {
    guard tokens >= cost else { return false }
    if !isRetrying {
      guard retrying < max(3, active / 5) else { return false }
      retrying += 1
    }
    tokens -= cost
    return true
  }

  /// - Parameter lastCost: what the call's last retry cost; `nil` when it took none.
  mutating func end(succeeded: Bool, lastCost: Int?) {
    active -= 1
    if lastCost != nil { retrying -= 1 }
    if succeeded { tokens = min(Self.capacity, tokens + (lastCost ?? 1)) }
  }

  var isFresh: Bool { active == 0 && tokens == Self.capacity }
}

/// The budgets of one integration, by owner.
final class RetryBudgets: Sendable {
  private static let sweepAbove = 4_096
  private let budgets = Mutex<[String: RetryBudget]>([:])

  func begin(owner: String) {
    budgets.withLock { budgets in
      if budgets.count >= Self.sweepAbove { budgets = budgets.filter { !$0.value.isFresh } }
      budgets[owner, default: RetryBudget()].begin()
    }
  }

  func take(cost: Int, isRetrying: Bool, owner: String) -> Bool {
    budgets.withLock {
      $0[owner, default: RetryBudget()].take(cost: cost, isRetrying: isRetrying)
    }
  }

  func end(owner: String, succeeded: Bool, lastCost: Int?) {
    budgets.withLock {
      $0[owner, default: RetryBudget()].end(succeeded: succeeded, lastCost: lastCost)
    }
  }
}
