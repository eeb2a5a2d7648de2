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
    /// Whether nothing behind it refers to what lies before it, although it may be shown earlier (MPEG-2's closed_gop).
    public var isClosed = false
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

  /// Whether a packet with this identifier can be of use to a player: before the first map it is the tables alone.
  func isUsable(pid: Int) -> Bool { program.hasMap || program.isTable(pid: pid) }

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
    scanner = TransportKeyScanner(program.codec, isKey: packet.isRandomAccess, isDone: packet.isScrambled)
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
    scanner.scan(payload)
    if scanner.isKey { current?.isKey = true }
    if scanner.isClosed { current?.isClosed = true }
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

/// Looks through a picture's bytes for the signs that decoding can begin with it, until it is known.
struct TransportKeyScanner: Sendable {
  /// Whether decoding can begin with the picture.
  private(set) var isKey: Bool
  /// Whether the group of pictures that begins with it refers to nothing before it (MPEG-2's closed_gop).
  private(set) var isClosed = false

  private let codec: TransportProgram.Codec
  private var isDone: Bool
  /// The bytes left of a group's header up to the one with closed_gop (ISO/IEC 13818-2 section 6.2.2.6).
  private var untilGroupFlags = 0
  /// The last three bytes, for a start code lies where it likes.
  private var recent: UInt32 = 0xffff_ffff

  init(_ codec: TransportProgram.Codec = .other, isKey: Bool = false, isDone: Bool = true) {
    self.codec = codec
    self.isKey = isKey
    // Of all but MPEG-2 nothing is left to be known of a key picture.
    self.isDone = isDone || codec == .other || isKey && codec != .mpeg2
  }

  /// Takes the next bytes.
  mutating func scan(_ payload: RawSpan) {
    var index = 0
    while !isDone, index < payload.byteCount {
      let byte = payload.byte(at: index)
      if untilGroupFlags > 0 {
        untilGroupFlags -= 1
        if untilGroupFlags == 0 { isClosed = byte & 0x40 != 0 }
      } else if recent & 0xff_ffff == 1 {
        read(byte)
      }
      recent = recent << 8 | UInt32(byte)
      index += 1
    }
  }

  /// Reads the byte behind a start code.
  private mutating func read(_ byte: UInt8) {
    switch codec {
    case .mpeg2:
      if byte == 0xb3 { isKey = true }
      if byte == 0xb8 { untilGroupFlags = 4 }
      if byte == 0x00 { isDone = true }
    case .h264:
      isKey = [5, 7].contains(byte & 0x1f)
      isDone = isKey || [1, 2].contains(byte & 0x1f)
    case .hevc:
      let type = byte >> 1 & 0x3f
      isKey = 16...23 ~= type || type == 33
      isDone = isKey || 0...9 ~= type
    case .other: break
    }
  }
}
