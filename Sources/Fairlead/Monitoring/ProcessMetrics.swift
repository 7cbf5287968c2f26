import Foundation

/// The metrics of the process itself, under the names that Prometheus clients share.
public struct ProcessMetrics: Sendable {
  private let startedAt: Timestamp

  /// - Parameter startedAt: when the process started; make it early.
  public init(startedAt: Timestamp) { self.startedAt = startedAt }

  public func families() -> [MetricFamily] {
    var families = [
      MetricFamily(
        "process_start_time_seconds", .gauge,
        help: "Start time of the process since the Unix epoch in seconds.",
        samples: [.init(value: Double(startedAt.microseconds) / 1_000_000)]),
      MetricFamily(
        "process_cpu_seconds_total", .counter, help: "User and system CPU time in seconds.",
        samples: [.init(value: Self.cpuSeconds)]),
    ]
    if let bytes = Self.residentMemory {
      families.append(
        MetricFamily(
          "process_resident_memory_bytes", .gauge, help: "Resident memory in bytes.",
          samples: [.init(value: Double(bytes))]))
    }
    return families
  }

  /// In bytes; `nil` where the system does not tell.
  public static var residentMemory: Int64? {
    // Not on every system; without the file there is no figure.
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return nil
    }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static var cpuSeconds: Double {
    var usage = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
    return Double(usage.tv_sec) + Double(usage.tv_nsec) / 1_000_000_000
  }
}
