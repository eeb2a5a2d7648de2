import Packets
public import Timeline

/// The sending side of one RTP stream: makes the datagrams, sender reports and the goodbye.
///
/// Inputs are media (`packetize`), RTCP from receivers (`handleRTCP`) and time. Outputs are written into the caller's
/// buffer. After each input, and at `nextReport`, call `pollReport` until it returns nil. After the goodbye it is worth
/// to go on handing in RTCP until `awaitsReports` is nil: receivers then tell what became of the last packets.
public struct SendSession: Sendable {
  /// What the stream is.
  public struct Configuration: Sendable {
    /// The synchronisation source, random (RFC 3550 section 8).
    public var ssrc: UInt32
    /// The RTP payload type, 0 to 127.
    public var payloadType: UInt8
    /// Ticks of the RTP clock a second.
    public var clockRate: UInt32
    /// The first sequence number, random (RFC 3550 section 5.1).
    public var firstSequence: SequenceNumber
    /// The timestamp of media time 0, random (RFC 3550 section 5.1).
    public var firstTimestamp: RTPTimestamp
    /// The canonical name, at most 255 bytes (RFC 3550 section 6.5.1).
    public var cname: String
    /// The session's bandwidth in bits a second, of which RTCP takes 5 %.
    public var bandwidth: Double
    /// What has to be added to an `Instant` to get nanoseconds since the Unix epoch.
    public var wallClockOffset: Int64
    /// Whether receivers' extended reports are answered and waited for (RFC 3611).
    public var sendsExtendedReports = true
    /// Whether the first sender report follows the first packet at once: only where all goes to one receiver each
    /// (RFC 3550 section 6.2).
    public var reportsAtOnce = false
    /// The seed of the report timer's randomisation.
    public var seed: UInt64

    /// Describes a stream.
    public init(
      ssrc: UInt32, payloadType: UInt8, clockRate: UInt32, firstSequence: SequenceNumber,
      firstTimestamp: RTPTimestamp, cname: String, bandwidth: Double, wallClockOffset: Int64, seed: UInt64
    ) {
      self.ssrc = ssrc
      self.payloadType = payloadType
      self.clockRate = clockRate
      self.firstSequence = firstSequence
      self.firstTimestamp = firstTimestamp
      self.cname = cname
      self.bandwidth = bandwidth
      self.wallClockOffset = wallClockOffset
      self.seed = seed
    }
  }

  /// RTP packets made so far.
  public private(set) var packetCount = 0
  /// Their payload bytes.
  public private(set) var octetCount = 0
  /// Packets made that no socket took: they were never sent, and the reports don't count them.
  public private(set) var refusedCount = 0
  private var refusedOctets = 0
  /// RTCP packets made so far.
  public private(set) var reportCount = 0
  /// What receivers report of this stream.
  public private(set) var farEnds: FarEndTable
  /// What receivers have asked for instead of waiting for the next key frame.
  public private(set) var keyFrameRequests = KeyFrameRequests()
  /// When to call `pollReport`; nil before the first packet and after the goodbye.
  public var nextReport: Instant? { membership.deadline }
  /// Everybody that takes part in the session, ourselves included.
  public var memberCount: Int { membership.memberCount }

  /// The stream's description, as it was given.
  public let configuration: Configuration
  /// Who takes part, and the report timer, which runs from the first packet to the goodbye.
  private var membership: Membership
  private var sent: SentNumbers
  /// When the first goodbye was made, and the middles of the NTP times of all of them.
  private var goodbyeSent: (at: Instant, middles: [UInt32])?
  /// What had been sent when the bandwidth was measured last.
  private var measured: (at: Instant, bytes: Int)?
  private var generator: SeededGenerator
  /// The last packet's timestamp and the instant it stands for: what sender reports tie the wall clock to.
  private var anchor: (timestamp: RTPTimestamp, instant: Instant)?

