/// How one integration is doing: one item of `GET /v1/health`.
public struct IntegrationHealth: Sendable, Equatable {
  /// Whether calls pass, are refused for a while, or are let through one by one to try.
  public enum Breaker: String, Sendable, Codable, CaseIterable {
    case closed, open
    case halfOpen = "half_open"
  }

  /// In milliseconds, without deliberate waits; `nil` without calls.
  public struct Latency: Sendable, Equatable {
    public var mean: Double?
    public var p50: Double?
    public var p95: Double?
    public var p99: Double?
  }

  /// Over 24 hours.
  public struct Webhooks: Sendable, Equatable {
    public var received: Int64
    public var rejected: Int64
    /// Part of `rejected`: signed with no secret of ours.
    public var forged: Int64
    public var processed: Int64
    public var failed: Int64
    public var dead: Int64
    public var recovered: Int64
    public var duplicates: Int64
  }

  /// The last five minutes.
  public struct Recent: Sendable, Equatable {
    public var calls: Int64
    public var failures: Int64
    /// Attempts that were answered with a 5xx.
    public var serverErrors: Int64
    /// Calls that were answered with a fallback.
    public var fallbacks: Int64
  }

  public var integration: IntegrationName
  public var status: HealthStatus
  /// For people.
  public var message: String
  /// All calls, those that say nothing about health included.
  public var calls: Int64
  public var failures: Int64
  /// Shares from 0 to 1 of the calls that succeeded or failed; `nil` when there were none.
  public var successRate: Double?
  public var errorRate: Double?
  public var latency: Latency
  public var lastSuccessAt: Timestamp?
  public var lastFailureAt: Timestamp?
  public var rateLimitHits: Int64
  public var waited: Duration
  public var webhooks: Webhooks
  public var breaker: Breaker
  public var recent: Recent
}

extension IntegrationHealth: Encodable {
  private enum CodingKeys: String, CodingKey {
    case integration, status, message
    case calls = "calls_24h"
    case failures = "failures_24h"
    case successRate = "success_rate_24h"
    case errorRate = "error_rate_24h"
    case latency = "latency_ms"
    case lastSuccessAt = "last_success_at"
    case lastFailureAt = "last_failure_at"
    case rateLimitHits = "rate_limit_hits"
    case waited = "waited_ms"
    case webhooks, breaker
    case recent = "last_5_minutes"
  }

  /// The shape of DESIGN section 3; what is unknown is `null`, never left out.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(integration, forKey: .integration)
    try container.encode(status, forKey: .status)
    try container.encode(message, forKey: .message)
    try container.encode(calls, forKey: .calls)
    try container.encode(failures, forKey: .failures)
    try container.encode(successRate, forKey: .successRate)
    try container.encode(errorRate, forKey: .errorRate)
    try container.encode(latency, forKey: .latency)
    try container.encode(lastSuccessAt, forKey: .lastSuccessAt)
    try container.encode(lastFailureAt, forKey: .lastFailureAt)
    try container.encode(rateLimitHits, forKey: .rateLimitHits)
    try container.encode(waited.milliseconds, forKey: .waited)
    try container.encode(webhooks, forKey: .webhooks)
    try container.encode(breaker, forKey: .breaker)
    try container.encode(recent, forKey: .recent)
  }
}

extension IntegrationHealth.Latency: Encodable {
  private enum CodingKeys: String, CodingKey { case mean, p50, p95, p99 }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(mean, forKey: .mean)
    try container.encode(p50, forKey: .p50)
    try container.encode(p95, forKey: .p95)
    try container.encode(p99, forKey: .p99)
  }
}

extension IntegrationHealth.Webhooks: Encodable {}

extension IntegrationHealth.Recent: Encodable {
  private enum CodingKeys: String, CodingKey {
    case calls, failures, fallbacks
    case serverErrors = "server_errors"
  }
}

/// One hour of an integration, for small charts.
public struct HealthPoint: Sendable, Equatable {
  /// The start of a whole hour, UTC.
  public var start: Timestamp
  public var calls: Int64
  public var failures: Int64
  /// Mean latency in milliseconds; `nil` without calls.
  public var meanLatency: Double?
}
