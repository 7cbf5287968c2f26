/// Envelope encryption of everything secret. See docs/architecture.md for the format.
public final class Vault: Sendable {
}
