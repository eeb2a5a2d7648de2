/// What the first bytes of a packet of synthetic video say: its frames hold nothing, but a receiver can tell key frames.
///
/// Eight bytes, where the packet has room for them: 6B 00, which no packet of Opus begins with (a count of no frames),
/// “JBsyn”, and a letter for the piece.
public enum SyntheticPiece: UInt8, CaseIterable, Sendable {
  /// K: a key frame begins here.
  case keyFrame = 0x4b
  /// F: another frame begins here.
  case frame = 0x46
  /// C: the frame has begun in a packet before.
  case continuation = 0x43

  /// The bytes that it takes.
  public static let size = 8

  /// Reads a payload; nil when it doesn't say what it is.
  public init?(parsing payload: RawSpan) {
    guard payload.byteCount >= Self.size, payload.bigEndian(at: 0, as: UInt32.self) == 0x6b00_4a42,
      payload.bigEndian(at: 4, as: UInt32.self) >> 8 == 0x73796e
    else { return nil }
    self.init(rawValue: payload.byte(at: 7))
  }

  /// Writes it over the beginning of a payload; nothing where there is no room.
  public func write(into payload: inout MutableSpan<UInt8>) {
    guard payload.count >= Self.size else { return }
    let word: UInt64 = 0x6b00_4a42_7379_6e00 | UInt64(rawValue)
    for index in 0..<Self.size { payload[index] = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * index)) }
  }
}
