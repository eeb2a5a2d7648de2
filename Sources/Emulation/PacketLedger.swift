public import Impairment
public import Timeline

/// What became of a packet, from its offer to its last copy.
public struct PacketAccount: Sendable {
  /// Where it went.
  public var direction: LinkDirection
  /// Whether the link of control packets judged it.
  public var isControl: Bool
  /// What the link decided; nil for a packet that was passed without being judged.
  public var fate: LinkFate?
  /// When it came to the link.
  public var offered: Instant
  /// When the first copy was due, and when it was handed over.
  public var due: Instant?
  /// When the first copy was handed over.
  public var delivered: Instant?
  /// When the second copy was handed over.
  public var duplicate: Instant?
  /// The bytes of the IP packet.
  public var bytes: Int
  /// Who sent it to whom.
  public var flow: PacketFlow
  /// Whether a packet offered later was handed over before it.
  public var isOvertaken = false

  /// What became of it, in a word or two.
  public var outcome: String {
    guard let fate else { return "passed" }
    guard fate.cause == .delivered else { return fate.cause.rawValue }
    return delivered == nil ? "under-way" : "delivered"
  }

  fileprivate var isComplete: Bool {
    guard let fate else { return true }
    return (fate.copies < 1 || delivered != nil) && (fate.copies < 2 || duplicate != nil)
  }
}

/// Puts what happened to packets together: an account of each, in the order in which they were offered, and what there is
/// to say of each event.
///
/// Accounts wait for those before them; as many wait as a link may have under way.
public struct PacketLedger: Sendable {
  /// The packets of one link.
  private struct Book: Sendable {
    var open: [UInt64: PacketAccount] = [:]
    var next: UInt64 = 0
    var highest: UInt64?

    /// Takes note of a copy that was handed over; what there is to say of it.
    mutating func deliver(_ event: PacketEvent, copy: Int, due: Instant) -> String? {
      guard var account = open.removeValue(forKey: event.index) else { return nil }
      let name = "\(event.direction.rawValue) \(event.index)"
      var remarks: [String] = []
      if copy > 0 {
        account.duplicate = event.time
        remarks.append("duplicate of \(name)")
      } else {
        account.delivered = event.time
        account.due = due
        if let highest, highest > event.index {
          account.isOvertaken = true
          remarks.append("late: \(name), overtaken by \(event.direction.rawValue) \(highest)")
        }
        highest = max(highest ?? 0, event.index)
      }
      if let bit = account.fate?.corruptedBit { remarks.append("corrupted: bit \(bit) of \(name) was flipped") }
      open[event.index] = account
      return remarks.isEmpty ? nil : remarks.joined(separator: "; ")
    }

    /// Gives the accounts that are complete, up to the first that isn't.
    mutating func close(_ emit: (PacketAccount) -> Void) {
      while let account = open[next], account.isComplete {
        emit(account)
        open[next] = nil
        next += 1
      }
    }
  }

  private var books: [Int: Book] = [:]

  /// Starts without packets.
  public init() {}

  /// Takes note of an event, and returns what there is to say of it, if anything; `emit` gets the accounts that are
  /// complete now.
  public mutating func record(_ event: PacketEvent, _ frame: RawSpan, emit: (PacketAccount) -> Void) -> String? {
    let key = event.lane << 2 | (event.direction == .down ? 0 : 2) | (event.isControl ? 1 : 0)
    switch event.kind {
    case .passed:
      emit(account(event, fate: nil, frame))
      return nil
    case .offered(let fate):
      var book = books.removeValue(forKey: key) ?? Book()
      book.open[event.index] = account(event, fate: fate, frame)
      book.close(emit)
      books[key] = book
      return Self.comment(on: fate, event)
    case .delivered(let copy, let due):
      guard var book = books.removeValue(forKey: key) else { return nil }
      let comment = book.deliver(event, copy: copy, due: due)
      book.close(emit)
      books[key] = book
      return comment
    }
  }

  /// Gives the accounts that are not complete, because the link was stopped.
  public mutating func finish(emit: (PacketAccount) -> Void) {
    for key in books.keys.sorted() {
      for (_, account) in (books[key]?.open ?? [:]).sorted(by: { $0.key < $1.key }) { emit(account) }
    }
    books = [:]
  }

  private func account(_ event: PacketEvent, fate: LinkFate?, _ frame: RawSpan) -> PacketAccount {
    PacketAccount(
      direction: event.direction, isControl: event.isControl, fate: fate, offered: event.time, bytes: event.bytes,
      flow: PacketFlow(frame))
  }

  private static func comment(on fate: LinkFate, _ event: PacketEvent) -> String? {
    let name = "\(event.direction.rawValue) \(fate.index)"
    switch fate.cause {
    case .lost: return "dropped: \(name) was lost at random"
    case .queueFull: return "dropped: the queue had no room for \(name)"
    case .outage: return "dropped: \(name) was sent while the link was down"
    case .delivered: return fate.copies > 1 ? "duplicated: \(name) arrives twice" : nil
    }
  }
}
