import Packets
import Timeline

/// What arrived of one stream, kept until it has been reported in extended reports (RFC 3611).
///
/// Two bits a sequence number for the last 65,533 of them (16 KiB): received, and received more than once. Each report
/// covers the numbers that are new since the last one and those whose bits have changed since, because section 4.1 allows
/// a later report to report a receipt that an earlier one couldn't; and once more what the last one covered so, so that
/// one lost report leaves no hole.
struct IntervalRecorder: Sendable {
  /// The numbers kept.
  static let capacity: Int64 = 65_536

  /// The differences of transit time between packets that follow each other in order of arrival, in timestamp units.
  struct TransitDifferences: Sendable {
    private(set) var count = 0
    private(set) var least = Double.infinity
    private(set) var greatest = 0.0
    private var sum = 0.0
    private var squares = 0.0

    mutating func record(_ value: Double) {
      count += 1
      least = min(least, value)
      greatest = max(greatest, value)
      sum += value
      squares += value * value
    }

    var mean: Double { count == 0 ? 0 : sum / Double(count) }
    var deviation: Double {
      count == 0 ? 0 : max(squares / Double(count) - mean * mean, 0).squareRoot()
    }
  }

  /// When the packet with this number arrived.
  struct Receipt: Sendable {
    var number: Int64
    var arrival: Instant
  }

  /// The most receipt times in a report.
  static let receiptLimit = 32

  /// The lowest and the highest number of this run of numbers; nil before its first packet.
  private(set) var bounds: (first: Int64, highest: Int64)?
  /// Numbers from here on have never been reported.
  private(set) var reported: Int64 = 0
  /// Duplicate packets since the last report.
  private(set) var duplicates = 0
  /// The transit differences since the last report.
  private(set) var differences = TransitDifferences()
  /// Receipt times of numbers never reported, thinned to ``receiptLimit``: those whose wire number is 0 modulo
  /// 2^`receiptThinning`, in order of arrival.
  private(set) var receipts: [Receipt] = []
  private(set) var receiptThinning = 0

  /// From here on nobody knows the bits as they are now.
  private var freshStart: Int64 { min(reported, changed ?? reported) }

  /// From here on numbers, or their bits as they are now, have been reported at most once.
  private var repeated: Int64 = 0
  /// The lowest number reported whose bits have changed since.
  private var changed: Int64?
  /// What has to be taken off a number to get the one on the wire, modulo 2^16.
  private var wireOffset: Int64 = 0
  private var previous: (timestamp: RTPTimestamp, arrival: Instant)?
  private var received: [UInt64] = []
  private var doubled: [UInt64] = []

  /// Takes in a packet of the stream; its number is extended and hasn't fallen too far behind.
  mutating func record(_ number: Int64, header: RTPHeader, isDuplicate: Bool, arrival: Instant, clockRate: UInt32) {
    guard let (first, highest) = bounds else { return begin(number, header: header, arrival: arrival) }
    guard number > highest - Self.capacity, number < highest + Self.capacity else { return }
    if number > highest {
      clear(highest + 1, through: number)
      bounds = (max(first, number - Self.capacity + 1), number)
    } else if number < first {
      // Numbers below the first were cleared when the highest passed them, or never touched.
      guard highest - number < Self.capacity - 64 else { return }
      bounds = (number, highest)
      // Before the first report the stream just began earlier than it seemed.
      if reported == first { (reported, repeated) = (number, number) }
    }
    measure(header, arrival: arrival, clockRate: clockRate)
    let (word, bit) = Self.place(number)
    if isDuplicate {
      duplicates += 1
      if doubled[word] & bit == 0, number < reported { changed = min(changed ?? number, number) }
      doubled[word] |= bit
      return
    }
    received[word] |= bit
    if number < reported { changed = min(changed ?? number, number) } else { keepReceipt(number, arrival: arrival) }
  }

  /// The sender counts anew: what is left of the old numbers is not reported, because they mean nothing to it any more.
  mutating func restart() { self = IntervalRecorder() }

  /// The numbers that the next report is about; nil when there is nothing that wasn't reported twice.
  ///
  /// `tail` is how many more numbers than the highest the sender says that it sent.
  func pending(tail: Int64 = 0) -> Range<Int64>? {
    guard let (first, highest) = bounds else { return nil }
    let end = highest + 1 + max(min(tail, Int64(XRSequenceRange.limit)), 0)
    let begin = max(min(repeated, freshStart), first, end - Int64(XRSequenceRange.limit))
    return begin < end ? begin..<end : nil
  }

  /// The report about the numbers up to `end` is on its way.
  mutating func markReported(upTo end: Int64) {
    repeated = freshStart
    reported = max(reported, end)
    changed = nil
    duplicates = 0
    differences = TransitDifferences()
    receipts.removeAll(keepingCapacity: true)
    receiptThinning = 0
  }

  func isReceived(_ number: Int64) -> Bool { isSet(received, number) }
  func isDoubled(_ number: Int64) -> Bool { isSet(doubled, number) }

  /// The number as it stands in packets.
  func wire(_ number: Int64) -> UInt16 { UInt16(truncatingIfNeeded: number &- wireOffset) }

  /// The number with its wraps since the sender began to count, as reception reports have it.
  func extendedWire(_ number: Int64) -> UInt32 { UInt32(truncatingIfNeeded: number &- wireOffset) }

  private mutating func begin(_ number: Int64, header: RTPHeader, arrival: Instant) {
    received = [UInt64](repeating: 0, count: Int(Self.capacity) / 64)
    doubled = received
    bounds = (number, number)
    reported = number
    repeated = number
    wireOffset = number - Int64(header.sequenceNumber.rawValue)
    previous = (header.timestamp, arrival)
    let (word, bit) = Self.place(number)
    received[word] |= bit
    keepReceipt(number, arrival: arrival)
  }

  private mutating func measure(_ header: RTPHeader, arrival: Instant, clockRate: UInt32) {
    defer { previous = (header.timestamp, arrival) }
    guard let previous else { return }
    let spacing = (arrival - previous.arrival).seconds * Double(clockRate)
    differences.record((spacing - Double(previous.timestamp.distance(to: header.timestamp))).magnitude)
  }

  private mutating func keepReceipt(_ number: Int64, arrival: Instant) {
    guard Int(wire(number)) & (1 << receiptThinning - 1) == 0 else { return }
    receipts.append(Receipt(number: number, arrival: arrival))
    while receipts.count > Self.receiptLimit, receiptThinning < 15 {
      receiptThinning += 1
      let (offset, mask) = (wireOffset, Int64(1) << Int64(receiptThinning) - 1)
      receipts.removeAll { ($0.number &- offset) & mask != 0 }
    }
  }

  private mutating func clear(_ start: Int64, through end: Int64) {
    for number in start...end {
      let (word, bit) = Self.place(number)
      received[word] &= ~bit
      doubled[word] &= ~bit
    }
  }

  private func isSet(_ words: [UInt64], _ number: Int64) -> Bool {
    guard let (first, highest) = bounds, number >= first, number <= highest else { return false }
    let (word, bit) = Self.place(number)
    return words[word] & bit != 0
  }

  private static func place(_ number: Int64) -> (word: Int, bit: UInt64) {
    let index = Int(truncatingIfNeeded: number) & Int(capacity - 1)
    return (index >> 6, 1 << UInt64(index & 63))
  }
}
