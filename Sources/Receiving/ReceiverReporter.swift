import Packets
import Statistics
import Timeline

/// When to send receiver reports, and what stands in them (RFC 3550 sections 6.2 to 6.4.2, RFC 3611).
struct ReceiverReporter: Sendable {
  /// Names of sources heard of before their first packet, at most this many.
  static let nameLimit = 64

  /// When to look whether a report is due; nil before anything was received.
  var nextReport: Instant? {
    pending?.begun ?? Instant.earliest(Instant.earliest(membership.deadline, finalDue), requestDue)
  }
  /// When to look whether a sender has to be asked for a key frame.
  var requestDue: Instant?
  /// Who takes part, and the timer.
  var membership: Membership
  let configuration: ReceiveSession.Configuration
  private var generator: SeededGenerator
  private var names: [(ssrc: UInt32, name: String)] = []
  private var early: [EarlyReport] = []
  /// The report that is being written, datagram by datagram.
  private var pending: PendingReport?
  /// A stream has ended, and the report on its end is due without waiting for the timer.
  private var finalDue: Instant?
  /// What had been received when the bandwidth was measured last: nothing when the first source was heard.
  private var measured: (at: Instant, bytes: Int)?
  /// The origin of receipt times, random (RFC 3611 section 4.3).
  private let receiptOrigin: UInt32

  init(_ configuration: ReceiveSession.Configuration) {
    self.configuration = configuration
    // A receiver report with one block is 32 bytes, a source description 22 and the name, and the extended report about
    // 200.
    let size = 54 + configuration.cname.utf8.count + (configuration.sendsExtendedReports ? 200 : 0)
    let timing = ReportTiming(sessionBandwidth: configuration.bandwidth, firstPacketSize: size)
    membership = Membership(
      ssrc: configuration.ssrc, timing: timing, isSender: false, seed: configuration.seed)
    generator = SeededGenerator(seed: configuration.seed)
    receiptOrigin = UInt32(truncatingIfNeeded: configuration.seed &* 0x9e37_79b9_7f4a_7c15 >> 32)
  }

  // MARK: Inputs

  /// A source was heard: the first one begins our part in the session.
  mutating func heard(_ ssrc: UInt32, at arrival: Instant) {
    membership.heard(ssrc, isSender: true, at: arrival)
    membership.join(at: arrival, using: &generator)
    if measured == nil { measured = (arrival, 0) }
  }

  /// Somebody was heard by RTCP.
  mutating func heardControl(of ssrc: UInt32, isSender: Bool = false, at arrival: Instant) {
    membership.heard(ssrc, isSender: isSender, at: arrival)
  }

  mutating func heardGoodbye(of ssrc: UInt32, at arrival: Instant) {
    membership.heardGoodbye(of: ssrc, at: arrival)
  }

  mutating func received(bytes: Int, hasGoodbye: Bool) { membership.received(bytes: bytes, hasGoodbye: hasGoodbye) }

  /// Everything of a stream is here: with few members its last report needn't wait for the timer.
  mutating func streamEnded(at now: Instant) {
    guard membership.deadline != nil, membership.memberCount < Membership.immediateLimit else { return }
    finalDue = Instant.earliest(finalDue, now)
  }

  mutating func leave(at now: Instant) {
    membership.leave(at: now, goodbyeSize: 60 + configuration.cname.utf8.count, using: &generator)
  }

  // MARK: Names

  mutating func remember(_ name: String, of ssrc: UInt32) {
    names.removeAll { $0.ssrc == ssrc }
    if names.count == Self.nameLimit { names.removeFirst() }
    names.append((ssrc, name))
  }

  func cname(of ssrc: UInt32) -> String? { names.last { $0.ssrc == ssrc }?.name }

  // MARK: Reports that came early

  /// Keeps the last report of a source that isn't followed yet: many send the first one with their first packet, and a
  /// source is believed with its second.
  mutating func keep(_ report: EarlyReport) {
    early.removeAll { $0.report.ssrc == report.report.ssrc }
    if early.count == Self.nameLimit { early.removeFirst() }
    early.append(report)
  }

  /// The report that a source sent before it was followed, if that is no longer ago than a first report may take.
  mutating func takeEarly(of ssrc: UInt32, at now: Instant) -> EarlyReport? {
    guard let place = early.firstIndex(where: { $0.report.ssrc == ssrc }) else { return nil }
    let report = early.remove(at: place)
    return now - report.arrival <= EarlyReport.age ? report : nil
  }

  // MARK: Outputs

