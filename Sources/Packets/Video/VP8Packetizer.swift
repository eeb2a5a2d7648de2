/// Cuts VP8 frames into RTP payloads (RFC 7741).
///
/// Ask for the payloads of one frame until ``isAtEnd``; that is where the marker bit is set, and the next call begins
/// another frame. All payloads but a frame's last have the same length. Each carries the frame's number of 15 bits;
/// partitions aren't told apart (PID stays 0), and no frame is called one that can be missed.
public struct VP8Packetizer: Sendable {
  /// The length in bytes of the descriptor before each piece of a frame.
  public static let descriptorSize = 4

  /// The most bytes that a payload may have.
  public let payloadLimit: Int
  /// The number of the frame that is being cut, or will be: 0 to 32767, around and around.
  public private(set) var pictureID: Int
  private var offset = 0

  /// Starts before a frame.
  ///
  /// - Parameters:
  ///   - payloadLimit: The most bytes that an RTP payload may have; below 5 there is no room for any frame.
  ///   - pictureID: The first frame's number, of which 15 bits count; best a random one (section 4.2).
  public init(payloadLimit: Int, pictureID: Int = 0) {
    self.payloadLimit = payloadLimit
    self.pictureID = pictureID & 0x7fff
  }

  /// Whether no frame has been begun or the last payload of one was written.
  public var isAtEnd: Bool { offset == 0 }

  /// How many payloads a frame becomes.
  public func count(of frame: RawSpan) -> Int {
    let room = payloadLimit - Self.descriptorSize
    guard room > 0 else { return 0 }
    return frame.byteCount / room + (frame.byteCount % room == 0 ? 0 : 1)
  }

  /// Writes the next payload of a frame and returns its length.
  ///
  /// Nil for a frame without bytes, and when `bytes` or ``payloadLimit`` leaves no room for a single one of them.
  public mutating func next(of frame: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    let room = min(payloadLimit, bytes.count) - Self.descriptorSize
    guard room > 0, offset < frame.byteCount else {
      offset = 0
      return nil
    }
    var descriptor = VP8Descriptor()
    descriptor.startsPartition = offset == 0
    descriptor.pictureID = pictureID
    guard let start = descriptor.write(into: &bytes) else { return nil }
    let end = min(offset + room, frame.byteCount)
    let length = bytes.copy(offset..<end, of: frame, at: start)
    offset = end
    if end == frame.byteCount {
      offset = 0
      pictureID = (pictureID + 1) & 0x7fff
    }
    return length
  }
}
