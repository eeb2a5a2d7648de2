import Packets
public import Timeline

/// The sending side of one RTP stream: makes the datagrams, sender reports and the goodbye.
///
/// Inputs are media (`packetize`), RTCP from receivers (`handleRTCP`) and time. Outputs are written into the caller's
/// buffer. After each input, and at `nextReport`, call `pollReport` until it returns nil.
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
  public private(set) var farEnd: FarEnd
  /// When to call `pollReport`; nil before the first packet and after the goodbye.
  public var nextReport: Instant? { timer?.deadline }

  /// The stream's description, as it was given.
  public let configuration: Configuration
  /// The report timer; it runs from the first packet to the goodbye.
  private var timer: ReportTimer?
  private var hasLeft = false
  private var generator: SeededGenerator
  /// The last packet's timestamp and the instant it stands for: what sender reports tie the wall clock to.
  private var anchor: (timestamp: RTPTimestamp, instant: Instant)?

  /// Begins a stream.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    farEnd = FarEnd(ssrc: configuration.ssrc, clockRate: configuration.clockRate)
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
    anchor = (timestamp, deadline)
    if timer == nil, !hasLeft { timer = ReportTimer(timing: timing, at: deadline, using: &generator) }
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
      timer?.timing.sentOrReceived(bytes: datagram.byteCount)
      while let part = cursor.next(in: datagram) {
        let packet = try RTCPPacket(parsing: part, in: datagram)
        farEnd.handle(packet, in: datagram, at: wallClock(at: arrival))
      }
    } catch {
      farEnd.invalidCount += 1
    }
  }

  // MARK: Outputs

  /// Writes a sender report with the source description when one is due; the number of bytes, or nil.
  public mutating func pollReport(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    guard timer?.expire(at: now, using: &generator) == true else { return nil }
    return compound(into: &bytes, at: now, isGoodbye: false)
  }

  /// Writes the last report with a goodbye (RFC 3550 section 6.6); nil when nothing was ever sent.
  public mutating func goodbye(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    guard anchor != nil else { return nil }
    timer = nil
    hasLeft = true
    return compound(into: &bytes, at: now, isGoodbye: true)
  }

  // MARK: Private

  private var timing: ReportTiming {
    // A sender report with no blocks is 28 bytes, a source description 10 and the name.
    var timing = ReportTiming(
      sessionBandwidth: configuration.bandwidth, firstPacketSize: 38 + configuration.cname.utf8.count)
    timing.weSent = true
    timing.senders = 1
    timing.members = 2
    return timing
  }

  private func wallClock(at instant: Instant) -> NTPTimestamp {
    NTPTimestamp(unixNanoseconds: instant.nanoseconds &+ configuration.wallClockOffset)
  }

  private mutating func compound(
    into bytes: inout MutableSpan<UInt8>, at now: Instant, isGoodbye: Bool
  ) -> Int? {
    guard let anchor else { return nil }
    var writer = CompoundWriter()
    let elapsed = (now - anchor.instant).units(rate: configuration.clockRate)
    let report = SenderReport(
      ssrc: configuration.ssrc, ntp: wallClock(at: now), rtpTimestamp: anchor.timestamp.advanced(by: elapsed),
      packetCount: UInt32(truncatingIfNeeded: packetCount - refusedCount),
      octetCount: UInt32(truncatingIfNeeded: octetCount - refusedOctets))
    guard writer.senderReport(report, into: &bytes),
      writer.sourceDescription(
        ssrc: configuration.ssrc, cname: configuration.cname.utf8, tool: "jitterbug".utf8, into: &bytes),
      !isGoodbye || writer.goodbye(ssrc: configuration.ssrc, into: &bytes)
    else { return nil }
    timer?.timing.sentOrReceived(bytes: writer.count)
    reportCount += 1
    return writer.count
  }
}
