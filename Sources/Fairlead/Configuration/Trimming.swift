extension StringProtocol {
  /// The text without leading and trailing characters that `condition` accepts.
  func trimming(while condition: (Character) -> Bool) -> String {
    var rest = self[...]
    while let first = rest.first, condition(first) { rest.removeFirst() }
    while let last = rest.last, condition(last) { rest.removeLast() }
    return String(rest)
  }
}
