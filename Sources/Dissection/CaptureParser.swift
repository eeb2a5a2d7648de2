import Packets
public import Timeline

/// Reads a capture piece by piece: pcap (all byte orders, micro- and nanoseconds), pcapng, and rtpdump recordings.
///
/// The caller keeps what wasn't consumed and hands it in again with what follows it. Memory is the longest record's.
/// Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, rtptools' `#!rtpplay1.0`.
public struct CaptureParser: Sendable {
  /// What is known of a frame beside its bytes.
  public struct Frame: Equatable, Sendable {
    /// The link type as the file names it; nil in a recording by rtpdump, whose packets are UDP payloads.
    public var linkType: Int?
    /// The length on the wire, at least that of the bytes.
    public var length: Int
    /// When it was captured, in nanoseconds since 1970.
    public var time: Instant
  }

  /// Why a capture can't be read on.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The first bytes are those of no capture.
    case unknownFormat
    /// It ends inside a header or a packet.
    case truncated(needed: Int, available: Int)
    /// A packet claims more bytes than a frame can have.
    case oversized(bytes: Int)
    /// A block or record has lengths that contradict each other.
    case badLength(Int)
    /// A packet names an interface that wasn't described.
    case unknownInterface(Int)
    /// A section begins with a byte order that isn't one.
    case badByteOrder

