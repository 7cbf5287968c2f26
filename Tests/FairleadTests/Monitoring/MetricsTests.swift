import Fairlead
import FairleadTesting
import Testing

@Suite struct MetricsTests {
  @Test func eachKindIsRenderedAsPrometheusText() {
    let registry = MetricsRegistry()
    registry.counter("a_total", help: "Line one\nand \\ two", labels: ["kind"])
      .add(2, "a \"quoted\" \\ value\nwith a break")
    registry.gauge("b", help: "A gauge").set(-1.5)
    let histogram = registry.histogram(
      "c_seconds", help: "A histogram", labels: ["integration"], bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value, "slack") }
    #expect(
      registry.render() == #"""
        # HELP a_total Line one\nand \\ two
        # TYPE a_total counter
        a_total{kind="a \"quoted\" \\ value\nwith a break"} 2
        # HELP b A gauge
        # TYPE b gauge
        b -1.5
        # HELP c_seconds A histogram
        # TYPE c_seconds histogram
        c_seconds_bucket{integration="slack",le="0.1"} 2
        c_seconds_bucket{integration="slack",le="1"} 3
        c_seconds_bucket{integration="slack",le="+Inf"} 4
        c_seconds_sum{integration="slack"} 7.65
        c_seconds_count{integration="slack"} 4

        """#)
  }

  @Test func aCounterNeverGoesDown() {
    let registry = MetricsRegistry()
    let counter = registry.counter("a_total", help: "A")
    counter.add(3)
    counter.add(-2)
    counter.add(.nan)
    #expect(registry.render().contains("a_total 3\n"))
  }

  @Test func theNumberOfSeriesIsBounded() {
    let registry = MetricsRegistry()
    let counter = registry.counter("a_total", help: "A", labels: ["integration"])
    for index in 0..<5_000 { counter.add(1, "i\(index)") }
    let lines = registry.render().split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(lines.count == 501)
    #expect(lines.contains("a_total{integration=\"other\"} 4500"))
  }

  @Test func aNameIsOneMetricHoweverOftenItIsAskedFor() {
    let registry = MetricsRegistry()
    registry.counter("a_total", help: "A").add()
    registry.counter("a_total", help: "A").add()
    registry.gauge("a_total", help: "Another kind").set(7)
    #expect(registry.render().components("a_total 2") == 1)
    #expect(registry.render().components("TYPE a_total") == 1)
  }

  @Test func callsAndWebhooksAreCountedForTheProcess() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database, capacity: 10)
      let registry = MetricsRegistry()
      registry.collect { monitored.log.metricFamilies() }
      let process = ProcessMetrics(startedAt: monitored.clock.now)
      registry.collect { process.families() }
      registry.gauge("fairlead_jobs", help: "Jobs by state.", labels: ["state"]).set(3, "ready")
      monitored.record(3, latency: .milliseconds(20))
      monitored.record(1, .failure, latency: .seconds(90))
      var waited = CallLogEntry.fixture(
        "slack", endingAt: monitored.clock.now, duration: .seconds(3))
      waited.waited = .milliseconds(2_500)
      waited.attempts = 2
      waited.rateLimitHits = 1
      monitored.log.record(waited)
      // A flush empties what waits for storage, not what the process has counted.
      try await monitored.log.flush()
      monitored.record(12)
      monitored.log.webhookReceived("stripe")
      let text = registry.render()
      for line in [
        #"fairlead_calls_total{integration="stripe",source="proxy",outcome="success"} 15"#,
        #"fairlead_calls_total{integration="stripe",source="proxy",outcome="failure"} 1"#,
        #"fairlead_call_duration_seconds_bucket{integration="stripe",le="0.025"} 3"#,
        #"fairlead_call_duration_seconds_bucket{integration="stripe",le="60"} 15"#,
        #"fairlead_call_duration_seconds_bucket{integration="stripe",le="+Inf"} 16"#,
        #"fairlead_call_duration_seconds_sum{integration="slack"} 0.5"#,
        #"fairlead_call_attempts_total{integration="slack"} 2"#,
        #"fairlead_rate_limit_hits_total{integration="slack"} 1"#,
        #"fairlead_rate_limit_waits_seconds_total{integration="slack"} 2.5"#,
        #"fairlead_webhooks_received_total{integration="stripe"} 1"#,
        #"fairlead_jobs{state="ready"} 3"#, "fairlead_call_log_dropped_total 2",
        "process_start_time_seconds 1800000000",
      ] { #expect(text.contains(line + "\n"), "\(line)") }
      #if os(Linux)
      #expect(text.contains("process_resident_memory_bytes "))
      #endif
    }
  }

  @Test func sourcesCannotMultiplySeriesWithoutBound() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      for index in 0..<500 {
        var entry = CallLogEntry.fixture(endingAt: monitored.clock.now)
        entry.source = "source \(index)"
        monitored.log.record(entry)
      }
      let calls = try #require(
        monitored.log.metricFamilies().first { $0.name == "fairlead_calls_total" })
      #expect(calls.samples.count <= 27)
      #expect(calls.samples.map(\.value).reduce(0, +) == 500)
    }
  }
}

extension String {
  fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
