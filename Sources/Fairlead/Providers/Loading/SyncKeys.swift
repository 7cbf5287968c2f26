/// The keys of `syncs:` in a definition.
enum SyncKey: String, YAMLKeySet {
  case path, host, params, query, pagination, items, id, updated, incremental, deleted, map
  case events, schedule, push
  case deletionGuard = "deletion_guard"
}

enum SyncIncrementalKey: String, YAMLKeySet { case style, param, next, drop, format, overlap }
enum SyncIncrementalStyle: String, CaseIterable { case token, since }
enum SyncDeletedKey: String, YAMLKeySet { case when, unless }
enum SyncFieldKey: String, YAMLKeySet { case path, cast }
enum SyncEventsKey: String, YAMLKeySet { case upsert, delete, data, id, time }
enum SyncScheduleKey: String, YAMLKeySet { case full, incremental }
