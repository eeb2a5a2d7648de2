import Packets
import Statistics
import Timeline

/// When to send receiver reports, and what stands in them (RFC 3550 sections 6.2 to 6.4.2).
struct ReceiverReporter: Sendable {
  /// Names of sources heard of before their first packet, at most this many.
  static let nameLimit = 64

  /// When to look whether a report is due; nil before anything was received.
  var nextReport: Instant? { timer?.deadline }
  private let ssrc: UInt32
  private let cname: String
  private let timing: ReportTiming
  private var timer: ReportTimer?
  private var generator: SeededGenerator
  private var names: [(ssrc: UInt32, name: String)] = []

  init(_ configuration: ReceiveSession.Configuration) {
    ssrc = configuration.ssrc
    cname = configuration.cname
    // A receiver report with one block is 32 bytes, a source description 10 and the name.
    var timing = ReportTiming(
      sessionBandwidth: configuration.bandwidth, firstPacketSize: 42 + configuration.cname.utf8.count)
    timing.members = 2
    timing.senders = 1
    self.timing = timing
    generator = SeededGenerator(seed: configuration.seed)
  }

  /// A source was heard: the first one starts the timer.
  mutating func heard(at arrival: Instant) {
    if timer == nil { timer = ReportTimer(timing: timing, at: arrival, using: &generator) }
  }

  mutating func received(bytes: Int) { timer?.timing.sentOrReceived(bytes: bytes) }

  /// Whether a report is to be sent now.
  mutating func expire(at now: Instant) -> Bool { timer?.expire(at: now, using: &generator) ?? false }

  mutating func remember(_ name: String, of ssrc: UInt32) {
    names.removeAll { $0.ssrc == ssrc }
    if names.count == Self.nameLimit { names.removeFirst() }
    names.append((ssrc, name))
  }

  func cname(of ssrc: UInt32) -> String? { names.last { $0.ssrc == ssrc }?.name }

  mutating func write(
    _ streams: inout [ReceiveStream], into bytes: inout MutableSpan<UInt8>, at now: Instant, isGoodbye: Bool
  ) -> Int? {
    let open = streams.count { $0.isOpen }
    timer?.setMembers(open + 1, senders: open, at: now)
    var blocks: [ReportBlock] = []
    for place in streams.indices {
      let received = streams[place].statistics.received
      guard received != streams[place].reportedReceived, blocks.count < ReportBlock.maximumCount else { continue }
      streams[place].reportedReceived = received
      blocks.append(Self.block(of: &streams[place], at: now))
    }
    var writer = CompoundWriter()
    guard writer.receiverReport(ssrc: ssrc, blocks: blocks.span, into: &bytes),
      writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, tool: "jitterbug".utf8, into: &bytes),
      !isGoodbye || writer.goodbye(ssrc: ssrc, reason: "".utf8, into: &bytes)
    else { return nil }
    timer?.timing.sentOrReceived(bytes: writer.count)
    return writer.count
  }

  private static func block(of stream: inout ReceiveStream, at now: Instant) -> ReportBlock {
    let values = stream.statistics.takeReportBlockValues()
    var delay: UInt32 = 0
    if let report = stream.senderReport {
      delay = UInt32(clamping: (now - report.arrival).units(rate: 65_536))
    }
    return ReportBlock(
      ssrc: stream.ssrc, fractionLost: values.fractionLost, cumulativeLost: values.cumulativeLost,
      highestSequence: values.extendedHighest, jitter: values.jitter,
      lastSenderReport: stream.senderReport?.middle ?? 0, delaySinceLastSenderReport: delay)
  }
}
