/// Follows the pictures of a transport stream: where each begins and ends, whether decoding can begin with it, and
/// whether something of it is missing.
///
/// It is given every packet in order, and told of gaps. A picture is a PES packet of the first program's video, which the
/// stream's tables name; what is missing is known by the continuity counters.
public struct TransportStreamMonitor: Sendable {
  /// A picture that has ended, or what has been seen of the one that is under way.
  public struct Frame: Equatable, Sendable {
    /// When it is to be shown, in 1/90000 s, a number of 33 bits (PTS); nil when it isn't said.
    public var presentation: Int64?
    /// When it is to be decoded, in 1/90000 s, a number of 33 bits (DTS); nil when it isn't said.
    public var decode: Int64?
    /// Whether decoding can begin here: the packet says so, or parameters or a picture of their own are inside.
    public var isKey = false
    /// Whether something of it is missing or known to be wrong.
    public var isDamaged = false
    /// The packets that it came in.
    public var packets = 0
    /// The bytes of its elementary stream.
    public var bytes = 0
  }

  /// The picture under way; nil before the first.
  public private(set) var current: Frame?
  /// The packets that were given.
  public private(set) var packetCount = 0
  /// Packets that aren't any by their own header, or that were known to be wrong before they were sent.
  public private(set) var invalidCount = 0
  /// How often a continuity counter wasn't what it must be.
  public private(set) var continuityErrors = 0

  private var program = TransportProgram()
  /// The last counter of each identifier, and whether it came twice already; `unknown` before the first.
  private var counters = [UInt8](repeating: Self.unknown, count: 8192)
  /// Whether so much may be missing that the counters can have gone round.
  private var isUncertain = false
  private var scanner = TransportKeyScanner()

  private static let unknown: UInt8 = 0xff
  private static let repeated: UInt8 = 0x10

  /// Starts before a stream's first packet, or anywhere within it.
  public init() {}

  /// The identifier of the packets of video; nil until the stream's tables have named it.
  public var videoPID: Int? { program.videoPID }

  /// Takes the next packet of 188 bytes; returns the picture that has ended because another begins with it.
  public mutating func append(_ bytes: RawSpan) -> Frame? {
    packetCount += 1
    guard let packet = TransportPacket(parsing: bytes), !packet.hasError else {
      invalidCount += 1
      // Whose it was can't be relied on; the counter of its kind will tell.
      return nil
    }
    guard packet.pid != TransportPacket.nullPID else { return nil }
    let order = order(of: packet)
    if order == .repetition { return nil }
    if order == .broken { continuityErrors += 1 }
    guard !packet.payload.isEmpty else { return nil }
    let payload = bytes.extracting(packet.payload)
    guard packet.pid == program.videoPID else {
      if order == .broken { program.noteGap() }
      program.append(packet, payload)
      return nil
    }
    let isBroken = order == .broken || isUncertain
    isUncertain = false
    guard packet.startsUnit else {
      guard current != nil else { return nil }
      if isBroken { current?.isDamaged = true }
      add(payload)
      return nil
    }
    var ended = current
    if isBroken { ended?.isDamaged = true }
    begin(packet, payload)
    return ended
  }

  /// Packets are missing before the next one; `packets` is how many at most.
  ///
  /// Up to 14 the counters show whether any of the video are among them.
  public mutating func noteGap(packets: Int = .max) {
    program.noteGap()
    if packets > 14 { isUncertain = true }
  }

  /// The stream is over: returns the picture that was under way.
  public mutating func finish() -> Frame? {
    defer { current = nil }
    if isUncertain { current?.isDamaged = true }
    return current
  }

  // MARK: -

  private enum Order { case first, next, repetition, broken }

