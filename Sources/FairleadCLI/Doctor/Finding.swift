import Fairlead

/// What one check of `doctor` found.
struct Finding: Equatable {
  enum Verdict: String, CaseIterable { case ok, warn, fail, skip }

  /// Which check, for scripts: `vault.keys`.
  var check: String
  var verdict: Verdict
  /// What is so.
  var message: String
  /// What to do about it.
  var advice: String?

  init(_ check: String, _ verdict: Verdict, _ message: String, advice: String? = nil) {
    self.check = check
    self.verdict = verdict
    self.message = message
    self.advice = advice
  }

  static func ok(_ check: String, _ message: String) -> Finding { Finding(check, .ok, message) }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "check": .string(check), "status": .string(verdict.rawValue), "message": .string(message),
    ]
    if let advice { members["advice"] = .string(advice) }
    return .object(members)
  }
}

/// Everything that was found.
struct DoctorReport {
  var findings: [Finding] = []

  func count(_ verdict: Finding.Verdict) -> Int {
    findings.filter { $0.verdict == verdict }.count
  }

  var hasFailed: Bool { count(.fail) > 0 }

  var json: JSONValue {
    [
      "healthy": .bool(!hasFailed), "checks": .array(findings.map(\.json)),
    ]
  }

  /// One line that says how it went.
  var summary: String {
    func counted(_ verdict: Finding.Verdict, _ one: String, _ many: String) -> String? {
      let number = count(verdict)
      return number == 0 ? nil : "\(number) \(number == 1 ? one : many)"
    }
    let bad = [counted(.fail, "failure", "failures"), counted(.warn, "warning", "warnings")]
      .compactMap(\.self)
    let fine = "\(count(.ok)) \(count(.ok) == 1 ? "check" : "checks") passed"
    return (bad + [fine]).joined(separator: ", ") + "."
  }

  func show() {
    for finding in findings {
      let word = finding.verdict.rawValue
      let padding = String(repeating: " ", count: 5 - word.count)
      let shown = StatusWord.style(word).map { Console.styled(word, $0) } ?? word
      Console.line("\(shown)\(padding) \(finding.message.printable)")
      if let advice = finding.advice {
        Console.line("      " + Console.styled(advice.printable, .dim))
      }
    }
    Console.line()
    Console.line(Console.styled(summary, hasFailed ? .red : .bold))
  }
}
