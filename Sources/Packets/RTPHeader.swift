public import Timeline

/// The fixed part of an RTP header (RFC 3550 section 5.1).
public struct RTPHeader: Equatable, Sendable {
  /// The length of the fixed part in bytes.
  public static let size = 12

  /// The marker bit; for audio the start of a talk spurt (RFC 3551 section 4.1), for video the end of a frame.
  public var marker: Bool
  /// The payload type, 0 to 127; higher bits are not written.
  public var payloadType: UInt8
  /// The sequence number, one more for each packet sent.
  public var sequenceNumber: SequenceNumber
  /// The sampling instant of the payload's first byte, in units of the payload's clock.
  public var timestamp: RTPTimestamp
  /// The synchronization source.
  public var ssrc: UInt32

  /// Makes a header from its fields.
  public init(
    marker: Bool = false, payloadType: UInt8, sequenceNumber: SequenceNumber, timestamp: RTPTimestamp, ssrc: UInt32
  ) {
    self.marker = marker
    self.payloadType = payloadType
    self.sequenceNumber = sequenceNumber
    self.timestamp = timestamp
    self.ssrc = ssrc
  }

  /// Writes the 12 bytes of a header without CSRCs, extension and padding at the start of `bytes`.
  ///
  /// Returns 12, or nil when `bytes` is shorter; then nothing is written.
  public func write(into bytes: inout MutableSpan<UInt8>) -> Int? { write(firstByte: 0x80, into: &bytes) }

  /// Writes the header with the version, padding and extension bits and CSRC count given.
  func write(firstByte: UInt8, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard bytes.count >= Self.size else { return nil }
    bytes[0] = firstByte
    bytes[1] = (marker ? 0x80 : 0) | (payloadType & 0x7f)
    bytes.writeBigEndian(sequenceNumber.rawValue, at: 2)
    bytes.writeBigEndian(timestamp.rawValue, at: 4)
    bytes.writeBigEndian(ssrc, at: 8)
    return Self.size
  }

  /// Reads the fields from the first 12 bytes; the caller has checked that they are there.
  @inlinable @inline(__always) init(unchecked datagram: RawSpan) {
    let second = datagram.byte(at: 1)
    marker = second & 0x80 != 0
    payloadType = second & 0x7f
    sequenceNumber = SequenceNumber(datagram.bigEndian(at: 2, as: UInt16.self))
    timestamp = RTPTimestamp(datagram.bigEndian(at: 4, as: UInt32.self))
    ssrc = datagram.bigEndian(at: 8, as: UInt32.self)
  }
}
