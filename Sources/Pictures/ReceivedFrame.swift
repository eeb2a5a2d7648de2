public import Timeline

/// A frame of video whose time has come, with what arrived of it.
public struct ReceivedFrame: Equatable, Sendable {
  /// Counts the frames handed out, from 0.
  public var number: Int
  /// Its extended RTP timestamp: when it is to be shown.
  public var timestamp: Int64
  /// When it was due: what came later isn't in it.
  public var due: Instant
  /// Packets of it that weren't there; 0 when it is complete, at least 1 when it isn't.
  public var missingPackets: Int
  /// Whether decoding can begin with it.
  public var isKey: Bool
  /// Whether it is complete, and so is all that it refers to.
  public var isDecodable: Bool
  /// Whether others may refer to it.
  public var isReference: Bool
  /// Whether it can't be shown as it should, but is needed by those that will be: a part of a refresh without key frames.
  public var heals = false
}

/// Frames that wait to be fetched, with their bytes.
struct FrameQueue: Sendable {
  /// The most frames and bytes that wait; the oldest is given up.
  static let frameLimit = 64
  static let byteLimit = 32 << 20

  private var frames: [(frame: ReceivedFrame, bytes: [UInt8])] = []
  private var waiting = 0
  /// Memory of a frame that was fetched, for one to come.
  private var spare: [UInt8] = []

  mutating func append(_ frame: ReceivedFrame, taking bytes: inout [UInt8]) {
    while !frames.isEmpty, frames.count == Self.frameLimit || waiting + bytes.count > Self.byteLimit {
      waiting -= frames.removeFirst().bytes.count
    }
    waiting += bytes.count
    frames.append((frame, bytes))
    bytes = []
    swap(&bytes, &spare)
    bytes.removeAll(keepingCapacity: true)
  }

  /// The next frame, whose bytes take the place of those in `bytes`.
  mutating func next(into bytes: inout [UInt8]) -> ReceivedFrame? {
    guard !frames.isEmpty else { return nil }
    swap(&bytes, &spare)
    let (frame, content) = frames.removeFirst()
    bytes = content
    waiting -= content.count
    return frame
  }
}
