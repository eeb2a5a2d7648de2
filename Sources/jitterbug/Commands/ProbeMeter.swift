import Packets
import Probing
import Receiving
import Reporting
import Sending
import Statistics
import Timeline

/// What a prober learns of the way there while it runs: the feedback's delays, and the figures of each second.
struct ProbeMeter {
  /// The rows of the table by second.
  private(set) var seconds: [ProbeSecond] = []
  /// The ranges of the transits that were told, by source, in µs relative to each one's first packet.
  private var transits: [UInt32: ClosedRange<Int32>] = [:]
  private var sent = 0
  private var lost: Int?
  private var reports = 0
  private var downExpected = 0
  private var downUnique = 0

  /// Seconds that are kept.
  private static let limit = 3_700

  /// By how much the slowest packet of a stream took longer than its fastest; nil when nothing was told.
  var spread: Interval? {
    transits.values.map { Int64($0.upperBound) - Int64($0.lowerBound) }.max().map { .microseconds($0) }
  }

  mutating func take(_ feedback: ProbeFeedback) {
    for stream in feedback.streams {
      guard let transit = stream.transit else { continue }
      let known = transits[stream.ssrc] ?? transit
      transits[stream.ssrc] = min(known.lowerBound, transit.lowerBound)...max(known.upperBound, transit.upperBound)
    }
  }

  /// Packets of these sessions that the far end has missed so far; nil before it told anything.
  static func lost(_ sessions: [SendSession], _ feedback: ProbeFeedback?) -> Int? {
    if let feedback, !feedback.streams.isEmpty {
      return feedback.streams.reduce(0) { sum, stream in
        guard let session = sessions.first(where: { $0.configuration.ssrc == stream.ssrc }) else { return sum }
        let covered = stream.covered(sent: session.packetCount, first: session.configuration.firstSequence)
        return sum + max(covered - Int(stream.unique), 0)
      }
    }
    let blocks = sessions.compactMap { $0.heardFarEnd?.block }
    return blocks.isEmpty ? nil : blocks.reduce(0) { $0 + Int($1.cumulativeLost) }
  }

  mutating func endSecond(_ sessions: [SendSession], feedback: ProbeFeedback?, listener: ProbeListener?) {
    guard seconds.count < Self.limit else { return }
    var row = ProbeSecond()
    let sentNow = sessions.reduce(0) { $0 + $1.packetCount }
    row.sent = sentNow - sent
    sent = sentNow
    let reportsNow = sessions.reduce(0) { $0 + ($1.heardFarEnd?.blockCount ?? 0) }
    let lostNow = Self.lost(sessions, feedback)
    if let lostNow, feedback != nil || reportsNow != reports {
      row.upLost = lostNow - (lost ?? 0)
      lost = lostNow
    }
    reports = reportsNow
    if let streams = listener?.session.streams {
      let expected = streams.reduce(0) { $0 + $1.statistics.expected }
      let unique = streams.reduce(0) { $0 + $1.statistics.unique }
      row.downExpected = expected - downExpected
      row.downUnique = unique - downUnique
      row.downJitter = streams.map(\.statistics.jitter.last).max() ?? 0
      (downExpected, downUnique) = (expected, unique)
    }
    let trips = sessions.compactMap { $0.heardFarEnd?.roundTrip.milliseconds }.filter { $0.count > 0 }
    row.roundTrip = trips.first?.last
    seconds.append(row)
  }
}