    /// What is wrong, in a few words.
    public var description: String {
      switch self {
      case .unknownFormat: "its first bytes are those of no capture"
      case .truncated(let needed, let available): "it ends after \(available) of the \(needed) bytes that come next"
      case .oversized(let bytes): "the next packet claims to have \(bytes) bytes"
      case .badLength(let bytes): "the next part has a length of \(bytes), which can't be"
      case .unknownInterface(let index): "the next packet names interface \(index), which was never described"
      case .badByteOrder: "the next section has a byte order that doesn't exist"
      }
    }
  }

  private enum Format: Sendable {
    case unknown
    case pcap(isBigEndian: Bool, isNanosecond: Bool, recordSize: Int, linkType: Int)
    case pcapng(isBigEndian: Bool)
    case recording(start: Instant)
  }

  /// An interface of a pcapng section.
  private struct Interface: Sendable {
    var linkType: Int
    var snapLength: Int
    /// Ticks of its clock a second.
    var resolution: UInt64 = 1_000_000
    /// Seconds to be added.
    var offset: Int64 = 0
  }

  /// The longest frame that is believed, as in libpcap.
  static let frameLimit = 262_144
  /// The longest pcapng block that is kept; longer ones that hold no packet are skipped over.
  static let blockLimit = 1 << 20
  private static let interfaceLimit = 4096

  /// Frames handed out.
  public private(set) var frames = 0
  /// Bytes consumed.
  public private(set) var position = 0
  /// Who sent what a recording by rtpdump holds, to whom; nil for other captures.
  public private(set) var recordedFlow: Flow?

  private var format = Format.unknown
  private var interfaces: [Interface] = []
  private var lastTime = Instant.zero
  /// Bytes of a long block that are still to be skipped.
  private var skipping = 0

  /// Begins with the first byte of a capture.
  public init() {}

  /// Hands each whole frame in `bytes` to `body`, and returns how many bytes are done with.
  ///
  /// Call it until nothing more is consumed. With `isLast`, bytes that remain then are a capture cut short, which is
  /// thrown; else more is needed to go on.
  public mutating func parse(
    _ bytes: RawSpan, isLast: Bool, _ body: (RawSpan, Frame) -> Void
  ) throws(Failure) -> Int {
    var offset = 0
    if skipping > 0 {
      offset = min(skipping, bytes.byteCount)
      skipping -= offset
      position += offset
    }
    if case .unknown = format, skipping == 0 {
      guard let size = try begin(bytes.extracting(offset...), isLast: isLast) else { return offset }
      offset += size
      position += size
      // Whoever reads a recording asks for its ends before its packets.
      if case .recording = format { return offset }
    }
    var needed = 0
    switch format {
    case .unknown: break
    case .pcap(let isBigEndian, let isNanosecond, let recordSize, let linkType):
      needed = try parseRecords(
        bytes, from: &offset, isBigEndian: isBigEndian, fraction: isNanosecond ? 1 : 1_000, recordSize: recordSize,
        linkType: linkType, body)
    case .pcapng: needed = try parseBlocks(bytes, from: &offset, body)
    case .recording(let start): needed = try parseRecording(bytes, from: &offset, start: start, body)
    }
    if isLast, offset < bytes.byteCount || skipping > 0 {
      throw .truncated(needed: needed + skipping, available: bytes.byteCount - offset)
    }
    return offset
  }

  // MARK: Beginning

  /// Tells the format; the length of its header, or nil when more bytes are needed to tell.
  private mutating func begin(_ bytes: RawSpan, isLast: Bool) throws(Failure) -> Int? {
    guard bytes.byteCount >= 4 else {
      if isLast, bytes.byteCount > 0 { throw .unknownFormat }
      return nil
    }
    let magic = bytes.bigEndian(at: 0, as: UInt32.self)
    switch magic {
    case 0x0a0d_0d0a:
      format = .pcapng(isBigEndian: false)
      return 0
    case 0x2321_7274: return try beginRecording(bytes, isLast: isLast)
    case 0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34, 0xd4c3_b2a1, 0x4d3c_b2a1, 0x34cd_b2a1:
      guard bytes.byteCount >= 24 else {
        if isLast { throw .truncated(needed: 24, available: bytes.byteCount) }
        return nil
      }
      let isBigEndian = magic >> 24 == 0xa1
      let kind = isBigEndian ? magic : magic.byteSwapped
      let network = Self.word(bytes, at: 20, isBigEndian: isBigEndian)
      format = .pcap(
        isBigEndian: isBigEndian, isNanosecond: kind == 0xa1b2_3c4d, recordSize: kind == 0xa1b2_cd34 ? 24 : 16,
        linkType: Int(network & 0xffff))
      return 24
    default: throw .unknownFormat
    }
  }

  private mutating func beginRecording(_ bytes: RawSpan, isLast: Bool) throws(Failure) -> Int? {
    let limit = min(bytes.byteCount, 256)
    guard let end = (0..<limit).first(where: { bytes.byte(at: $0) == 0x0a }), bytes.byteCount >= end + 17 else {
      if isLast || limit == 256 { throw .unknownFormat }
      return nil
    }
    let line = bytes.extracting(first: end)
    let text = unsafe line.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    guard text.hasPrefix("#!rtpplay1.0 ") else { throw .unknownFormat }
    let header = end + 1
    let seconds = Int64(bytes.bigEndian(at: header, as: UInt32.self))
    let microseconds = Int64(bytes.bigEndian(at: header + 4, as: UInt32.self) % 1_000_000)
    let source = NetworkEndpoint(
      ipv4: bytes.bigEndian(at: header + 8, as: UInt32.self), port: bytes.bigEndian(at: header + 12, as: UInt16.self))
    let parts = text.dropFirst("#!rtpplay1.0 ".count).split(separator: "/")
    let port = parts.count == 2 ? UInt16(parts[1].prefix { $0.isNumber }) ?? 0 : 0
    let destination = NetworkEndpoint(address: parts.first.map(String.init) ?? "", port: port)
    recordedFlow = Flow(source: source, destination: destination ?? NetworkEndpoint(ipv4: 0, port: port))
    format = .recording(start: Instant(nanoseconds: seconds * 1_000_000_000 + microseconds * 1_000))
    return header + 16
  }

  // MARK: pcap

  /// Returns how many bytes the next record needs.
  private mutating func parseRecords(
    _ bytes: RawSpan, from offset: inout Int, isBigEndian: Bool, fraction: Int64, recordSize: Int, linkType: Int,
    _ body: (RawSpan, Frame) -> Void
  ) throws(Failure) -> Int {
    while bytes.byteCount - offset >= recordSize {
      let (first, second) = Self.words(bytes, at: offset, isBigEndian: isBigEndian)
      let (third, fourth) = Self.words(bytes, at: offset + 8, isBigEndian: isBigEndian)
      let (seconds, part, size, length) = (Int64(first), Int64(second) * fraction, Int(third), Int(fourth))
      guard size <= Self.frameLimit else { throw .oversized(bytes: size) }
      guard bytes.byteCount - offset >= recordSize + size else { return recordSize + size }
      let start = offset + recordSize
      frames += 1
      offset = start + size
      position += recordSize + size
      body(
        bytes.extracting(start..<(start + size)),
        Frame(
          linkType: linkType, length: max(length, size), time: Instant(nanoseconds: seconds * 1_000_000_000 + part)))
    }
    return recordSize
  }

  // MARK: pcapng

  private mutating func parseBlocks(
    _ bytes: RawSpan, from offset: inout Int, _ body: (RawSpan, Frame) -> Void
  ) throws(Failure) -> Int {
    while bytes.byteCount - offset >= 12 {
      let isSection = bytes.bigEndian(at: offset, as: UInt32.self) == 0x0a0d_0d0a
      if isSection {
        switch bytes.bigEndian(at: offset + 8, as: UInt32.self) {
        case 0x1a2b_3c4d: format = .pcapng(isBigEndian: true)
        case 0x4d3c_2b1a: format = .pcapng(isBigEndian: false)
        default: throw .badByteOrder
        }
      }
      guard case .pcapng(let isBigEndian) = format else { return 12 }
      let type = Self.word(bytes, at: offset, isBigEndian: isBigEndian)
      let total = Int(Self.word(bytes, at: offset + 4, isBigEndian: isBigEndian))
      guard total >= 12, total % 4 == 0 else { throw .badLength(total) }
      let holdsPacket = type == 2 || type == 3 || type == 6
      guard total <= Self.blockLimit else {
        guard !holdsPacket, !isSection, type != 1 else { throw .badLength(total) }
        let here = min(total, bytes.byteCount - offset)
        skipping = total - here
        offset += here
        position += here
        continue
      }
      guard bytes.byteCount - offset >= total else { return total }
      let block = bytes.extracting(offset..<(offset + total))
      guard Self.word(block, at: total - 4, isBigEndian: isBigEndian) == UInt32(total) else { throw .badLength(total) }
      if isSection {
        interfaces = []
      } else if type == 1 {
        try describe(block, isBigEndian: isBigEndian)
      } else if holdsPacket {
        try takePacket(block, type: type, isBigEndian: isBigEndian, body)
      }
      offset += total
      position += total
    }
    return 12
  }

  /// An Interface Description Block.
  private mutating func describe(_ block: RawSpan, isBigEndian: Bool) throws(Failure) {
    guard block.byteCount >= 20, interfaces.count < Self.interfaceLimit else { throw .badLength(block.byteCount) }
    let type = Self.half(block, at: 8, isBigEndian: isBigEndian)
    var interface = Interface(
      linkType: Int(type), snapLength: Int(Self.word(block, at: 12, isBigEndian: isBigEndian)))
    var offset = 16
    let end = block.byteCount - 4
    while end - offset >= 4 {
      let code = Self.half(block, at: offset, isBigEndian: isBigEndian)
      let length = Int(Self.half(block, at: offset + 2, isBigEndian: isBigEndian))
      let value = offset + 4
      guard code != 0, length <= end - value else { break }
      if code == 9, length >= 1 {
        interface.resolution = Self.resolution(block.byte(at: value))
      } else if code == 14, length >= 8 {
        let high = Self.word(block, at: isBigEndian ? value : value + 4, isBigEndian: isBigEndian)
        let low = Self.word(block, at: isBigEndian ? value + 4 : value, isBigEndian: isBigEndian)
        interface.offset = Int64(bitPattern: UInt64(high) << 32 | UInt64(low))
      }
      offset = value + (length + 3) / 4 * 4
    }
    interfaces.append(interface)
  }

  /// Ticks a second: a power of ten, or of two when the highest bit is set; 63 bits at most.
  private static func resolution(_ code: UInt8) -> UInt64 {
    if code & 0x80 != 0 { return 1 << UInt64(min(code & 0x7f, 62)) }
    var ticks: UInt64 = 1
    for _ in 0..<min(code, 18) { ticks *= 10 }
    return ticks
  }

  /// An Enhanced, Simple or (obsolete) Packet Block.
  private mutating func takePacket(
    _ block: RawSpan, type: UInt32, isBigEndian: Bool, _ body: (RawSpan, Frame) -> Void
  ) throws(Failure) {
    let header = type == 3 ? 12 : 28
    guard block.byteCount >= header + 4 else { throw .badLength(block.byteCount) }
    let room = block.byteCount - header - 4
    let index =
      switch type {
      case 3: 0
      case 2: Int(Self.half(block, at: 8, isBigEndian: isBigEndian))
      default: Int(Self.word(block, at: 8, isBigEndian: isBigEndian))
      }
    guard index < interfaces.count else { throw .unknownInterface(index) }
    let length = Int(Self.word(block, at: type == 3 ? 8 : 24, isBigEndian: isBigEndian))
    var size = type == 3 ? min(length, room) : Int(Self.word(block, at: 20, isBigEndian: isBigEndian))
    if type == 3, interfaces[index].snapLength > 0 { size = min(size, interfaces[index].snapLength) }
    guard size <= room else { throw .badLength(size) }
    guard size <= Self.frameLimit else { throw .oversized(bytes: size) }
    if type != 3 {
      let high = UInt64(Self.word(block, at: 12, isBigEndian: isBigEndian))
      let low = UInt64(Self.word(block, at: 16, isBigEndian: isBigEndian))
      lastTime = Self.time(high << 32 | low, of: interfaces[index])
    }
    frames += 1
    body(
      block.extracting(header..<(header + size)),
      Frame(linkType: interfaces[index].linkType, length: max(length, size), time: lastTime))
  }

  /// Clamped to what fits: stamps are whatever somebody wrote.
  private static func time(_ ticks: UInt64, of interface: Interface) -> Instant {
    let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: interface.resolution)
    let product = rest.multipliedFullWidth(by: 1_000_000_000)
    let fraction = interface.resolution.dividingFullWidth(product).quotient
    let whole = Int64(clamping: seconds).addingReportingOverflow(interface.offset)
    guard !whole.overflow, whole.partialValue >= 0 else { return .zero }
    return Instant.zero + Interval.nanoseconds(1_000_000_000) * whole.partialValue + .nanoseconds(Int64(fraction))
  }

  // MARK: rtpdump

  private mutating func parseRecording(
    _ bytes: RawSpan, from offset: inout Int, start: Instant, _ body: (RawSpan, Frame) -> Void
  ) throws(Failure) -> Int {
    while bytes.byteCount - offset >= 8 {
      let size = Int(bytes.bigEndian(at: offset, as: UInt16.self))
      guard size >= 8 else { throw .badLength(size) }
      guard bytes.byteCount - offset >= size else { return size }
      // The length of an RTP packet, of which the record may hold less; 0 for RTCP.
      let length = Int(bytes.bigEndian(at: offset + 2, as: UInt16.self))
      let time = start + .milliseconds(Int64(bytes.bigEndian(at: offset + 4, as: UInt32.self)))
      frames += 1
      body(
        bytes.extracting((offset + 8)..<(offset + size)),
        Frame(linkType: nil, length: max(length, size - 8), time: time))
      offset += size
      position += size
    }
    return 8
  }

  // MARK: Numbers

  @inline(__always) private static func word(_ bytes: RawSpan, at offset: Int, isBigEndian: Bool) -> UInt32 {
    let value = bytes.bigEndian(at: offset, as: UInt32.self)
    return isBigEndian ? value : value.byteSwapped
  }

  /// Two words at once.
  @inline(__always) private static func words(
    _ bytes: RawSpan, at offset: Int, isBigEndian: Bool
  ) -> (first: UInt32, second: UInt32) {
    let value = bytes.bigEndian(at: offset, as: UInt64.self)
    let (high, low) = (UInt32(truncatingIfNeeded: value >> 32), UInt32(truncatingIfNeeded: value))
    return isBigEndian ? (high, low) : (high.byteSwapped, low.byteSwapped)
  }

  private static func half(_ bytes: RawSpan, at offset: Int, isBigEndian: Bool) -> UInt16 {
    let value = bytes.bigEndian(at: offset, as: UInt16.self)
    return isBigEndian ? value : value.byteSwapped
  }
}
