/// What loads but would disappoint in use: advice, not errors.
public enum DefinitionLint {
  /// - Returns: warnings in the order of their lines; empty when there is nothing to say.
  /// - Throws: the problems of a definition that does not load.
  public static func warnings(
    yaml: String, file: String
  ) throws(DefinitionProblems) -> [FileProblem] {
    let loaded = try DefinitionLoader.read(yaml: yaml, file: file)
    let lint = LintRun(definition: loaded.definition, root: loaded.root, file: file)
    lint.general()
    lint.authorization()
    lint.policies()
    lint.webhook()
    lint.syncs()
    return lint.log.sorted
  }
}

private struct LintRun {
  let definition: ProviderDefinition
  let root: YAMLNode
  let log: ProblemLog

  init(definition: ProviderDefinition, root: YAMLNode, file: String) {
    self.definition = definition
    self.root = root
    log = ProblemLog(file: file)
  }

  /// Warns at the line of a key, or of the nearest mapping around it that is there.
  private func warn(_ path: String..., message: String) {
    var node = root
    var line = root.line
    for key in path {
      guard let entry = node.entry(key) else { break }
      line = entry.line
      node = entry.value
    }
    log.add(line: line, key: path.joined(separator: "."), message)
  }

  func general() {
    if definition.docs == nil {
      warn("docs", message: "is missing; operators look for the provider's documentation here.")
    }
    if definition.setup.isEmpty {
      warn("setup", message: "is missing; say what to do at the provider before connecting.")
    }
    if definition.verify == nil, definition.auth != .none {
      warn(
        "verify", message: "is missing, so a wrong credential is noticed at the first call only.")
    } else if definition.verify?.identityID == nil, definition.webhook?.connection != nil {
      warn(
        "verify", "identity",
        message: "has no `id`, but webhooks are matched to connections; they will not be.")
    }
    for (name, origin) in [("base_url", definition.baseURL)] where origin.hasPrefix("http://") {
      warn(name, message: "is http; that works on this machine only.")
    }
    for (name, origin) in definition.hosts.sorted(by: { $0.key < $1.key })
    where origin.hasPrefix("http://") {
      warn("hosts", name, message: "is http; that works on this machine only.")
    }
    for name in definition.params.keys.sorted() where !isUsed(param: name) {
      warn("params", name, message: "is used in no address and by no webhook; remove it.")
    }
  }

  private func isUsed(param: String) -> Bool {
    var texts = [definition.baseURL] + definition.hosts.values
    if case .oauth2Code(let oauth) = definition.auth {
      texts += [oauth.authorizeURL, oauth.tokenURL, oauth.revokeURL ?? ""]
    }
    return texts.contains { $0.contains("{\(param)}") }
      || definition.webhook?.connectionMatches == "params.\(param)"
  }

  func authorization() {
    guard case .oauth2Code(let oauth) = definition.auth else { return }
    if oauth.defaultScopes.isEmpty {
      warn("auth", "scopes", message: "has no `default`; most providers then grant nothing.")
    }
    if oauth.revokeURL == nil {
      warn(
        "auth", "revoke_url",
        message: "is missing, so disconnecting cannot end the grant at the provider.")
    }
    if oauth.pkce == .off, oauth.clientAuth == .none {
      warn("auth", "pkce", message: "is off for a client without a secret; write S256.")
    }
  }

  func policies() {
    if definition.errors.isEmpty {
      warn("errors", message: "is missing; only HTTP statuses tell failures apart then.")
    }
    for rule in definition.errors
    where rule.errorClass == .rateLimited && rule.effect == .unknown {
      warn(
        "errors",
        message: "a rule of class rate_limited has no `effect: none`, so writes are not repeated.")
    }
    if definition.limits.isEmpty, definition.limitHeaders == nil {
      warn(
        "limits",
        message: "is missing, and limit_headers too; the quota shows in refusals only.")
    }
    if definition.endpoints.isEmpty {
      warn("endpoints", message: "is missing, so latencies are not told apart by endpoint.")
    }
    guard !definition.limits.isEmpty, definition.limits.allSatisfy({ !$0.paths.isEmpty }) else {
      return
    }
    let limited = Set(definition.limits.flatMap(\.paths))
    for endpoint in definition.endpoints where !limited.contains(endpoint) {
      warn("endpoints", message: "\(endpoint) falls under none of the limits.")
    }
  }

  func syncs() {
    for (model, sync) in definition.syncs.sorted(by: { $0.key < $1.key }) {
      if sync.incremental == nil, sync.events == nil {
        warn(
          "syncs", model,
          message: "has neither `incremental` nor `events`; changes wait for full runs.")
      }
      if sync.pagination?.style == .page {
        warn(
          "syncs", model,
          message:
            "pages by number; an object deleted while the list is read makes it skip another.")
      }
      if sync.pagination == nil, sync.items != "." || sync.incremental != nil {
        warn("syncs", model, message: "has no `pagination`, so only the first page is read.")
      }
      if sync.events != nil, sync.updated == nil, sync.events?.time == nil {
        warn(
          "syncs", model,
          message: "says nowhere when an object changed; write `updated`, or `time` in `events`.")
      }
    }
  }

  func webhook() {
    guard let webhook = definition.webhook else { return }
    if webhook.eventID == nil, webhook.scheme != .channel {
      warn(
        "webhook", "event_id",
        message: "is missing; deliveries are told apart by their bodies alone.")
    }
    if webhook.eventType == nil {
      warn("webhook", "event_type", message: "is missing; handlers cannot choose their events.")
    }
    if webhook.scheme == .hmac, webhook.timestamped, !webhook.signed.contains("{timestamp}") {
      warn(
        "webhook", "signed",
        message: "holds no {timestamp}, so an old delivery can be replayed within the dedupe time.")
    }
    if let matches = webhook.connectionMatches, matches.hasPrefix("params."),
      definition.params[String(matches.dropFirst("params.".count))] == nil
    {
      warn("webhook", "connection", message: "matches \(matches), which `params` does not have.")
    }
  }
}
