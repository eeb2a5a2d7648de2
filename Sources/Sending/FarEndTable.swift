import Packets
import Timeline

/// The receivers that report on our stream, in order of appearance.
///
/// At most 64 are kept; when another one appears, one makes place that has left, or that has been silent for a minute.
public struct FarEndTable: Sendable {
  /// Receivers kept.
  public static let limit = 64
  /// A receiver that has been silent for longer makes place.
  static let displacementAge = Interval.seconds(60)
  /// The numbers that the runs of one datagram may be about; more than any receiver has to tell at once.
  static let numberBudget = 4 * 65_536

  /// The receivers.
  public private(set) var all: [FarEnd] = []
  /// Report blocks of receivers for which there was no place.
  public private(set) var unlistedBlocks = 0
  /// Datagrams on the RTCP port that were no valid RTCP.
  public internal(set) var invalidCount = 0
  /// The one that reported last.
  public var latest: FarEnd? { latestID.flatMap { id in all.first { $0.id == id } } }

  private let ssrc: UInt32
  private let clockRate: UInt32
  private var latestID: UInt32?

  init(ssrc: UInt32, clockRate: UInt32) {
    self.ssrc = ssrc
    self.clockRate = clockRate
  }

  // MARK: Inputs

  mutating func handle(_ blocks: (Int) -> ReportBlock?, count: Int, from reporter: UInt32, _ context: Context) {
    for index in 0..<count {
      guard let block = blocks(index), block.ssrc == ssrc else { continue }
      guard let place = place(of: reporter, at: context.arrival) else {
        unlistedBlocks += 1
        continue
      }
      latestID = reporter
      all[place].take(block, sent: context.sent, clockRate: clockRate, at: context.now)
    }
  }

  mutating func handle(_ report: ExtendedReport, in datagram: RawSpan, _ context: Context, budget: inout Int) {
    var blocks = report.blocks
    while let block = blocks.next(in: datagram) {
      if case .referenceTime(let reference) = block {
        // It is answered whether or not it reports on us, but only a receiver gets a place.
        guard let place = all.firstIndex(where: { $0.id == report.ssrc }) else { continue }
        all[place].lastHeard = context.arrival
        if reference.ntp.rawValue != 0 { all[place].reference = (reference.ntp.middle, context.arrival, 0) }
      }
      guard block.source == ssrc, let place = place(of: report.ssrc, at: context.arrival) else { continue }
      all[place].take(block, in: datagram, sent: context.sent, clockRate: clockRate, budget: &budget)
    }
  }

  mutating func name(_ ssrc: UInt32, _ text: Range<Int>, of datagram: RawSpan) {
    guard let place = all.firstIndex(where: { $0.id == ssrc }) else { return }
    let bytes = datagram.extracting(text)
    all[place].cname = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  mutating func goodbye(of ssrc: UInt32) {
    guard let place = all.firstIndex(where: { $0.id == ssrc }) else { return }
    all[place].hasLeft = true
  }

  // MARK: Outputs

  /// The answers to reference times that were answered less than twice, so that one lost answer does no harm.
  mutating func takeAnswers(at now: Instant) -> [XRDelayBlock.Answer] {
    var answers: [XRDelayBlock.Answer] = []
    for place in all.indices {
      guard let reference = all[place].reference, reference.answers < 2, !all[place].hasLeft else { continue }
      all[place].reference?.answers += 1
      let delay = UInt32(clamping: (now - reference.arrival).units(rate: 65_536))
      answers.append(
        XRDelayBlock.Answer(ssrc: all[place].id, lastReceiverReport: reference.middle, delay: delay))
    }
    return answers
  }

  // MARK: Private

  /// What a datagram is read by.
  struct Context {
    let sent: SentNumbers
    let arrival: Instant
    let now: NTPTimestamp
  }

  /// The place of a receiver, a new one if there is one.
  private mutating func place(of reporter: UInt32, at now: Instant) -> Int? {
    if let place = all.firstIndex(where: { $0.id == reporter }) {
      all[place].lastHeard = now
      all[place].hasLeft = false
      return place
    }
    if all.count == Self.limit {
      guard
        let stale = all.firstIndex(where: { $0.hasLeft })
          ?? all.indices.min(by: { all[$0].lastHeard < all[$1].lastHeard }),
        all[stale].hasLeft || now - all[stale].lastHeard > Self.displacementAge
      else { return nil }
      all.remove(at: stale)
    }
    all.append(FarEnd(id: reporter, at: now))
    return all.count - 1
  }
}

extension XRBlock {
  /// The source that the block is about; nil when it is about none.
  fileprivate var source: UInt32? {
    switch self {
    case .lossRLE(let block), .duplicateRLE(let block): block.numbers.ssrc
    case .receiptTimes(let block): block.numbers.ssrc
    case .summary(let block): block.numbers.ssrc
    case .voipMetrics(let block): block.ssrc
    case .referenceTime, .delay, .other: nil
    }
  }
}
