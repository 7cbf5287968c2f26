/// The keys of `push:` in a sync of a definition.
enum PushKey: String, YAMLKeySet { case watch, stop, resource, expires, lifetime }
enum PushRequestKey: String, YAMLKeySet { case method, path, body }
