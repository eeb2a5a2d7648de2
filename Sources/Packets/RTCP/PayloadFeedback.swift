/// Feedback on a payload (RFC 4585 section 6.3, packet type 206): what a receiver of video asks its sender for.
///
/// Picture loss indications and full intra requests are read; of the other kinds only their number is known.
public struct PayloadFeedback: Equatable, Sendable {
  /// The length in bytes of the body's fixed part: the SSRCs of who asks and of whom.
  public static let fixedSize = 8
  /// The length in bytes of one full intra request behind the fixed part.
  public static let requestSize = 8

  /// What is asked for; the raw value is the feedback message type (FMT).
  public enum Kind: Equatable, Sendable {
    /// Pictures were lost, so that a key frame would help (RFC 4585 section 6.3.1).
    case pictureLossIndication
    /// A key frame is demanded of each source in a list (RFC 5104 section 4.3.1).
    case fullIntraRequest
    /// A message type that isn't read, such as 15 for one of an application's own.
    case other(Int)
  }

  /// One entry of a full intra request.
  public struct Request: Equatable, Sendable {
    /// The source that is to send a key frame.
    public let ssrc: UInt32
    /// Counts the requests of this asker to this source; the same number again is a repetition, not another request.
    public let sequence: UInt8
  }

  /// The source that asks.
  public let ssrc: UInt32
  /// The source that a picture loss indication is meant for; 0 in a full intra request, which has a list.
  public let media: UInt32
  /// What is asked for.
  public let kind: Kind
  /// Where the packet was parsed from.
  private let part: CompoundPart

  /// Reads the feedback that a cursor has found.
  ///
  /// Throws when it is of another type, shorter than its fixed part, or a full intra request whose list is empty or
  /// cut in the middle of an entry.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(type: RTCPHeader.PacketType.payloadFeedback, bodySize: Self.fixedSize)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    ssrc = datagram.bigEndian(at: part.body.lowerBound, as: UInt32.self)
    media = datagram.bigEndian(at: part.body.lowerBound + 4, as: UInt32.self)
    self.part = part
    switch part.count {
    case Format.pictureLossIndication: kind = .pictureLossIndication
    case Format.fullIntraRequest:
      let list = part.body.count - Self.fixedSize
      guard list > 0, list % Self.requestSize == 0 else {
        throw .badLength(offset: part.body.lowerBound + Self.fixedSize)
      }
      kind = .fullIntraRequest
    default: kind = .other(part.count)
    }
  }

  /// The entries of a full intra request; 0 for any other kind.
  public var requestCount: Int {
    kind == .fullIntraRequest ? (part.body.count - Self.fixedSize) / Self.requestSize : 0
  }

  /// Entry number `index` of a full intra request, or nil when there are fewer.
  public func request(_ index: Int, in datagram: RawSpan) -> Request? {
    guard index >= 0, index < requestCount, datagram.contains(part.body) else { return nil }
    let offset = part.body.lowerBound + Self.fixedSize + index * Self.requestSize
    return Request(
      ssrc: datagram.bigEndian(at: offset, as: UInt32.self), sequence: datagram.byte(at: offset + 4))
  }

  /// Whether `source` is asked for a key frame, by an indication or as one of a list.
  public func asksForKeyFrame(of source: UInt32, in datagram: RawSpan) -> Bool {
    switch kind {
    case .pictureLossIndication: return media == source
    case .fullIntraRequest:
      for index in 0..<requestCount where request(index, in: datagram)?.ssrc == source { return true }
      return false
    case .other: return false
    }
  }

  /// Writes the same packet again, byte for byte.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    part.write(from: source, into: &bytes)
  }

  /// The feedback message types that are read (RFC 4585 section 6.3, RFC 5104 section 4.3).
  enum Format {
    static let pictureLossIndication = 1
    static let fullIntraRequest = 4
  }
}

extension CompoundWriter {
  /// Appends a picture loss indication (RFC 4585 section 6.3.1): `sender` asks `media` for a key frame.
  public mutating func pictureLossIndication(
    sender: UInt32, media: UInt32, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    guard
      let body = begin(
        type: RTCPHeader.PacketType.payloadFeedback, count: PayloadFeedback.Format.pictureLossIndication,
        bodySize: PayloadFeedback.fixedSize, in: &bytes)
    else { return false }
    bytes.writeBigEndian(sender, at: body)
    bytes.writeBigEndian(media, at: body + 4)
    return true
  }

  /// Appends a full intra request (RFC 5104 section 4.3.1) of one entry: `sender` demands a key frame of `media`.
  ///
  /// `sequence` is one more for each new request and the same for a repetition.
  public mutating func fullIntraRequest(
    sender: UInt32, media: UInt32, sequence: UInt8, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    guard
      let body = begin(
        type: RTCPHeader.PacketType.payloadFeedback, count: PayloadFeedback.Format.fullIntraRequest,
        bodySize: PayloadFeedback.fixedSize + PayloadFeedback.requestSize, in: &bytes)
    else { return false }
    bytes.writeBigEndian(sender, at: body)
    bytes.writeBigEndian(UInt32(0), at: body + 4)
    bytes.writeBigEndian(media, at: body + 8)
    bytes.writeBigEndian(UInt32(sequence) << 24, at: body + 12)
    return true
  }
}
