/// Receivers' requests for a key frame of this stream, by kind.
public struct KeyFrameRequests: Equatable, Sendable {
  /// Picture loss indications (RFC 4585 section 6.3.1).
  public internal(set) var pictureLosses = 0
  /// Full intra requests (RFC 5104 section 4.3.1), each counted once however often it was repeated.
  public internal(set) var fullIntra = 0
  /// The last full intra request of each of those who asked last, as they number them, the latest at the end: a
  /// repetition has the same number.
  private var commands: [(sender: UInt32, number: UInt8)] = []
  /// So many senders of requests are remembered.
  static let senderLimit = 16

  /// Requests of any kind.
  public var total: Int { pictureLosses + fullIntra }

  init() {}

  /// Notes a full intra request.
  mutating func noteFullIntra(from sender: UInt32, number: UInt8) {
    var isRepetition = false
    if let place = commands.firstIndex(where: { $0.sender == sender }) {
      isRepetition = commands.remove(at: place).number == number
    } else if commands.count == Self.senderLimit {
      commands.removeFirst()
    }
    commands.append((sender, number))
    if !isRepetition { fullIntra += 1 }
  }

  /// Whether both say the same.
  public static func == (left: Self, right: Self) -> Bool {
    left.pictureLosses == right.pictureLosses && left.fullIntra == right.fullIntra
  }
}
