import Fairlead

/// One workspace: its people, its channels and what was posted there.
struct SlackWorkspace: Sendable {
  struct Channel: Sendable {
    var id: String
    var name: String
    var isPrivate = false
    var isArchived = false
    /// Whether the app's bot is in it. The installing user is in every channel.
    var hasBot = true
    var created: Int64
    var messages = BoundedStore<JSONValue>(
      capacity: 10_000, weightLimit: 8 << 20, weigh: \.weight)
  }

  var id: String
  var name: String
  var userID: String
  var botUserID: String
  var botID: String
  /// In the order they are listed.
  var channels: [Channel]
  /// Microseconds of the last `ts` given, so that each is given once.
  private var lastStamp: Int64 = 0

  init(id: String, name: String, random: RandomSource) {
    self.id = id
    self.name = name
    userID = "U" + random.capitals(10)
    botUserID = "U" + random.capitals(10)
    botID = "B" + random.capitals(10)
    channels = []
    let created: Int64 = 1_700_000_000
    for (name, isPrivate, isArchived, hasBot) in Self.seededChannels {
      channels.append(
        Channel(
          id: "C" + random.capitals(10), name: name, isPrivate: isPrivate, isArchived: isArchived,
          hasBot: hasBot, created: created + Int64(channels.count)))
    }
  }

  private static let seededChannels = [
    ("general", false, false, true), ("random", false, false, true),
    ("engineering", false, false, true), ("support", false, false, true),
    ("incidents", false, false, true), ("design", false, false, false),
    ("marketing", false, false, false), ("launch-2024", false, true, true),
    ("finance", true, false, true), ("founders", true, false, false),
  ]

  /// By id, by name or by `#name`.
  func channelIndex(_ reference: String) -> Int? {
    let name = reference.hasPrefix("#") ? String(reference.dropFirst()) : reference
    return channels.firstIndex { $0.id == reference || $0.name == name }
  }

  /// A message id that no other message of the workspace has: `seconds.microseconds`.
  mutating func stamp(_ now: Timestamp) -> String {
    lastStamp = max(now.microseconds, lastStamp + 1)
    let fraction = String(lastStamp % 1_000_000)
    let padding = String(repeating: "0", count: max(0, 6 - fraction.utf8.count))
    return "\(lastStamp / 1_000_000).\(padding)\(fraction)"
  }
}

extension SlackWorkspace.Channel {
  func json(forUser isUser: Bool, team: String, creator: String) -> JSONValue {
    [
      "id": .string(id), "name": .string(name), "name_normalized": .string(name),
      "is_channel": .bool(!isPrivate), "is_group": .bool(isPrivate), "is_im": false,
      "is_mpim": false, "is_private": .bool(isPrivate), "is_archived": .bool(isArchived),
      "is_general": .bool(name == "general"), "is_member": .bool(isUser || hasBot),
      "is_shared": false, "is_org_shared": false, "is_ext_shared": false,
      "created": .int(created), "creator": .string(creator), "context_team_id": .string(team),
      "topic": ["value": "", "creator": "", "last_set": 0],
      "purpose": ["value": "", "creator": "", "last_set": 0], "num_members": .int(hasBot ? 2 : 1),
    ]
  }
}
