import Synchronization

/// The metrics of this process, rendered as Prometheus text at `GET /metrics`.
///
/// Labels are few and bounded: integrations, sources, outcomes, states; never an owner, an id or a
/// path. A metric that gets more series than its limit counts the surplus under the value `other`.
/// Thread-safe throughout.
public final class MetricsRegistry: Sendable {
  private struct State {
    var instruments: [String: MetricInstrument] = [:]
    var collectors: [@Sendable () -> [MetricFamily]] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// A number that only grows; the name ends in `_total`.
  public func counter(_ name: String, help: String, labels: [String] = []) -> MetricCounter {
    MetricCounter(instrument(name, .counter, help: help, labels: labels))
  }

  /// A number that goes up and down.
  public func gauge(_ name: String, help: String, labels: [String] = []) -> MetricGauge {
    MetricGauge(instrument(name, .gauge, help: help, labels: labels))
  }

  /// A distribution; the name ends in its unit.
  /// - Parameter bounds: upper bounds of the buckets, ascending.
  public func histogram(
    _ name: String, help: String, labels: [String] = [], bounds: [Double]
  ) -> MetricHistogram {
    MetricHistogram(instrument(name, .histogram, help: help, labels: labels, bounds: bounds))
  }

  /// Adds families that are made when the metrics are read. Collectors must not block.
  public func collect(_ collector: @escaping @Sendable () -> [MetricFamily]) {
    state.withLock { $0.collectors.append(collector) }
  }

  /// Every metric as text, content type `text/plain; version=0.0.4; charset=utf-8`.
  public func render() -> String {
    let (instruments, collectors) = state.withLock { (Array($0.instruments.values), $0.collectors) }
    let families = instruments.map(\.family) + collectors.flatMap { $0() }
    return MetricText.render(families.sorted { $0.name < $1.name })
  }

  /// The instrument called `name`; made at the first call. Under a name that is taken by another
  /// kind it counts but is not rendered.
  private func instrument(
    _ name: String, _ kind: MetricFamily.Kind, help: String, labels: [String],
    bounds: [Double] = []
  ) -> MetricInstrument {
    let fresh = MetricInstrument(name, kind, help: help, labels: labels, bounds: bounds)
    return state.withLock { state in
      guard let known = state.instruments[name] else {
        state.instruments[name] = fresh
        return fresh
      }
      return known.kind == kind && known.labels == labels ? known : fresh
    }
  }
}

/// See `MetricsRegistry.counter`.
public struct MetricCounter: Sendable {
  private let instrument: MetricInstrument
  init(_ instrument: MetricInstrument) { self.instrument = instrument }

  /// - Parameter labels: values in the order of the metric's labels.
  public func add(_ amount: Double = 1, _ labels: String...) {
    if amount > 0 { instrument.change(labels) { $0.value += amount } }
  }
}

/// See `MetricsRegistry.gauge`.
public struct MetricGauge: Sendable {
  private let instrument: MetricInstrument
  init(_ instrument: MetricInstrument) { self.instrument = instrument }

  public func set(_ value: Double, _ labels: String...) {
    instrument.change(labels) { $0.value = value }
  }

  public func add(_ amount: Double, _ labels: String...) {
    instrument.change(labels) { $0.value += amount }
  }
}

/// See `MetricsRegistry.histogram`.
public struct MetricHistogram: Sendable {
  private let instrument: MetricInstrument
  init(_ instrument: MetricInstrument) { self.instrument = instrument }

  public func observe(_ value: Double, _ labels: String...) {
    let bucket =
      instrument.bounds.firstIndex { value <= $0 } ?? instrument.bounds.count
    instrument.change(labels) { series in
      series.value += value
      series.buckets[bucket] &+= 1
    }
  }
}

/// One metric's series by their label values.
final class MetricInstrument: Sendable {
  struct Series: Sendable {
    /// The value, or a histogram's sum.
    var value: Double = 0
    var buckets: [Int64]
  }

  private static let seriesLimit = 500

  let name: String
  let kind: MetricFamily.Kind
  let labels: [String]
  let bounds: [Double]
  private let help: String
  private let series = Mutex<[[String]: Series]>([:])

  init(
    _ name: String, _ kind: MetricFamily.Kind, help: String, labels: [String], bounds: [Double]
  ) {
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
    self.bounds = bounds
  }

  /// Too few values are filled up with empty ones, surplus ones are left out.
  func change(_ values: [String], _ body: (inout Series) -> Void) {
    let empty = [String](repeating: "", count: max(0, labels.count - values.count))
    var key = Array(values.prefix(labels.count)) + empty
    series.withLock { series in
      if series[key] == nil, series.count >= Self.seriesLimit {
        key = labels.map { _ in "other" }
      }
      let buckets = kind == .histogram ? bounds.count + 1 : 0
      body(&series[key, default: Series(buckets: [Int64](repeating: 0, count: buckets))])
    }
  }

  var family: MetricFamily {
    var family = MetricFamily(name, kind, help: help)
    let all = series.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (values, series) in all {
      let pairs = zip(labels, values).map { (name: $0, value: $1) }
      if kind == .histogram {
        family.addHistogram(
          labels: pairs, bounds: bounds, counts: series.buckets, sum: series.value)
      } else {
        family.samples.append(.init(labels: pairs, value: series.value))
      }
    }
    return family
  }
}
