import Timeline

/// Tells the next packet, a late one, a jump and a restart of the sender apart (RFC 3550 A.1).
///
/// Unlike the sample code there, the packets that announce a jump aren't thrown away: the caller keeps a few, and when
/// one follows another in sequence, all count.
struct SequenceValidator: Sendable {
  /// A gap of fewer numbers than this is loss (RFC 3550 A.1, MAX_DROPOUT).
  static let maxDropout: Int64 = 3000
  /// Fewer numbers behind than this is reordering; RFC 3550 A.1 suggests 100, which a fast stream with jitter exceeds.
  static let maxMisorder: Int64 = 500

  enum Verdict: Equatable, Sendable {
    /// The packet belongs to the stream and has this extended number.
    case accept(Int64)
    /// A jump: keep the packet until one that follows it in sequence tells what it was.
    case hold
    /// The sender has jumped: this packet follows one held back. Call `dropout` or `restart`.
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
  /// The numbers that would follow packets held back.
  private var awaited: [SequenceNumber] = []

  init(first: SequenceNumber) { extender = SequenceExtender(first: first) }

  /// Whether packets were held back that may announce a jump.
  var isHolding: Bool { !awaited.isEmpty }

  /// The packets held back were given up.
  mutating func forgetJump() { awaited = [] }

  /// The packet with this number, held back longest, was given up.
  mutating func forget(_ number: SequenceNumber) {
    if let place = awaited.firstIndex(of: number.advanced(by: 1)) { awaited.remove(at: place) }
  }

  /// How far `number` is ahead of the highest, going forward.
  func distanceAhead(of number: SequenceNumber) -> Int64 {
    Int64(number.rawValue &- UInt16(truncatingIfNeeded: extender.highest))
  }

  /// Whether `number` follows the highest with no more than loss between: `judge` accepts it whatever its timestamp.
  func goesOn(_ number: SequenceNumber) -> Bool {
    let ahead = distanceAhead(of: number)
    return ahead > 0 && ahead < Self.maxDropout
  }

  /// Accepts a number that goes on while none announces a jump; its extended number, or nil for `judge` to decide.
  mutating func goOn(to number: SequenceNumber) -> Int64? {
    guard goesOn(number), awaited.isEmpty else { return nil }
    return extender.extend(number) + offset
  }

  /// The highest extended number accepted.
  var highest: Int64 { extender.highest + offset }

  /// Judges the next packet; `fits` tells whether its timestamp goes with those before it, as that of a late packet or
  /// a duplicate does and that of a restarted sender doesn't.
  mutating func judge(_ number: SequenceNumber, fits: Bool) -> Verdict {
    let distance = extender.extended(number) - extender.highest
    if distance > 0, distance < Self.maxDropout {
      awaited = []
      return .accept(extender.extend(number) + offset)
    }
    if distance <= 0, distance > -Self.maxMisorder, fits { return .accept(highest + distance) }
    if awaited.contains(number) { return .jumped }
    awaited.append(number.advanced(by: 1))
    return .hold
  }

  /// The numbers between were lost: returns the extended number of `number`, taken as ahead of the highest.
  mutating func dropout(to number: SequenceNumber) -> Int64 {
    awaited = []
    let target = extender.highest + distanceAhead(of: number)
    offset += target - Int64(number.rawValue)
    extender = SequenceExtender(first: number)
    return highest
  }

  /// The sender counts anew: returns the extended number of `number`, placed `margin` beyond the highest.
  mutating func restart(at number: SequenceNumber, margin: Int64) -> Int64 {
    awaited = []
    let target = highest + margin
    extender = SequenceExtender(first: number)
    offset = target - extender.highest
    return target
  }
}
