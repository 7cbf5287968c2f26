import Fairlead

extension StripeState {
  /// Members with this prefix are stored but shown only when they are expanded.
  static let hidden: Character = "~"
  private static let expandDepth = 4

  /// An object or a list as the version shows it, with what was asked to be expanded.
  func present(
    _ value: JSONValue, expand paths: [String], _ version: StripeVersion
  ) throws(StripeError) -> JSONValue {
    var shown = render(value, version)
    guard paths.count <= 50 else { throw .invalid("Too many expansions.", param: "expand") }
    for path in paths {
      let steps = path.split(separator: ".").map(String.init)
      guard !steps.isEmpty, steps.count <= Self.expandDepth + 1 else {
        throw .invalid("You can expand at most \(Self.expandDepth) levels.", param: "expand")
      }
      shown = try expanded(shown, steps[...], path: path, version)
    }
    return Self.withoutHidden(shown)
  }

  private func expanded(
    _ value: JSONValue, _ steps: ArraySlice<String>, path: String, _ version: StripeVersion
  ) throws(StripeError) -> JSONValue {
    guard let step = steps.first else { return value }
    if case .array(let elements) = value {
      var shown: [JSONValue] = []
      for element in elements {
        shown.append(try expanded(element, steps, path: path, version))
      }
      return .array(shown)
    }
    guard case .object(var members) = value else { return value }
    let refusal = StripeError.invalid(
      "This property cannot be expanded (\(path.prefix(200))).", param: "expand[]")
    if let included = members["\(Self.hidden)\(step)"] {
      members[step] = included
    }
    guard let member = members[step] else { throw refusal }
    switch member {
    case .null: break
    case .string(let id):
      guard let object = anything(id) else { throw refusal }
      members[step] = try expanded(
        render(.object(object), version), steps.dropFirst(), path: path, version)
    case .object, .array:
      members[step] = try expanded(member, steps.dropFirst(), path: path, version)
    default: throw refusal
    }
    return .object(members)
  }

  private static func withoutHidden(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      .object(members.filter { $0.key.first != hidden }.mapValues(withoutHidden))
    case .array(let elements): .array(elements.map(withoutHidden))
    default: value
    }
  }

  /// The shape a version gives an object.
  func render(_ value: JSONValue, _ version: StripeVersion) -> JSONValue {
    if let elements = value.array { return .array(elements.map { render($0, version) }) }
    guard var members = value.object else { return value }
    if members["object"]?.string == "list", let data = members["data"] {
      members["data"] = render(data, version)
    }
    if members["object"]?.string == "customer", members["deleted"]?.bool == true {
      return [
        "id": members["id"] ?? .null, "object": "customer", "deleted": true,
      ]
    }
    guard !version.hasItemPeriods else {
      members["\(Self.hidden)payment_intent"] = nil
      return .object(members)
    }
    switch members["object"]?.string {
    case "subscription": renderOldSubscription(&members)
    case "invoice": renderOldInvoice(&members)
    default: break
    }
    return .object(members)
  }

  /// Before 2025-03-31 the period is the subscription's.
  private func renderOldSubscription(_ members: inout Object) {
    guard var items = members["items"]?.object, let data = items["data"]?.array else { return }
    members["current_period_start"] = data.first?["current_period_start"] ?? .null
    members["current_period_end"] = data.first?["current_period_end"] ?? .null
    items["data"] = .array(
      data.map { item in
        .object(
          (item.object ?? [:]).filter { !$0.key.hasPrefix("current_period_") })
      })
    members["items"] = .object(items)
  }

  private func renderOldInvoice(_ members: inout Object) {
    members["payment_intent"] = members["\(Self.hidden)payment_intent"] ?? .null
    members["subscription"] = members["parent"]?[path: "subscription_details.subscription"] ?? .null
    members["paid"] = .bool(members["status"]?.string == "paid")
    members["parent"] = nil
    members["\(Self.hidden)confirmation_secret"] = nil
  }
}
