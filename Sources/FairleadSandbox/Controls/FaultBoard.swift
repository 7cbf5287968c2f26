import Fairlead
import Synchronization

/// The faults that are set, in the order they were set.
final class FaultBoard: Sendable {
  private struct Board {
    var faults: [Fault] = []
    var nextID = 1
  }

  /// What hits one request: a delay and at most one thing that goes wrong.
  struct Hit: Sendable {
    var slow: Fault?
    var fault: Fault?
  }

  static let limit = 1_000

  private let board = Mutex(Board())

  func newID() -> String {
    board.withLock { board in
      defer { board.nextID += 1 }
      return "fault_\(board.nextID)"
    }
  }

  func add(_ fault: Fault) throws(ControlError) {
    let added = board.withLock { board in
      guard board.faults.count < Self.limit else { return false }
      board.faults.append(fault)
      return true
    }
    guard added else {
      throw ControlError(.conflict, "There are \(Self.limit) faults already. Delete them first.")
    }
  }

  /// Uses up the first `slow` fault and the first other one that match.
  func take(_ provider: SandboxProvider, method: String, path: String) -> Hit {
    board.withLock { board in
      var hit = Hit()
      for index in board.faults.indices {
        let fault = board.faults[index]
        let isSlow = fault.kind == .slow
        guard isSlow ? hit.slow == nil : hit.fault == nil,
          fault.matches(provider, method: method, path: path)
        else { continue }
        board.faults[index].hits += 1
        if let remaining = fault.remaining { board.faults[index].remaining = remaining - 1 }
        if isSlow { hit.slow = fault } else { hit.fault = fault }
      }
      board.faults.removeAll { $0.remaining == 0 }
      return hit
    }
  }

  var all: [Fault] { board.withLock { $0.faults } }

  /// Removes every fault, or those of one provider. Returns how many it was.
  @discardableResult
  func clear(_ provider: SandboxProvider? = nil) -> Int {
    board.withLock { board in
      let before = board.faults.count
      board.faults.removeAll { provider == nil || $0.provider == provider }
      return before - board.faults.count
    }
  }

  func reset() {
    board.withLock { $0 = Board() }
  }
}
