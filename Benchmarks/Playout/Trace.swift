import Glibc
import Timeline

/// One packet of an arrival trace: when it was sent and when it arrived.
struct TracePacket {
  var sequence: Int64
  var sent: Interval
  /// Nil when the network lost it.
  var arrival: Interval?
}

/// An arrival trace: a packet a line, `sequence send_ms arrival_ms`, where an arrival of -1 stands for a loss.
struct Trace {
  let name: String
  let packets: [TracePacket]
  /// The indices of the packets that arrived, in order of arrival.
  let arrivals: [Int]
  /// The time between two packets.
  let spacing: Interval
  let smallestTransit: Interval

  /// Reads a trace, through gzip where its name ends in .gz.
  init?(path: String) {
    guard let text = Self.text(of: path) else { return nil }
    var packets: [TracePacket] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: " ")
      guard fields.count >= 3, let sequence = Int64(fields[0]), let sent = Double(fields[1]),
        let arrival = Double(fields[2])
      else { continue }
      packets.append(
        TracePacket(
          sequence: sequence, sent: Interval(seconds: sent / 1000),
          arrival: arrival < 0 ? nil : Interval(seconds: arrival / 1000)))
    }
    guard packets.count > 1 else { return nil }
    name = path.split(separator: "/").last.map(String.init) ?? path
    self.packets = packets
    spacing = packets[1].sent - packets[0].sent
    var order: [(arrival: Interval, index: Int)] = []
    for (index, packet) in packets.enumerated() {
      if let arrival = packet.arrival { order.append((arrival, index)) }
    }
    order.sort { ($0.arrival, $0.index) < ($1.arrival, $1.index) }
    arrivals = order.map(\.index)
    smallestTransit = order.map { $0.arrival - packets[$0.index].sent }.min() ?? .zero
  }

  var lossCount: Int { packets.count - arrivals.count }

  private static func text(of path: String) -> String? {
    let quoted = "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    guard access(path, R_OK) == 0, let stream = popen((path.hasSuffix(".gz") ? "gzip -dc " : "cat ") + quoted, "r")
    else { return nil }
    defer { pclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
