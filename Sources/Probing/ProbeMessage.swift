import Packets
public import Timeline

/// A number of 128 bits that nobody can guess.
public struct ProbeToken: Sendable {
  let high: UInt64
  let low: UInt64

  /// Draws a token; the generator has to be one for secrets.
  init(using generator: inout some RandomNumberGenerator) {
    high = generator.next()
    low = generator.next()
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Compares all bits whatever the first ones are, so that the time it takes says nothing.
  func matches(_ other: ProbeToken) -> Bool { (high ^ other.high) | (low ^ other.low) == 0 }
}

/// What a prober asks a reflector for.
public struct ProbeWish: Equatable, Sendable {
  /// The media to send back; nil for none.
  public var profile: ProbeProfile?
  /// Whether to tell ten times a second what has arrived.
  public var wantsFeedback: Bool
  /// How long to send media.
  public var duration: Interval
  /// The sources that the prober sends, at most ``ProbeProfile/streamLimit``, all with one clock.
  public var sources: [UInt32]
  /// That clock's rate in Hz.
  public var clockRate: UInt32

  /// Makes a wish.
  public init(
    profile: ProbeProfile?, wantsFeedback: Bool, duration: Interval, sources: [UInt32], clockRate: UInt32
  ) {
    self.profile = profile
    self.wantsFeedback = wantsFeedback
    self.duration = duration
    self.sources = sources
    self.clockRate = clockRate
  }
}

/// What a reflector says to a proof.
public enum ProbeAnswer: Equatable, Sendable {
  /// It does as it was asked.
  case accepted
  /// It has as many clients as it takes.
  case busy
  /// The media asked for has a higher rate than it sends, which is this many bits a second.
  case tooFast(limit: UInt32)
  /// It doesn't know the token, or no longer.
  case unknownToken
}

/// What prober and reflector say to each other: RTCP APP packets named "JTBG" (RFC 3550 section 6.7).
///
/// Each stands in a compound packet behind an empty receiver report and a CNAME. What a prober sends before it has
/// proved its address is padded to ``paddedSize``, so that no reply is ever bigger than what it replies to.
public enum ProbeMessage: Sendable {
  /// The prober asks for a token.
  case request(nonce: UInt64)
  /// The reflector sends one to the address that the request seemed to come from.
  case challenge(nonce: UInt64, token: ProbeToken)
  /// The prober gives it back, and so proves that it is there; said again and again, it keeps the session alive.
  case proof(ProbeToken, ProbeWish)
  /// The reflector's answer to a proof.
  case answer(ProbeAnswer)
  /// What has arrived at the reflector.
  case feedback(ProbeFeedback)

  /// The name of the packets.
  public static let name: UInt32 = 0x4a54_4247
  /// The size of requests and proofs as datagrams.
  public static let paddedSize = 512
  /// The version of all this.
  static let version: UInt8 = 1

  private enum Subtype {
    static let request = 1
    static let challenge = 2
    static let proof = 3
    static let answer = 4
    static let feedback = 5
  }

  /// Finds a message in a compound RTCP packet; nil when there is none, or one of another version, or a broken one.
  public init?(parsing datagram: RawSpan) {
    guard var cursor = try? CompoundCursor(validating: datagram) else { return nil }
    while let part = cursor.next(in: datagram) {
      guard part.type == RTCPHeader.PacketType.application,
        let packet = try? ApplicationPacket(parsing: part, in: datagram), packet.name == Self.name
      else { continue }
      self.init(subtype: packet.subtype, data: datagram.extracting(packet.data))
      return
    }
    return nil
  }

  private init?(subtype: Int, data: RawSpan) {
    guard data.byteCount >= 4, data.byte(at: 0) == Self.version else { return nil }
    switch subtype {
    case Subtype.request:
      guard data.byteCount >= 12 else { return nil }
      self = .request(nonce: data.bigEndian(at: 4, as: UInt64.self))
    case Subtype.challenge:
      guard data.byteCount >= 28 else { return nil }
      self = .challenge(nonce: data.bigEndian(at: 4, as: UInt64.self), token: Self.token(in: data, at: 12))
    case Subtype.proof:
      guard data.byteCount >= 20, let wish = ProbeWish(parsing: data, at: 20) else { return nil }
      self = .proof(Self.token(in: data, at: 4), wish)
    case Subtype.answer:
      guard data.byteCount >= 8 else { return nil }
      switch data.byte(at: 1) {
      case 0: self = .answer(.accepted)
      case 1: self = .answer(.busy)
      case 2: self = .answer(.tooFast(limit: data.bigEndian(at: 4, as: UInt32.self)))
      case 3: self = .answer(.unknownToken)
      default: return nil
      }
    case Subtype.feedback:
      guard let feedback = ProbeFeedback(parsing: data) else { return nil }
      self = .feedback(feedback)
    default: return nil
    }
  }

