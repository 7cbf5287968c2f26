extension CallLog {
  /// What this process has counted since it started; register it with `MetricsRegistry.collect`.
  public func metricFamilies() -> [MetricFamily] {
    let tallies = tallies
    func labels(_ tally: IntegrationTally) -> [(name: String, value: String)] {
      [("integration", tally.integration.rawValue)]
    }
    func counter(
      _ name: String, _ help: String, _ value: (IntegrationTally) -> Double
    ) -> MetricFamily {
      MetricFamily(
        name, .counter, help: help,
        samples: tallies.map { .init(labels: labels($0), value: value($0)) })
    }

    var calls = MetricFamily(
      "fairlead_calls_total", .counter,
      help: "Logical calls to providers by source and by what they say about health.")
    var durations = MetricFamily(
      "fairlead_call_duration_seconds", .histogram,
      help: "Duration of logical calls in seconds, without deliberate waits.")
    for tally in tallies {
      for line in tally.totals.lines {
        calls.samples.append(
          .init(
            labels: labels(tally) + [("source", line.source), ("outcome", line.outcome.rawValue)],
            value: Double(line.count)))
      }
      durations.addHistogram(
        labels: labels(tally), bounds: CallTotals.bounds, counts: tally.totals.durations,
        sum: Double(tally.totals.latency) / 1_000_000)
    }
    let dropped = MetricFamily(
      "fairlead_call_log_dropped_total", .counter,
      help: "Call log entries dropped because storage could not keep up.",
      samples: [.init(value: Double(self.dropped))])

    return [
      calls, durations, dropped,
      counter("fairlead_call_attempts_total", "Requests sent to providers, retries included.") {
        Double($0.totals.counters.attempts)
      },
      counter("fairlead_call_server_errors_total", "Attempts that were answered with a 5xx.") {
        Double($0.totals.counters.serverErrors)
      },
      counter("fairlead_call_fallbacks_total", "Calls that were answered with a fallback.") {
        Double($0.totals.counters.fallbacks)
      },
      counter("fairlead_rate_limit_hits_total", "How often a rate limit held a call back.") {
        Double($0.totals.counters.rateLimitHits)
      },
      counter(
        "fairlead_rate_limit_waits_seconds_total", "Time that calls waited on purpose, in seconds."
      ) { Double($0.totals.counters.waited) / 1_000_000 },
      counter("fairlead_webhooks_received_total", "Webhooks that arrived.") {
        Double($0.totals.counters.webhooksReceived)
      },
      counter("fairlead_webhooks_rejected_total", "Webhooks that were refused.") {
        Double($0.totals.counters.webhooksRejected)
      },
      counter("fairlead_webhooks_forged_total", "Webhooks refused for a forged signature.") {
        Double($0.totals.counters.webhooksForged)
      },
      counter("fairlead_webhooks_processed_total", "Webhook events that are through.") {
        Double($0.totals.counters.webhooksProcessed)
      },
      counter("fairlead_webhooks_failed_total", "Failed attempts at processing an event.") {
        Double($0.totals.counters.webhooksFailed)
      },
      counter("fairlead_webhooks_dead_total", "Webhook events that were given up.") {
        Double($0.totals.counters.webhooksDead)
      },
      counter("fairlead_webhooks_recovered_total", "Missed events fetched from the provider.") {
        Double($0.totals.counters.webhooksRecovered)
      },
      counter("fairlead_webhooks_duplicate_total", "Webhook events that came again.") {
        Double($0.totals.counters.webhooksDuplicate)
      },
    ]
  }
}
