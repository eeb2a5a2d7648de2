import Timeline

/// Tells the next packet, a late one, a jump and a restart of the sender apart (RFC 3550 A.1).
///
/// Unlike the sample code there it keeps the packet that announced a jump: when the next one follows it, both count.
struct SequenceValidator: Sendable {
  /// A gap of fewer numbers than this is loss (RFC 3550 A.1, MAX_DROPOUT).
  static let maxDropout = 3000
  /// Fewer numbers behind than this is reordering. RFC 3550 A.1 suggests 100, which a fast stream with some jitter
  /// exceeds; a restart that lands in this range shows by ``restartRun``.
  static let maxMisorder = 500
  /// So many packets in sequence behind the highest, with none ahead of it between them, are a restart.
  static let restartRun = 16

  enum Verdict: Equatable, Sendable {
    /// The packet belongs to the stream; its extended number.
    case accept(Int64)
    /// A jump: keep the packet until the next one tells what it was.
    case hold
    /// The packet follows the one that was held: both begin anew at the given extended number, or, when the media time
    /// went on with the clock, there was a long dropout and the numbers go on.
    case resume(Int64)
  }

  private var extender: SequenceExtender
  private var expectedAfterJump: SequenceNumber?
  private var behind: (next: SequenceNumber, count: Int)?

  init(first: SequenceNumber) { extender = SequenceExtender(first: first) }

  /// The highest extended number accepted.
  var highest: Int64 { extender.highest }

  mutating func judge(_ number: SequenceNumber) -> Verdict {
    let extended = extender.extended(number)
    let distance = extended - extender.highest
    if distance > 0 && distance < Self.maxDropout {
      expectedAfterJump = nil
      behind = nil
      return .accept(extender.extend(number))
    }
    if distance <= 0 && distance > -Self.maxMisorder {
      guard isRestart(behind: number) else { return .accept(extended) }
    } else {
      guard expectedAfterJump == number else {
        expectedAfterJump = number.advanced(by: 1)
        return .hold
      }
    }
    expectedAfterJump = nil
    behind = nil
    return .resume(extended)
  }

  /// The numbers go on at `number`, which stands for `extended` from now on.
  mutating func rebase(to number: SequenceNumber, extended: Int64) {
    // The extended number's low bits need not equal the number's: the offset is kept by starting anew.
    extender = SequenceExtender(first: number)
    offset = extended - Int64(number.rawValue)
  }

  /// What has to be added to an accepted number: restarts move the count on, so that numbers never repeat.
  private(set) var offset: Int64 = 0

  private mutating func isRestart(behind number: SequenceNumber) -> Bool {
    guard let run = behind, run.next == number else {
      behind = (number.advanced(by: 1), 1)
      return false
    }
    behind = (number.advanced(by: 1), run.count + 1)
    return run.count + 1 >= Self.restartRun
  }
}
