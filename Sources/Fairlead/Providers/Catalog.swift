/// The definitions embedded in the binary.
enum Catalog {
  static let files: [(name: String, bytes: [UInt8])] = [
    ("clerk.yaml", PackageResources.clerk_yaml),
    ("github.yaml", PackageResources.github_yaml),
    ("google.yaml", PackageResources.google_yaml),
    ("openai.yaml", PackageResources.openai_yaml),
    ("slack.yaml", PackageResources.slack_yaml),
    ("stripe.yaml", PackageResources.stripe_yaml),
  ]
}
