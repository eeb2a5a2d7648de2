public import Packets

/// What a single packet says of the question which video it may be.
public struct VideoGuess: Equatable, Sendable {
  /// The kinds whose payloads look like this one, by `VideoEncoding.allCases`.
  private var kinds: [Bool]
  /// Whether a frame would begin with it, if it is VP8.
  private let beginsVP8: Bool
  /// Whether it says of itself that it is synthetic video.
  public let isSynthetic: Bool
  private let marker: Bool
  private let sequence: UInt16
  private let timestamp: UInt32

  /// Looks at a packet's payload and header.
  public init(_ payload: RawSpan, sequence: UInt16, timestamp: UInt32, marker: Bool) {
    kinds = VideoEncoding.allCases.map { encoding in
      let isUsual =
        switch encoding {
        case .h264: Self.isUsualH264(payload)
        case .vp8: payload.byteCount > 0 && payload.byte(at: 0) & 0x48 == 0
        case .mpegTS: true
        }
      return isUsual && PayloadReader.readAlone(payload, as: encoding) != nil
    }
    beginsVP8 = payload.byteCount > 0 && payload.byte(at: 0) & 0x17 == 0x10
    isSynthetic = SyntheticPiece(parsing: payload) != nil
    self.marker = marker
    self.sequence = sequence
    self.timestamp = timestamp
  }

  /// The kind of video that all of some packets look like; nil when they look like none.
  ///
  /// H.264 and VP8 give themselves away by what their payloads begin with, and by the marker: it is set on the packets
  /// behind which the timestamp changes, and on no others. Neighbours are needed to see that.
  public static func encoding(of packets: [VideoGuess]) -> VideoEncoding? {
    let encodings = VideoEncoding.allCases
    func agree(_ encoding: VideoEncoding) -> Bool {
      guard let place = encodings.firstIndex(of: encoding) else { return false }
      return !packets.isEmpty && packets.allSatisfy { $0.kinds[place] }
    }
    if agree(.mpegTS) { return .mpegTS }
    var pairs = 0
    var isVP8 = agree(.vp8)
    for packet in packets {
      guard let next = packets.first(where: { $0.sequence == packet.sequence &+ 1 }) else { continue }
      guard packet.marker == (next.timestamp != packet.timestamp) else { return nil }
      if packet.marker != next.beginsVP8 { isVP8 = false }
      pairs += 1
    }
    guard pairs > 0 else { return nil }
    return agree(.h264) ? .h264 : isVP8 ? .vp8 : nil
  }

  /// Whether a NAL unit's first byte is one that encoders write, with the nal_ref_idc that its type has.
  private static func isUsualH264(_ payload: RawSpan) -> Bool {
    guard payload.byteCount > 0 else { return false }
    let header = payload.byte(at: 0)
    switch header & 0x1f {
    case 1, 24: return true
    case 5, 7, 8: return header & 0x60 != 0
    case 6, 9: return header & 0x60 == 0
    case 28: return payload.byteCount > 1 && [1, 5, 6, 7, 8].contains(payload.byte(at: 1) & 0x1f)
    default: return false
    }
  }
}
