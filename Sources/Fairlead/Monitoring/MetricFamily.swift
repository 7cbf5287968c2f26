/// One metric with its samples, as it is rendered.
public struct MetricFamily: Sendable {
  public enum Kind: String, Sendable { case counter, gauge, histogram }

  public struct Sample: Sendable {
    /// Appended to the family's name: `_bucket`, `_sum`, `_count` of a histogram, else nothing.
    public var suffix: String
    public var labels: [(name: String, value: String)]
    public var value: Double

    public init(suffix: String = "", labels: [(name: String, value: String)] = [], value: Double) {
      self.suffix = suffix
      self.labels = labels
      self.value = value
    }
  }

  public var name: String
  public var help: String
  public var kind: Kind
  public var samples: [Sample]

  public init(_ name: String, _ kind: Kind, help: String, samples: [Sample] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// Adds the samples of one histogram.
  /// - Parameters:
  ///   - bounds: upper bounds of the buckets, ascending.
  ///   - counts: per bucket, not cumulative; one more than bounds, for what is beyond them.
  public mutating func addHistogram(
    labels: [(name: String, value: String)] = [], bounds: [Double], counts: [Int64], sum: Double
  ) {
    var total: Int64 = 0
    for (bound, count) in zip(bounds + [.infinity], counts) {
      total &+= count
      samples.append(
        Sample(
          suffix: "_bucket", labels: labels + [("le", MetricText.number(bound))],
          value: Double(total)))
    }
    samples.append(Sample(suffix: "_sum", labels: labels, value: sum))
    samples.append(Sample(suffix: "_count", labels: labels, value: Double(total)))
  }
}

/// The Prometheus text format, version 0.0.4.
enum MetricText {
  static func render(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.samples.isEmpty {
      text += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        text += family.name + sample.suffix
        if !sample.labels.isEmpty {
          let labels = sample.labels.map { "\($0.name)=\"\(escape($0.value, quotes: true))\"" }
          text += "{" + labels.joined(separator: ",") + "}"
        }
        text += " \(number(sample.value))\n"
      }
    }
    return text
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return String(whole) }
    return String(value)
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
      case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
      case UInt8(ascii: "\"") where quotes: bytes += Array("\\\"".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
