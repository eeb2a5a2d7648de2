import Packets
import Statistics
import Timeline

/// When to send receiver reports, and what stands in them (RFC 3550 sections 6.2 to 6.4.2).
struct ReceiverReporter: Sendable {
  /// Names of sources heard of before their first packet, at most this many.
  static let nameLimit = 64

  /// When the next report is due; nil before anything was received.
  private(set) var nextReport: Instant?
  private let ssrc: UInt32
  private let cname: String
  private var timing: ReportTiming
  private var generator: SeededGenerator
  private var names: [(ssrc: UInt32, name: String)] = []

  init(_ configuration: ReceiveSession.Configuration) {
    ssrc = configuration.ssrc
    cname = configuration.cname
    timing = ReportTiming(
      sessionBandwidth: configuration.bandwidth, firstPacketSize: 32 + 12 + configuration.cname.utf8.count)
    timing.members = 2
    timing.senders = 1
    generator = SeededGenerator(seed: configuration.seed)
  }

  /// A source was heard: the first one starts the timer.
  mutating func heard(at arrival: Instant) {
    if nextReport == nil { nextReport = arrival + timing.nextInterval(using: &generator) }
  }

  mutating func received(bytes: Int) { timing.sentOrReceived(bytes: bytes) }

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
    timing.members = open + 1
    timing.senders = open
    nextReport = now + timing.nextInterval(using: &generator)
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
    timing.sentOrReceived(bytes: writer.count)
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
