import Fairlead

struct GitHubUser: Sendable {
  var id: Int64
  var login: String
  var name: String
}

struct GitHubComment: Sendable {
  var id: Int64
  var login: String
  var body: String
  var created: Timestamp
  var updated: Timestamp
}

struct GitHubIssue: Sendable {
  var id: Int64
  var number: Int
  var title: String
  var body: String?
  var login: String
  var labels: [String] = []
  var assignees: [String] = []
  /// `nil` while it is open.
  var closed: Timestamp?
  var stateReason: String?
  var created: Timestamp
  var updated: Timestamp
  var comments: [GitHubComment] = []

  var weight: Int {
    comments.reduce(300 + title.utf8.count + (body?.utf8.count ?? 0)) {
      $0 + 150 + $1.body.utf8.count
    }
  }
}

struct GitHubRepository: Sendable {
  var id: Int64
  var owner: String
  var name: String
  var description: String?
  var isPrivate = false
  var created: Timestamp
  var updated: Timestamp
  var labels: [String] = ["bug", "documentation", "enhancement"]
  var nextNumber = 1
  /// By number.
  var issues = BoundedStore<GitHubIssue>(capacity: 10_000, weightLimit: 8 << 20, weigh: \.weight)

  var fullName: String { "\(owner)/\(name)" }
}

extension Timestamp {
  /// As GitHub writes times: without a fraction.
  var githubText: JSONValue {
    .string(Timestamp(seconds: seconds).rfc3339.replacing(".000", with: ""))
  }
}
