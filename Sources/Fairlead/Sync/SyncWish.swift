/// A run that was asked for and has not begun.
struct SyncWish: Sendable, Hashable, Codable {
  /// `nil`: incremental where there is a checkpoint.
  var kind: SyncRunKind?
  var trigger: SyncTrigger
  /// It may delete whatever it does not see.
  var force = false
  /// Everything stored goes first.
  var clear = false

  init(_ kind: SyncRunKind?, _ trigger: SyncTrigger, force: Bool = false, clear: Bool = false) {
    self.kind = kind
    self.trigger = trigger
    self.force = force
    self.clear = clear
  }

  /// One run that serves both wishes.
  func merged(with other: SyncWish) -> SyncWish {
    let kind: SyncRunKind? = self.kind == .full || other.kind == .full ? .full : other.kind ?? kind
    // A person who waits for it is told so.
    let trigger = self.trigger == .manual ? .manual : other.trigger
    return SyncWish(
      kind, trigger, force: force || other.force, clear: clear || other.clear)
  }
}
