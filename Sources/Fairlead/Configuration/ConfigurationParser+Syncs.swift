/// The keys of `syncs:` in `fairlead.yaml`, below integration and model.
enum SyncOverrideKey: String, YAMLKeySet {
  case enabled, full, incremental, params
  case deletionGuard = "deletion_guard"
}

extension ConfigurationParser {
  func syncs(_ reader: YAMLReader?, _ configuration: inout FairleadConfiguration) {
    for (integration, line, models) in reader?.entries() ?? [] {
      guard DefinitionParser.isName(integration) else {
        models.report(DefinitionParser.nameRule, line: line)
        continue
      }
      for (model, line, value) in models.entries() ?? [] {
        guard DefinitionParser.isName(model) else {
          value.report(DefinitionParser.nameRule, line: line)
          continue
        }
        configuration.syncs.models[IntegrationName(integration), default: [:]][model] =
          override(value)
      }
    }
  }

  private func override(_ reader: YAMLReader) -> SyncSettings.Model? {
    guard let mapping = YAMLMapping<SyncOverrideKey>(reader) else { return nil }
    var model = SyncSettings.Model()
    model.isEnabled = mapping[.enabled]?.bool() ?? true
    model.full = mapping[.full]?.cron()
    model.incremental = mapping[.incremental]?.cron()
    for (key, _, value) in mapping[.params]?.entries(max: 50) ?? [] {
      model.params[key] = value.setting(SettingRules.text)
    }
    model.deletionGuard = mapping[.deletionGuard]?.share()
    return model
  }
}

extension FairleadConfiguration {
  /// What is said of syncs that no integration has, and models that two of them would fill.
  func syncFaults(_ integrations: [Integration]) -> [String] {
    var faults: [String] = []
    for (name, models) in syncs.models.sorted(by: { $0.key < $1.key }) {
      guard let integration = integrations.first(where: { $0.name == name }) else {
        faults.append("syncs.\(name): there is no integration named \(name).")
        continue
      }
      let known = integration.definition.syncs
      // Models may also be registered in Swift; a definition's own names are certain to be meant.
      for model in models.keys.sorted() where known[model] == nil && !known.isEmpty {
        let names = known.keys.sorted().joined(separator: ", ")
        faults.append("syncs.\(name).\(model): there is no such model; known: \(names).")
      }
      for (model, settings) in models.sorted(by: { $0.key < $1.key }) {
        for param in settings.params.keys.sorted()
        where known[model].map({ $0.params[param] == nil }) ?? false {
          faults.append("syncs.\(name).\(model).params.\(param): the sync has no such param.")
        }
      }
    }
    var owners: [String: IntegrationName] = [:]
    for integration in integrations {
      for model in integration.definition.syncs.keys.sorted()
      where syncs[integration.name, model].isEnabled {
        if let other = owners[model] {
          faults.append(
            "The model \(model) would be filled by \(other) and by \(integration.name). Switch one "
              + "off: syncs: { \(integration.name): { \(model): { enabled: false } } }.")
        }
        owners[model] = integration.name
      }
    }
    return faults
  }
}
