/// What one RTP payload of video says of the frame that it belongs to.
///
/// A depacketizer gives one for each payload that it accepts.
public struct VideoPiece: Equatable, Sendable {
  /// A frame's own number.
  public struct PictureID: Equatable, Sendable {
    /// The number, which wraps around.
    public let value: Int
    /// How many bits it has.
    public let bits: Int
  }

  /// Whether the payload shows that nothing of its frame lies before it.
  public var beginsFrame = false
  /// Whether it shows that decoding can begin with this frame: an IDR slice, a VP8 key frame, a random access point.
  public var isKey = false
  /// Whether later frames may refer to this one (nal_ref_idc isn't 0; the N bit isn't set).
  public var isReference = false
  /// Whether it shows that the frame is only to be referred to, never to be seen (VP8's alternate reference).
  public var isHidden = false
  /// The frame's own number, where the encoding gives one (VP8's PictureID).
  public var pictureID: PictureID?

  /// Makes a description of a payload that says nothing.
  public init() {}
}
