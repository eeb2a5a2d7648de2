/// The beginning of an Opus packet: how it is coded, and how long it plays (RFC 6716 section 3).
public struct OpusPacket: Equatable, Sendable {
  /// The coding of a packet's frames.
  public enum Mode: Equatable, Sendable {
    /// Linear prediction, for speech.
    case silk
    /// Linear prediction below 8 kHz and MDCT above.
    case hybrid
    /// MDCT, for music and low delay.
    case celt
  }

  /// The audio bandwidth of a packet's frames (RFC 6716 section 2.1.3).
  public enum Bandwidth: Equatable, Sendable {
    /// 4 kHz.
    case narrowband
    /// 6 kHz.
    case mediumband
    /// 8 kHz.
    case wideband
    /// 12 kHz.
    case superwideband
    /// 20 kHz.
    case fullband
  }

  /// The longest packet: 120 ms at 48 kHz (RFC 6716 section 3.2.5, R5).
  public static let maximumDuration = 5_760
  /// The longest frame inside a packet in bytes (RFC 6716 section 3.4, R2).
  public static let maximumFrameSize = 1_275

  /// The first byte.
  public let tableOfContents: UInt8
  /// The number of frames: 1 to 48.
  public let frameCount: Int
  /// Whether the packet has 1 or 2 bytes: a frame that the encoder left out, because there is silence (RFC 6716
  /// section 2.1.9, RFC 7587 section 3.1.3).
  public let isDTX: Bool

  /// Reads the first bytes and checks all lengths by the rules R1 to R7 of RFC 6716 section 3.4.
  ///
  /// Nil when the packet is malformed: empty, longer than 120 ms, or with lengths that don't add up.
  public init?(parsing packet: RawSpan) {
    let size = packet.byteCount
    guard size > 0 else { return nil }
    tableOfContents = packet.byte(at: 0)
    isDTX = size <= 2
    switch tableOfContents & 3 {
    case 0:
      guard size - 1 <= Self.maximumFrameSize else { return nil }
      frameCount = 1
    case 1:
      guard size % 2 == 1, (size - 1) / 2 <= Self.maximumFrameSize else { return nil }
      frameCount = 2
    case 2:
      guard let first = Self.length(in: packet, at: 1, end: size) else { return nil }
      let rest = size - 1 - first.bytes - first.length
      guard rest >= 0, rest <= Self.maximumFrameSize else { return nil }
      frameCount = 2
    default:
      guard let count = Self.frameCount(ofCode3: packet) else { return nil }
      frameCount = count
    }
    guard duration <= Self.maximumDuration else { return nil }
  }

  /// The samples at 48 kHz that a packet plays, 120 to 5760, or nil when it is malformed.
  public static func duration(of packet: RawSpan) -> Int? { OpusPacket(parsing: packet)?.duration }

  /// The samples at 48 kHz that the packet plays: 120 to 5760.
  public var duration: Int { frameCount * frameDuration }

  /// The configuration number of RFC 6716 table 2: 0 to 31.
  public var configuration: Int { Int(tableOfContents >> 3) }

  /// Whether the frames are stereo; the stream may change this from packet to packet.
  public var isStereo: Bool { tableOfContents & 4 != 0 }

  /// The coding of the frames.
  public var mode: Mode {
    switch configuration {
    case 0..<12: .silk
    case 12..<16: .hybrid
    default: .celt
    }
  }

  /// The audio bandwidth of the frames.
  public var bandwidth: Bandwidth {
    switch configuration {
    case 0..<4, 16..<20: .narrowband
    case 4..<8: .mediumband
    case 8..<12, 20..<24: .wideband
    case 12..<14, 24..<28: .superwideband
    default: .fullband
    }
  }

  /// The samples at 48 kHz of one frame: 120, 240, 480, 960, 1920 or 2880.
  public var frameDuration: Int {
    switch mode {
    case .silk: configuration % 4 == 3 ? 2_880 : 480 << (configuration % 4)
    case .hybrid: 480 << (configuration % 2)
    case .celt: 120 << (configuration % 4)
    }
  }

  /// A frame's length as it is coded in one or two bytes, or nil when they aren't there (section 3.2.1).
  private static func length(in packet: RawSpan, at offset: Int, end: Int) -> (length: Int, bytes: Int)? {
    guard offset < end else { return nil }
    let first = Int(packet.byte(at: offset))
    guard first >= 252 else { return (first, 1) }
    guard offset + 1 < end else { return nil }
    return (first + 4 * Int(packet.byte(at: offset + 1)), 2)
  }

  /// The number of frames of a packet with code 3, or nil when its lengths don't add up (section 3.2.5).
  private static func frameCount(ofCode3 packet: RawSpan) -> Int? {
    guard packet.byteCount >= 2 else { return nil }
    let head = packet.byte(at: 1)
    let count = Int(head & 0x3f)
    guard count >= 1, count <= 48 else { return nil }
    var offset = 2
    var end = packet.byteCount
    if head & 0x40 != 0 {
      while true {
        guard offset < end else { return nil }
        let padding = Int(packet.byte(at: offset))
        offset += 1
        // 255 stands for 254 bytes of padding, and another length byte follows.
        end -= padding == 255 ? 254 : padding
        if padding != 255 { break }
      }
      guard offset <= end else { return nil }
    }
    if head & 0x80 == 0 {
      guard (end - offset) % count == 0, (end - offset) / count <= maximumFrameSize else { return nil }
      return count
    }
    var framed = 0
    for _ in 1..<count {
      guard let next = length(in: packet, at: offset, end: end) else { return nil }
      offset += next.bytes
      framed += next.length
    }
    let last = end - offset - framed
    return last >= 0 && last <= maximumFrameSize ? count : nil
  }
}
