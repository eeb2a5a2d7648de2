/// A VoIP Metrics block (RFC 3611 section 4.7): what a call is judged by, since its beginning.
public struct XRVoIPMetricsBlock: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 36
  /// Says that a level, a rating or a score isn't known.
  public static let unavailable: UInt8 = 127

  /// The source that the block is about.
  public var ssrc: UInt32
  /// The share of packets lost, in 1/256.
  public var lossRate: UInt8 = 0
  /// The share of packets that came but were thrown away, late ones mostly, in 1/256.
  public var discardRate: UInt8 = 0
  /// The share of packets lost or thrown away within bursts, in 1/256.
  public var burstDensity: UInt8 = 0
  /// The share of packets lost or thrown away within gaps, in 1/256.
  public var gapDensity: UInt8 = 0
  /// The mean length of a burst in milliseconds.
  public var burstDuration: UInt16 = 0
  /// The mean length of a gap in milliseconds.
  public var gapDuration: UInt16 = 0
  /// The most recent round trip in milliseconds; 0 when there was none.
  public var roundTripDelay: UInt16 = 0
  /// The delay within the reporter, from the wire to the ear, in milliseconds.
  public var endSystemDelay: UInt16 = 0
  /// The voice signal's level in dBm0, two's complement; 127 when unknown.
  public var signalLevel: UInt8 = Self.unavailable
  /// The noise level in dBm0, two's complement; 127 when unknown.
  public var noiseLevel: UInt8 = Self.unavailable
  /// The residual echo return loss in dB; 127 when unknown.
  public var residualEchoReturnLoss: UInt8 = Self.unavailable
  /// The gap threshold: a burst ends with this many packets received in a row.
  public var gapThreshold: UInt8 = 16
  /// The rating R on the narrowband scale; 127 when unknown.
  public var rFactor: UInt8 = Self.unavailable
  /// The rating of the call's other segment; 127 when unknown.
  public var externalRFactor: UInt8 = Self.unavailable
  /// Ten times the listening quality's score; 127 when unknown.
  public var listeningQuality: UInt8 = Self.unavailable
  /// Ten times the conversational quality's score; 127 when unknown.
  public var conversationalQuality: UInt8 = Self.unavailable
  /// Concealment in the two highest bits (0 unspecified, 1 disabled, 2 enhanced, 3 standard), whether the buffer adapts
  /// in the next two (0 unknown, 2 fixed, 3 adaptive), and how fast in the low four.
  public var receiverConfiguration: UInt8 = 0
  /// The jitter buffer's nominal delay in milliseconds.
  public var bufferNominal: UInt16 = 0
  /// Its delay for the latest packet that would not be thrown away, in milliseconds.
  public var bufferMaximum: UInt16 = 0
  /// The greatest delay that it can ever have, in milliseconds.
  public var bufferAbsoluteMaximum: UInt16 = 0
  private var reserved: UInt16 = 0

  /// Makes a block in which nothing but the source is known.
  public init(ssrc: UInt32) { self.ssrc = ssrc }

  init?(parsing header: XRBlockHeader, in datagram: RawSpan) {
    guard header.range.count == Self.size, datagram.contains(header.range) else { return nil }
    let offset = header.body.lowerBound
    func short(_ place: Int) -> UInt16 { datagram.bigEndian(at: offset + place, as: UInt16.self) }
    func byte(_ place: Int) -> UInt8 { datagram.byte(at: offset + place) }
    ssrc = datagram.bigEndian(at: offset, as: UInt32.self)
    lossRate = byte(4)
    discardRate = byte(5)
    burstDensity = byte(6)
    gapDensity = byte(7)
    burstDuration = short(8)
    gapDuration = short(10)
    roundTripDelay = short(12)
    endSystemDelay = short(14)
    signalLevel = byte(16)
    noiseLevel = byte(17)
    residualEchoReturnLoss = byte(18)
    gapThreshold = byte(19)
    rFactor = byte(20)
    externalRFactor = byte(21)
    listeningQuality = byte(22)
    conversationalQuality = byte(23)
    receiverConfiguration = byte(24)
    reserved = UInt16(header.specific) << 8 | UInt16(byte(25))
    bufferNominal = short(26)
    bufferMaximum = short(28)
    bufferAbsoluteMaximum = short(30)
  }

  /// Writes the block at `offset`; false when it doesn't fit, and then nothing is written.
  func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= Self.size else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.voipMetrics, specific: UInt8(reserved >> 8), length: Self.size, into: &bytes,
      at: offset)
    let body = offset + XRBlockHeader.size
    bytes.writeBigEndian(ssrc, at: body)
    bytes[body + 4] = lossRate
    bytes[body + 5] = discardRate
    bytes[body + 6] = burstDensity
    bytes[body + 7] = gapDensity
    bytes.writeBigEndian(burstDuration, at: body + 8)
    bytes.writeBigEndian(gapDuration, at: body + 10)
    bytes.writeBigEndian(roundTripDelay, at: body + 12)
    bytes.writeBigEndian(endSystemDelay, at: body + 14)
    bytes[body + 16] = signalLevel
    bytes[body + 17] = noiseLevel
    bytes[body + 18] = residualEchoReturnLoss
    bytes[body + 19] = gapThreshold
    bytes[body + 20] = rFactor
    bytes[body + 21] = externalRFactor
    bytes[body + 22] = listeningQuality
    bytes[body + 23] = conversationalQuality
    bytes[body + 24] = receiverConfiguration
    bytes[body + 25] = UInt8(truncatingIfNeeded: reserved)
    bytes.writeBigEndian(bufferNominal, at: body + 26)
    bytes.writeBigEndian(bufferMaximum, at: body + 28)
    bytes.writeBigEndian(bufferAbsoluteMaximum, at: body + 30)
    return true
  }
}