  /// Writes the message as a compound packet; its length, or nil when it doesn't fit.
  func write(ssrc: UInt32, cname: String, into bytes: inout MutableSpan<UInt8>) -> Int? {
    var writer = CompoundWriter()
    guard writer.receiverReport(ssrc: ssrc, into: &bytes),
      writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, into: &bytes)
    else { return nil }
    var data = [UInt8](repeating: 0, count: isPadded ? max(Self.paddedSize - writer.count - 12, 0) : dataSize)
    guard data.count >= dataSize else { return nil }
    var span = data.mutableSpan
    writeData(into: &span)
    let isWritten = unsafe writer.application(
      ssrc: ssrc, name: Self.name, subtype: subtype, data: data.span.bytes, into: &bytes)
    return isWritten ? writer.count : nil
  }

  private var isPadded: Bool {
    switch self {
    case .request, .proof: true
    case .challenge, .answer, .feedback: false
    }
  }

  private var subtype: Int {
    switch self {
    case .request: Subtype.request
    case .challenge: Subtype.challenge
    case .proof: Subtype.proof
    case .answer: Subtype.answer
    case .feedback: Subtype.feedback
    }
  }

  private var dataSize: Int {
    switch self {
    case .request: 12
    case .challenge: 28
    case .proof(_, let wish): 20 + wish.size
    case .answer: 8
    case .feedback(let feedback): feedback.size
    }
  }

  private func writeData(into data: inout MutableSpan<UInt8>) {
    data[0] = Self.version
    switch self {
    case .request(let nonce): data.writeBigEndian(nonce, at: 4)
    case .challenge(let nonce, let token):
      data.writeBigEndian(nonce, at: 4)
      data.writeBigEndian(token.high, at: 12)
      data.writeBigEndian(token.low, at: 20)
    case .proof(let token, let wish):
      data.writeBigEndian(token.high, at: 4)
      data.writeBigEndian(token.low, at: 12)
      wish.write(into: &data, at: 20)
    case .answer(let answer):
      switch answer {
      case .accepted: data[1] = 0
      case .busy: data[1] = 1
      case .tooFast(let limit):
        data[1] = 2
        data.writeBigEndian(limit, at: 4)
      case .unknownToken: data[1] = 3
      }
    case .feedback(let feedback): feedback.write(into: &data)
    }
  }

  private static func token(in data: RawSpan, at offset: Int) -> ProbeToken {
    ProbeToken(
      high: data.bigEndian(at: offset, as: UInt64.self), low: data.bigEndian(at: offset + 8, as: UInt64.self))
  }
}

extension ProbeWish {
  /// Bytes before the sources.
  private static let fixedSize = 24

  var size: Int { Self.fixedSize + 4 * sources.count }

  /// kind, streams, packet size; interval in µs; bit rate; duration in ms; flags, count, 0, 0; clock rate; sources.
  init?(parsing data: RawSpan, at offset: Int) {
    guard data.byteCount >= offset + Self.fixedSize else { return nil }
    let code = data.byte(at: offset)
    if code == 0 {
      profile = nil
    } else {
      guard let kind = ProbeProfile.Kind(rawValue: code),
        let wanted = ProbeProfile(
          kind: kind, packetBytes: Int(data.bigEndian(at: offset + 2, as: UInt16.self)),
          interval: .microseconds(Int64(data.bigEndian(at: offset + 4, as: UInt32.self))),
          bitrate: Int(data.bigEndian(at: offset + 8, as: UInt32.self)), streams: Int(data.byte(at: offset + 1)))
      else { return nil }
      profile = wanted
    }
    duration = .milliseconds(Int64(data.bigEndian(at: offset + 12, as: UInt32.self)))
    wantsFeedback = data.byte(at: offset + 16) & 1 != 0
    let count = Int(data.byte(at: offset + 17))
    clockRate = data.bigEndian(at: offset + 20, as: UInt32.self)
    guard count <= ProbeProfile.streamLimit, clockRate > 0, data.byteCount >= offset + Self.fixedSize + 4 * count
    else { return nil }
    sources = (0..<count).map { data.bigEndian(at: offset + Self.fixedSize + 4 * $0, as: UInt32.self) }
  }

  func write(into data: inout MutableSpan<UInt8>, at offset: Int) {
    if let profile {
      data[offset] = profile.kind.rawValue
      data[offset + 1] = UInt8(clamping: profile.streams)
      data.writeBigEndian(UInt16(clamping: profile.packetBytes), at: offset + 2)
      data.writeBigEndian(UInt32(clamping: profile.interval.nanoseconds / 1_000), at: offset + 4)
      data.writeBigEndian(UInt32(clamping: profile.bitrate), at: offset + 8)
    }
    data.writeBigEndian(UInt32(clamping: duration.nanoseconds / 1_000_000), at: offset + 12)
    data[offset + 16] = wantsFeedback ? 1 : 0
    data[offset + 17] = UInt8(clamping: sources.count)
    data.writeBigEndian(clockRate, at: offset + 20)
    for (index, source) in sources.enumerated() {
      data.writeBigEndian(source, at: offset + Self.fixedSize + 4 * index)
    }
  }
}
