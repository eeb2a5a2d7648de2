import Packets

/// The packets that stand in for audio that never came (RFC 7845 section 4.1): frames of zero bytes, which a decoder
/// conceals.
///
/// Mode, bandwidth, channels, frame size and frames per packet stay as in the packet before for as long as the gap
/// allows; what is left over is filled by shorter frames of the same mode and then, since only CELT has frames shorter
/// than 10 ms, of CELT with the same bandwidth. A remainder below 2.5 ms cannot be filled.
struct OggGapFiller: IteratorProtocol {
  /// A packet of one or two bytes.
  struct Packet: Equatable {
    let tableOfContents: UInt8
    /// The second byte, of packets with more than two frames.
    let frameCount: UInt8?
    /// Samples at 48 kHz.
    let duration: Int
  }

  /// The samples at 48 kHz that are still to be filled.
  private(set) var remaining: Int64
  private let configuration: Int
  private let channelBit: UInt8
  private let framesPerPacket: Int

  /// Fills `gap` samples at 48 kHz behind `packet`.
  init(gap: Int64, after packet: OpusPacket) {
    remaining = max(0, gap)
    configuration = packet.configuration
    channelBit = packet.tableOfContents & 4
    framesPerPacket = packet.frameCount
  }

  /// The next packet, or nil when less than 2.5 ms are left.
  mutating func next() -> Packet? {
    let frame = Self.frameDuration(configuration)
    let packet: Packet
    if remaining >= Int64(frame) {
      let frames = min(framesPerPacket, Int(clamping: remaining / Int64(frame)))
      packet = make(configuration, frames: frames)
    } else if let shorter = Self.shorter(than: remaining, like: configuration) {
      packet = make(shorter, frames: 1)
    } else {
      return nil
    }
    remaining -= Int64(packet.duration)
    return packet
  }

  private func make(_ configuration: Int, frames: Int) -> Packet {
    let first = UInt8(configuration << 3) | channelBit
    let duration = frames * Self.frameDuration(configuration)
    return switch frames {
    case 1: Packet(tableOfContents: first, frameCount: nil, duration: duration)
    case 2: Packet(tableOfContents: first | 1, frameCount: nil, duration: duration)
    default: Packet(tableOfContents: first | 3, frameCount: UInt8(frames), duration: duration)
    }
  }

  /// The configuration with the longest frame that fits into `gap`: of the same mode, else of CELT.
  private static func shorter(than gap: Int64, like configuration: Int) -> Int? {
    let sameMode =
      switch configuration {
      case 0..<12: (configuration & ~3)...(configuration & ~3 | 3)
      case 12..<16: (configuration & ~1)...(configuration & ~1 | 1)
      default: (configuration & ~3)...(configuration & ~3 | 3)
      }
    // Narrowband stays so; medium band, which CELT lacks, becomes wideband.
    let celt =
      switch configuration {
      case 0..<4: 16...19
      case 4..<12: 20...23
      case 12..<14: 24...27
      case 14..<16: 28...31
      default: sameMode
      }
    return sameMode.last { Int64(frameDuration($0)) <= gap } ?? celt.last { Int64(frameDuration($0)) <= gap }
  }

  /// Samples at 48 kHz of a frame, by RFC 6716 table 2.
  private static func frameDuration(_ configuration: Int) -> Int {
    switch configuration {
    case 0..<12: [480, 960, 1920, 2880][configuration & 3]
    case 12..<16: [480, 960][configuration & 1]
    default: [120, 240, 480, 960][configuration & 3]
    }
  }
}