  /// Writes the next datagram of the report that is due; the number of bytes, or nil.
  mutating func poll(
    _ streams: inout [ReceiveStream], into bytes: inout MutableSpan<UInt8>, at now: Instant
  ) -> Int? {
    if pending == nil {
      if let size = pollRequest(&streams, into: &bytes, at: now) { return size }
      guard let due = takeDue(streams, at: now) else { return nil }
      pending = begin(&streams, isGoodbye: due == .goodbye, at: now)
    }
    guard var report = pending else { return nil }
    let size = report.write(streams, as: configuration.ssrc, cname: configuration.cname, into: &bytes)
    pending = report
    if size == nil || report.isDone {
      pending = nil
      membership.sent(bytes: report.bytes)
    }
    return size
  }

  private mutating func takeDue(_ streams: [ReceiveStream], at now: Instant) -> Membership.Due? {
    if let deadline = membership.deadline, deadline <= now, !membership.isLeaving {
      for place in streams.indices where streams[place].phase == .active {
        membership.heard(streams[place].ssrc, isSender: true, at: streams[place].lastArrival)
      }
    }
    if let due = membership.expire(at: now, using: &generator) {
      finalDue = nil
      return due
    }
    guard let final = finalDue, final <= now, !membership.hasLeft else { return nil }
    finalDue = nil
    return .report
  }

  // MARK: What stands in a report

  private mutating func begin(_ streams: inout [ReceiveStream], isGoodbye: Bool, at now: Instant) -> PendingReport {
    measureBandwidth(streams, at: now)
    var report = PendingReport(begun: now, isGoodbye: isGoodbye)
    // Goodbyes of very many are kept short.
    let isExtended =
      configuration.sendsExtendedReports && (!isGoodbye || membership.memberCount < Membership.immediateLimit)
    if isExtended {
      report.clock = NTPTimestamp(unixNanoseconds: now.nanoseconds &+ configuration.wallClockOffset)
    }
    var places: [Int] = []
    for place in streams.indices where streams[place].reportedReceived != streams[place].statistics.received {
      // What its sender has left behind is reported on once nothing more is awaited.
      if case .leaving = streams[place].phase, !isGoodbye { continue }
      places.append(place)
      streams[place].reportedReceived = streams[place].statistics.received
      report.blocks.append(Self.block(of: &streams[place], at: now))
    }
    guard isExtended else { return report }
    let budget = reportBudget / max(places.count, 1)
    for place in places {
      report.extensions.append(
        contentsOf: StreamExtension.take(from: &streams[place], budget: budget, receiptOrigin: receiptOrigin))
    }
    return report
  }

  /// The bytes that extended reports may have: what our share of the bandwidth allows every five seconds.
  ///
  /// Within it they don't make reports rarer; a few hundred bytes they have always, and never more than eight datagrams.
  private var reportBudget: Int {
    let share = membership.ownBandwidth * membership.minimumInterval.seconds
    return Int(min(max(share, 400), 8 * Double(PendingReport.datagramLimit)))
  }

  /// The session's bandwidth is what was agreed on, or what really comes in when that is more.
  private mutating func measureBandwidth(_ streams: [ReceiveStream], at now: Instant) {
    var bytes = 0
    for place in streams.indices {
      bytes += streams[place].statistics.bytes + streams[place].statistics.received * ReportTiming.lowerLayers
    }
    guard let last = measured else { return measured = (now, bytes) }
    let elapsed = (now - last.at).seconds
    guard elapsed >= 1 else { return }
    measured = (now, bytes)
    membership.setSessionBandwidth(max(configuration.bandwidth, Double(bytes - last.bytes) * 8 / elapsed))
  }

  private static func block(of stream: inout ReceiveStream, at now: Instant) -> ReportBlock {
    let values = stream.statistics.takeReportBlockValues()
    var delay: UInt32 = 0
    if let report = stream.senderReport {
      delay = UInt32(clamping: (now - report.arrival).units(rate: 65_536))
    }
    return ReportBlock(
      ssrc: stream.ssrc, fractionLost: values.fractionLost, cumulativeLost: values.cumulativeLost,
      highestSequence: stream.statistics.highestSequence.map { stream.recorder.extendedWire($0) }
        ?? values.extendedHighest, jitter: values.jitter,
      lastSenderReport: stream.senderReport?.middle ?? 0, delaySinceLastSenderReport: delay)
  }
}

/// A sender report that came before its sender was followed.
struct EarlyReport: Sendable {
  /// For so long it is kept: a source that is silent for longer may begin anew, on another timeline.
  static let age = Interval.seconds(2)

  var report: SenderReport
  /// The number of its compound packet.
  var number: Int
  var arrival: Instant
}
