import Packets
public import Timeline

/// The packets of a race: one RTP stream, made before the race begins, so that every lane carries the same bytes.
///
/// Lanes whose codec differs (in-band FEC) have a stream of their own with the same source, numbers and instants.
public struct RaceStream: Sendable {
  /// Media for one packet.
  public struct Frame: Sendable {
    /// The codec's bytes.
    public var payload: [UInt8]
    /// Its place on the media timeline, in ticks of 48 kHz since the start.
    public var time: Int64
    /// How long it plays, in ticks.
    public var duration: Int64
    /// Whether it begins a talk spurt (RFC 7587 section 4.1).
    public var marker: Bool

    /// Makes a frame.
    public init(payload: [UInt8], time: Int64, duration: Int64, marker: Bool) {
      self.payload = payload
      self.time = time
      self.duration = duration
      self.marker = marker
    }
  }

  /// Ticks of the RTP clock a second: Opus knows no other (RFC 7587 section 4.1).
  public static let clockRate: UInt32 = 48_000
  /// The payload type of every packet.
  public static let payloadType: UInt8 = 111

  /// The synchronisation source.
  public let ssrc: UInt32
  /// The number of packet 0.
  public let firstSequence: SequenceNumber
  /// The timestamp of media time 0.
  public let firstTimestamp: RTPTimestamp
  /// The media, in order of time.
  public let frames: [Frame]

  /// Makes the stream; source and first numbers come from the seed.
  public init(_ frames: [Frame], seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    ssrc = UInt32(truncatingIfNeeded: generator.next())
    firstSequence = SequenceNumber(UInt16(truncatingIfNeeded: generator.next()))
    firstTimestamp = RTPTimestamp(UInt32(truncatingIfNeeded: generator.next()))
    self.frames = frames
  }

  /// How long after the start a packet is due to be sent.
  public func due(_ index: Int) -> Interval { Interval(units: frames[index].time, rate: Self.clockRate) }

  /// When the last packet's media ends; zero without packets.
  public var end: Interval {
    frames.last.map { Interval(units: $0.time + $0.duration, rate: Self.clockRate) } ?? .zero
  }

  /// The length of media in most packets; 20 ms without any.
  public var packetInterval: Interval {
    var counts: [Int64: Int] = [:]
    for frame in frames { counts[frame.duration, default: 0] += 1 }
    let usual = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 960
    return Interval(units: usual, rate: Self.clockRate)
  }

  /// Bytes of media in all packets, without RTP headers.
  public var payloadBytes: Int { frames.reduce(0) { $0 + $1.payload.count } }

  /// Writes packet `index` in place of what `bytes` holds.
  public func write(_ index: Int, into bytes: inout [UInt8]) {
    let frame = frames[index]
    let header = RTPHeader(
      marker: frame.marker, payloadType: Self.payloadType, sequenceNumber: firstSequence.advanced(by: index),
      timestamp: firstTimestamp.advanced(by: frame.time), ssrc: ssrc)
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: repeatElement(0, count: RTPHeader.size))
    var span = bytes.mutableSpan
    _ = header.write(into: &span)
    bytes.append(contentsOf: frame.payload)
  }

  /// Bytes of packet `index` with its RTP header.
  public func size(_ index: Int) -> Int { RTPHeader.size + frames[index].payload.count }

  /// Whether a datagram is packet `index`, byte for byte.
  func isPacket(_ index: Int, _ datagram: RawSpan, in scratch: inout [UInt8]) -> Bool {
    guard datagram.byteCount == size(index) else { return false }
    write(index, into: &scratch)
    for place in scratch.indices where scratch[place] != datagram.byte(at: place) { return false }
    return true
  }
}
