import Buffering
import Packets
import Pictures
public import Statistics
import Timeline

/// What a stream does with frames of video.
extension ReceiveStream {
  /// What a viewer saw; nil for streams that have no pictures.
  public var pictures: PictureStatistics? { track?.statistics }

  /// The frames of a stream of this format; nil where its packets can't be understood as parts of frames.
  ///
  /// What is called video only because dynamic types usually are is none.
  static func track(
    of format: PayloadFormat, _ origin: FormatOrigin, isEncrypted: Bool, handsOut: Bool, parameterSets: [[UInt8]]
  ) -> PictureTrack? {
    guard !isEncrypted, origin != .convention, let encoding = VideoEncoding(format) else { return nil }
    return PictureTrack(
      encoding: encoding, clockRate: format.clockRate, handsOut: handsOut, parameterSets: parameterSets)
  }

  /// Gives a packet its frame's decoding time; false when its payload is invalid.
  mutating func place(_ packet: inout BufferedPacket, payload: RawSpan, endsFrame: Bool) -> Bool {
    guard
      let (time, isRevised) = track?.place(
        payload, sequence: packet.sequence, timestamp: packet.timestamp, at: packet.arrival)
    else { return false }
    if isRevised, let track {
      buffer.retime(base: track.base, closed: track.closedTime) { track.time(of: $0) }
      buffer.setSenderWait(track.senderWait)
    }
    packet.timestamp = time
    if endsFrame { packet.duration = track?.frameInterval ?? 0 }
    return true
  }

  /// Takes in what the buffer has made of the packet placed last.
  mutating func note(
    _ payload: RawSpan, of packet: BufferedPacket, timestamp: Int64, header: RTPHeader, insertion: Insertion
  ) {
    switch insertion {
    case .stored, .late:
      track?.arrive(
        sequence: packet.sequence, timestamp: timestamp, marker: header.marker, bytes: payload.byteCount,
        isLate: insertion == .late)
    case .misplaced, .improved, .duplicate, .full: break
    }
  }

  /// Takes in that a packet's time has come.
  mutating func assemble(_ packet: BufferedPacket, slot: Int) {
    guard track != nil else { return }
    let due = max(buffer.dueInPlace(packet.timestamp), packet.arrival)
    let closed = buffer.withPayload(in: slot) { payload in
      track?.play(payload, sequence: packet.sequence, time: packet.timestamp, due: due)
    }
    if let closed { buffer.closeFrames(through: closed) }
  }

  /// Plays all that is due by `now`; when to look again, and whether everything has been played for good.
  mutating func playOutFrames(
    until now: Instant, telling trace: inout FateLedger
  ) -> (wake: Instant?, isOver: Bool) {
    while true {
      switch buffer.poll(at: now) {
      case .wait(let instant):
        closeFrame()
        return (instant, false)
      case .ended:
        closeFrame()
        return (nil, true)
      case .play(let packet, let slot, _):
        assemble(packet, slot: slot)
        recordLevel(at: now)
        trace.settle(packet.tag, as: .played)
      case .discard(let packet):
        noteStale(sequence: packet.sequence)
        trace.settle(packet.tag, as: .discarded(.stale))
      case .recover, .conceal, .silence: continue
      }
    }
  }

  /// Takes in that nothing more is due.
  mutating func closeFrame() {
    guard let closed = track?.passTime() else { return }
    buffer.closeFrames(through: closed)
  }
}

extension JitterBuffer.Configuration {
  /// The most packets and bytes in store of a stream of video: 10 s of 15 Mbit/s in packets of 1,200 bytes.
  static let framedLimits = (packets: 16_384, bytes: 32 << 20)

  /// Holds packets that are parts of a track's frames.
  mutating func holdFrames(of track: PictureTrack) {
    isFramed = true
    if let adaptation { self.adaptation?.lateBudget = adaptation.frameBudget }
    // The marker bit of a transport stream tells of something else (RFC 2250 section 2).
    hasFrameEnds = track.encoding != .mpegTS
    packetLimit = Self.framedLimits.packets
    byteLimit = Self.framedLimits.bytes
  }
}
