import Timeline

/// Tells the next packet, a late one, a jump and a restart of the sender apart (RFC 3550 A.1).
///
/// Unlike the sample code there, the packet that announces a jump isn't thrown away: the caller keeps it, and when the
/// next one follows it, both count.
struct SequenceValidator: Sendable {
  /// A gap of fewer numbers than this is loss (RFC 3550 A.1, MAX_DROPOUT).
  static let maxDropout: Int64 = 3000
  /// Fewer numbers behind than this is reordering; RFC 3550 A.1 suggests 100, which a fast stream with jitter exceeds.
  static let maxMisorder: Int64 = 500

  enum Verdict: Equatable, Sendable {
    /// The packet belongs to the stream and has this extended number.
    case accept(Int64)
    /// A jump: keep the packet until the next one tells what it was.
    case hold
    /// The sender has jumped: this packet is the second or later in sequence from there. Call `dropout` or `restart`.
    case jumped
  }

  /// What two packets in sequence far from the others turn out to be.
  enum Jump: Equatable, Sendable {
    /// The packets between were lost.
    case dropout
    /// The packets come from far back.
    case stale
    /// The sender counts anew.
    case restart
  }

  private var extender: SequenceExtender
  /// What has to be added to the extender's numbers: restarts move the count on, so that no number comes twice.
  private var offset: Int64 = 0
  private var expectedAfterJump: SequenceNumber?

  init(first: SequenceNumber) { extender = SequenceExtender(first: first) }

  /// Whether a packet was held back that may announce a jump.
  var isHolding: Bool { expectedAfterJump != nil }

  /// The packet held back was given up.
  mutating func forgetJump() { expectedAfterJump = nil }

  /// How far `number` is ahead of the highest, going forward.
  func distanceAhead(of number: SequenceNumber) -> Int64 {
    Int64(number.rawValue &- UInt16(truncatingIfNeeded: extender.highest))
  }

  /// Whether `number` follows the highest with no more than loss between: `judge` accepts it whatever its timestamp.
  func goesOn(_ number: SequenceNumber) -> Bool {
    let ahead = distanceAhead(of: number)
    return ahead > 0 && ahead < Self.maxDropout
  }

  /// The highest extended number accepted.
  var highest: Int64 { extender.highest + offset }

  /// Judges the next packet; `fits` tells whether its timestamp goes with those before it, as that of a late packet or
  /// a duplicate does and that of a restarted sender doesn't.
  mutating func judge(_ number: SequenceNumber, fits: Bool) -> Verdict {
    let distance = extender.extended(number) - extender.highest
    if distance > 0, distance < Self.maxDropout {
      expectedAfterJump = nil
      return .accept(extender.extend(number) + offset)
    }
    if distance <= 0, distance > -Self.maxMisorder, fits { return .accept(highest + distance) }
    if expectedAfterJump == number { return .jumped }
    expectedAfterJump = number.advanced(by: 1)
    return .hold
  }

  /// The numbers between were lost: returns the extended number of `number`, taken as ahead of the highest.
  mutating func dropout(to number: SequenceNumber) -> Int64 {
    expectedAfterJump = nil
    let target = extender.highest + distanceAhead(of: number)
    offset += target - Int64(number.rawValue)
    extender = SequenceExtender(first: number)
    return highest
  }

  /// The sender counts anew: returns the extended number of `number`, placed `margin` beyond the highest.
  mutating func restart(at number: SequenceNumber, margin: Int64) -> Int64 {
    expectedAfterJump = nil
    let target = highest + margin
    extender = SequenceExtender(first: number)
    offset = target - extender.highest
    return target
  }
}