  /// Begins a stream.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    farEnds = FarEndTable(ssrc: configuration.ssrc, clockRate: configuration.clockRate)
    sent = SentNumbers(firstSequence: configuration.firstSequence)
    // A sender report with no blocks is 28 bytes, a source description 10 and the name.
    let timing = ReportTiming(
      sessionBandwidth: configuration.bandwidth, firstPacketSize: 38 + configuration.cname.utf8.count)
    membership = Membership(
      ssrc: configuration.ssrc, timing: timing, isSender: true, seed: configuration.seed,
      reportsAtOnce: configuration.reportsAtOnce)
    generator = SeededGenerator(seed: configuration.seed)
  }

  // MARK: Inputs

  /// Writes the RTP packet of one payload into `bytes`; nil when it doesn't fit.
  ///
  /// - Parameters:
  ///   - payload: the media.
  ///   - timestampOffset: its place on the media timeline, in clock units since the start.
  ///   - marker: whether it begins a talk spurt (RFC 7587 section 4.1) or ends a frame (video).
  ///   - bytes: where the packet goes.
  ///   - deadline: the instant that the media time stands for.
  public mutating func packetize(
    _ payload: RawSpan, timestampOffset: Int64, marker: Bool, into bytes: inout MutableSpan<UInt8>,
    deadline: Instant
  ) -> Int? {
    let size = RTPHeader.size + payload.byteCount
    guard size <= bytes.count else { return nil }
    let timestamp = configuration.firstTimestamp.advanced(by: timestampOffset)
    let header = RTPHeader(
      marker: marker, payloadType: configuration.payloadType,
      sequenceNumber: configuration.firstSequence.advanced(by: packetCount), timestamp: timestamp,
      ssrc: configuration.ssrc)
    guard header.write(into: &bytes) != nil else { return nil }
    _ = bytes.copy(0..<payload.byteCount, of: payload, at: RTPHeader.size)
    packetCount += 1
    octetCount += payload.byteCount
    sent.append(timestamp)
    anchor = (timestamp, deadline)
    membership.join(at: deadline, using: &generator)
    return size
  }

  /// Notes that an RTP packet of so many payload bytes was taken by no socket.
  public mutating func noteRefused(payloadBytes: Int) {
    refusedCount += 1
    refusedOctets += payloadBytes
  }

  /// Takes in a compound RTCP packet from a receiver; what isn't valid RTCP is counted and ignored.
  public mutating func handleRTCP(_ datagram: RawSpan, at arrival: Instant) {
    do throws(PacketParseError) {
      var cursor = try CompoundCursor(validating: datagram)
      let context = FarEndTable.Context(sent: sent, arrival: arrival, now: wallClock(at: arrival))
      var budget = FarEndTable.numberBudget
      var hasGoodbye = false
      while let part = cursor.next(in: datagram) {
        let packet = try RTCPPacket(parsing: part, in: datagram)
        if case .goodbye = packet { hasGoodbye = true }
        handle(packet, in: datagram, context, budget: &budget)
      }
      membership.received(bytes: datagram.byteCount, hasGoodbye: hasGoodbye)
    } catch {
      farEnds.invalidCount += 1
    }
  }

  /// Leaves the session: `pollReport` gives the last report with a goodbye (RFC 3550 section 6.6), at once or, with 50
  /// members and more, when its time has come (section 6.3.7); nothing when nothing was ever sent.
  public mutating func leave(at now: Instant) {
    membership.leave(at: now, goodbyeSize: 46 + configuration.cname.utf8.count, using: &generator)
  }

  // MARK: Outputs

  /// Writes a sender report with the source description when one is due; the number of bytes, or nil.
  public mutating func pollReport(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    guard let due = membership.expire(at: now, using: &generator) else { return nil }
    return compound(into: &bytes, at: now, isGoodbye: due == .goodbye)
  }

  /// Leaves, and writes the last report with the goodbye; nil when nothing was ever sent, or it has to wait.
  public mutating func goodbye(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    leave(at: now)
    return pollReport(into: &bytes, at: now)
  }

  /// Writes the goodbye once more, for those whom the first one didn't reach; nil before it.
  ///
  /// A prober needs this: what it knows of its last packets hangs on the goodbye. At most 8 times in all.
  public mutating func repeatGoodbye(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    guard let goodbyeSent, goodbyeSent.middles.count < 8 else { return nil }
    return compound(into: &bytes, at: now, isGoodbye: true)
  }

  // MARK: Queries

  /// Whether a receiver has said its last word: it has answered our goodbye, or said its own.
  public func isFinal(_ farEnd: FarEnd) -> Bool {
    farEnd.hasLeft || goodbyeSent?.middles.contains { farEnd.answers($0) } == true
  }

  /// Whether a receiver said goodbye without having heard ours: what came after its last report isn't lost, it had left.
  public func hasLeftEarly(_ farEnd: FarEnd) -> Bool {
    farEnd.hasLeft && goodbyeSent?.middles.contains { farEnd.answers($0) } != true
  }

  /// Until when receivers may still report on the last packets after the goodbye; nil when nothing more is awaited.
  ///
  /// A receiver waits a second for packets that are late before it reports on the end. Of one that has sent no extended
  /// report nothing of the kind is known, and one that was never heard may still speak up.
  public var awaitsReports: Instant? {
    guard let goodbye = goodbyeSent, configuration.sendsExtendedReports,
      membership.memberCount < Membership.immediateLimit
    else { return nil }
    if farEnds.all.isEmpty { return goodbye.at + .milliseconds(1500) }
    var latest: Instant?
    for farEnd in farEnds.all where !isFinal(farEnd) {
      guard goodbye.at - farEnd.lastHeard < FarEndTable.displacementAge else { continue }
      let patience = farEnd.extended == nil ? Interval.milliseconds(1500) : .seconds(2)
      latest = max(latest ?? .zero, goodbye.at + patience)
    }
    return latest
  }

  // MARK: Private

  private mutating func handle(
    _ packet: RTCPPacket, in datagram: RawSpan, _ context: FarEndTable.Context, budget: inout Int
  ) {
    switch packet {
    case .senderReport(let report):
      membership.heard(report.ssrc, isSender: true, at: context.arrival)
      farEnds.handle({ report.block($0, in: datagram) }, count: report.reportCount, from: report.ssrc, context)
    case .receiverReport(let report):
      membership.heard(report.ssrc, isSender: false, at: context.arrival)
      farEnds.handle({ report.block($0, in: datagram) }, count: report.reportCount, from: report.ssrc, context)
    case .sourceDescription(let description):
      var items = description.items
      while let item = items.next(in: datagram) {
        if item.type == SourceDescription.ItemType.cname { farEnds.name(item.ssrc, item.text, of: datagram) }
      }
    case .goodbye(let goodbye):
      for index in 0..<goodbye.sourceCount {
        guard let ssrc = goodbye.source(index, in: datagram) else { continue }
        membership.heardGoodbye(of: ssrc, at: context.arrival)
        farEnds.goodbye(of: ssrc)
      }
    case .extendedReport(let report): farEnds.handle(report, in: datagram, context, budget: &budget)
    case .payloadFeedback(let feedback): note(feedback, in: datagram)
    case .application, .other: break
    }
  }

  /// Counts a request for a key frame of this stream.
  private mutating func note(_ feedback: PayloadFeedback, in datagram: RawSpan) {
    guard feedback.asksForKeyFrame(of: configuration.ssrc, in: datagram) else { return }
    guard feedback.kind == .fullIntraRequest else { return keyFrameRequests.pictureLosses += 1 }
    for index in 0..<feedback.requestCount {
      guard let request = feedback.request(index, in: datagram), request.ssrc == configuration.ssrc else { continue }
      keyFrameRequests.noteFullIntra(from: feedback.ssrc, number: request.sequence)
    }
  }

  private func wallClock(at instant: Instant) -> NTPTimestamp {
    NTPTimestamp(unixNanoseconds: instant.nanoseconds &+ configuration.wallClockOffset)
  }

  /// The session's bandwidth is what was agreed on, or what is really sent when that is more.
  private mutating func measureBandwidth(at now: Instant) {
    let bytes = octetCount + packetCount * (RTPHeader.size + ReportTiming.lowerLayers)
    guard let last = measured else { return measured = (now, bytes) }
    let elapsed = (now - last.at).seconds
    guard elapsed >= 1 else { return }
    measured = (now, bytes)
    membership.setSessionBandwidth(max(configuration.bandwidth, Double(bytes - last.bytes) * 8 / elapsed))
  }

  private mutating func compound(
    into bytes: inout MutableSpan<UInt8>, at now: Instant, isGoodbye: Bool
  ) -> Int? {
    guard let anchor else { return nil }
    measureBandwidth(at: now)
    var writer = CompoundWriter(limit: 1200)
    let elapsed = (now - anchor.instant).units(rate: configuration.clockRate)
    let time = wallClock(at: now)
    let report = SenderReport(
      ssrc: configuration.ssrc, ntp: time, rtpTimestamp: anchor.timestamp.advanced(by: elapsed),
      packetCount: UInt32(truncatingIfNeeded: packetCount - refusedCount),
      octetCount: UInt32(truncatingIfNeeded: octetCount - refusedOctets))
    let answers = configuration.sendsExtendedReports ? farEnds.takeAnswers(at: now) : []
    guard writer.senderReport(report, into: &bytes),
      writer.sourceDescription(
        ssrc: configuration.ssrc, cname: configuration.cname.utf8, tool: "jitterbug".utf8, into: &bytes),
      answers.isEmpty
        || writer.extendedReport(ssrc: configuration.ssrc, into: &bytes)
          && writer.delays(answers.span, into: &bytes),
      !isGoodbye || writer.goodbye(ssrc: configuration.ssrc, into: &bytes)
    else { return nil }
    if isGoodbye { goodbyeSent = (goodbyeSent?.at ?? now, (goodbyeSent?.middles ?? []) + [time.middle]) }
    membership.sent(bytes: writer.count)
    reportCount += 1
    return writer.count
  }
}