  /// How a packet's counter stands to that of the one before (section 2.4.3.3).
  private mutating func order(of packet: TransportPacket) -> Order {
    let last = counters[packet.pid]
    let now = UInt8(packet.continuity)
    guard last != Self.unknown, !packet.isDiscontinuous else {
      counters[packet.pid] = now
      return .first
    }
    let before = last & 0x0f
    guard !packet.payload.isEmpty else {
      // Without a payload the counter stands still.
      counters[packet.pid] = now
      return now == before ? .next : .broken
    }
    // After fifteen lost packets the counter is the same again.
    if now == before, last & Self.repeated == 0, !isUncertain || packet.pid != program.videoPID {
      counters[packet.pid] = now | Self.repeated
      return .repetition
    }
    counters[packet.pid] = now
    return now == (before + 1) & 0x0f ? .next : .broken
  }

  /// Begins a picture with the packet that a PES packet begins in (section 2.4.3.6).
  private mutating func begin(_ packet: TransportPacket, _ payload: RawSpan) {
    var frame = Frame()
    frame.isKey = packet.isRandomAccess
    frame.isDamaged = packet.isScrambled
    scanner = TransportKeyScanner(program.codec, isDone: packet.isRandomAccess || packet.isScrambled)
    var start = 0
    if payload.byteCount >= 9, payload.bigEndian(at: 0, as: UInt32.self) >> 8 == 1 {
      let flags = payload.byte(at: 7)
      start = 9 + Int(payload.byte(at: 8))
      if flags & 0x80 != 0 { frame.presentation = Self.timestamp(in: payload, at: 9) }
      frame.decode = flags & 0xc0 == 0xc0 ? Self.timestamp(in: payload, at: 14) : frame.presentation
    } else {
      frame.isDamaged = true
    }
    current = frame
    add(payload.extracting(min(start, payload.byteCount)..<payload.byteCount))
  }

  private mutating func add(_ payload: RawSpan) {
    if scanner.finds(payload) { current?.isKey = true }
    current?.packets += 1
    current?.bytes += payload.byteCount
  }

  /// A time of 33 bits in five bytes; nil when it isn't all there.
  private static func timestamp(in payload: RawSpan, at offset: Int) -> Int64? {
    guard payload.byteCount >= offset + 5 else { return nil }
    let high = Int64(payload.byte(at: offset) >> 1 & 7)
    let middle = Int64(payload.bigEndian(at: offset + 1, as: UInt16.self) >> 1)
    let low = Int64(payload.bigEndian(at: offset + 3, as: UInt16.self) >> 1)
    return high << 30 | middle << 15 | low
  }
}

/// Looks through a picture's bytes for the sign that decoding can begin with it, until it is known.
struct TransportKeyScanner: Sendable {
  private let codec: TransportProgram.Codec
  private var isDone: Bool
  /// The last three bytes, for a start code lies where it likes.
  private var recent: UInt32 = 0xffff_ffff

  init(_ codec: TransportProgram.Codec = .other, isDone: Bool = true) {
    self.codec = codec
    self.isDone = isDone || codec == .other
  }

  /// Takes the next bytes; whether the sign is among them.
  mutating func finds(_ payload: RawSpan) -> Bool {
    guard !isDone else { return false }
    for index in 0..<payload.byteCount {
      let byte = payload.byte(at: index)
      if recent & 0xff_ffff == 1, let isKey = verdict(byte) {
        isDone = true
        return isKey
      }
      recent = recent << 8 | UInt32(byte)
    }
    return false
  }

  /// What the byte behind a start code says of the picture; nil when nothing.
  private func verdict(_ byte: UInt8) -> Bool? {
    switch codec {
    case .mpeg2: byte == 0xb3 ? true : byte == 0x00 ? false : nil
    case .h264:
      switch byte & 0x1f {
      case 5, 7: true
      case 1, 2: false
      default: nil
      }
    case .hevc:
      switch byte >> 1 & 0x3f {
      case 16...23, 33: true
      case 0...9: false
      default: nil
      }
    case .other: nil
    }
  }
}
