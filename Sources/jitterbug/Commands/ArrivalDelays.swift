import Receiving
import Timeline

/// What a path did to each packet of a stream, in the order of sending: the delays of its copies above the smallest
/// transit, as far as arrivals were kept.
struct ArrivalDelays {
  /// The delays of each packet's copies in order of arrival; none when it was lost.
  private(set) var packets: [[Interval]] = []
  /// Packets whose delays come from a timestamp that doesn't tell when they were sent; their neighbour's is taken.
  private(set) var borrowed = 0

  /// A step of the transit by more than this is a new origin of the timestamps, as for the jitter buffer.
  private static let discontinuity = Interval.seconds(5)

  init(_ log: ArrivalLog, clockRate: UInt32) {
    var run: [ArrivalLog.Arrival] = []
    for entry in log.arrivals {
      if entry.kind == .restart {
        append(run, clockRate: clockRate)
        run = []
      } else {
        run.append(entry)
      }
    }
    append(run, clockRate: clockRate)
  }

  /// Adds the packets of one run of sequence numbers.
  private mutating func append(_ run: [ArrivalLog.Arrival], clockRate: UInt32) {
    guard let first = run.map(\.sequence).min() else { return }
    // Those that arrived first stay in front: the sort is by number, then by place.
    let order = run.indices.sorted { (run[$0].sequence, $0) < (run[$1].sequence, $1) }
    var next = first
    var segment: [(place: Int, transit: Interval)] = []
    var last = Interval.zero
    for index in order {
      let entry = run[index]
      while next < entry.sequence {
        packets.append([])
        next += 1
      }
      if next == entry.sequence {
        packets.append([])
        next += 1
      }
      // An event's packets repeat the time of its beginning (RFC 4733 section 2.2.1).
      var transit = (entry.arrival - .zero) - Interval(units: entry.timestamp, rate: clockRate)
      if entry.kind == .unfit {
        borrowed += 1
        transit = last
      }
      let step = transit - last
      if !segment.isEmpty, step > Self.discontinuity || step < -Self.discontinuity {
        close(segment)
        segment = []
      }
      last = transit
      segment.append((packets.count - 1, transit))
    }
    close(segment)
  }

  private mutating func close(_ segment: [(place: Int, transit: Interval)]) {
    guard let least = segment.map(\.transit).min() else { return }
    for (place, transit) in segment { packets[place].append(transit - least) }
  }

  /// A link spec that is like this on average.
  var fittedSpec: String {
    let arrived = packets.filter { !$0.isEmpty }
    guard !arrived.isEmpty else { return "none" }
    var runs = 0
    var wasLost = false
    for packet in packets {
      if packet.isEmpty, !wasLost { runs += 1 }
      wasLost = packet.isEmpty
    }
    let lost = packets.count - arrived.count
    let copies = arrived.reduce(0) { $0 + $1.count - 1 }
    let delays = arrived.map { $0[0].milliseconds }
    let mean = delays.reduce(0, +) / Double(delays.count)
    let variance = delays.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(delays.count)
    var parts: [String] = []
    func share(_ part: Int, _ whole: Int) -> String { Self.text(100 * Double(part) / Double(whole), decimals: 3) + "%" }
    if lost > 0 {
      parts.append("loss=\(share(lost, packets.count))")
      if Double(lost) > 1.05 * Double(runs) {
        parts.append("burst=\(Self.text(Double(lost) / Double(runs), decimals: 2))")
      }
    }
    if mean >= 0.0005 { parts.append("delay=\(Self.text(min(mean, 60_000), decimals: 3))ms") }
    if variance >= 1e-6 { parts.append("jitter=\(Self.text(min(variance.squareRoot(), 60_000), decimals: 3))ms") }
    if overtaken > 0 { parts.append("reorder=\(share(overtaken, arrived.count))") }
    if copies > 0 { parts.append("duplicate=\(share(min(copies, arrived.count), arrived.count))") }
    return parts.isEmpty ? "none" : parts.joined(separator: ",")
  }

  /// Packets that arrived after one sent later (RFC 4737), counted when they were sent at regular times.
  var overtaken = 0

  private static func text(_ value: Double, decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((value * scale).rounded())
    var digits = String(scaled % Int(scale))
    digits = String(repeating: "0", count: decimals - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(scaled / Int(scale))" + (digits.isEmpty ? "" : "." + digits)
  }
}
