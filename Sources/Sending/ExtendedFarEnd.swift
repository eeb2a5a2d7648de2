public import Packets
public import Statistics
import Timeline

/// What one receiver's extended reports say of our stream, packet by packet (RFC 3611).
public struct ExtendedFarEnd: Sendable {
  /// What became of each packet reported on.
  public private(set) var reception = ReportedReception()
  /// The greatest thinning of the runs: with one above 0 only one packet in 2^thinning was reported on.
  public private(set) var thinning = 0
  /// The latest figures about an interval.
  public private(set) var summary: XRSummaryBlock?
  /// The latest figures by which a call is judged.
  public private(set) var voipMetrics: XRVoIPMetricsBlock?
  /// The spread of the one-way delay, by the receipt times: of every so many packets one.
  public private(set) var delay = DelayVariation()

  private let clockRate: UInt32
  /// The last difference of receipt time and timestamp.
  private var transit: TimestampExtender?

  init(clockRate: UInt32) { self.clockRate = clockRate }

  mutating func take(_ block: XRBlock, in datagram: RawSpan, sent: SentNumbers, budget: inout Int) {
    switch block {
    case .lossRLE(let runs), .duplicateRLE(let runs): take(runs, in: datagram, sent: sent, budget: &budget)
    case .receiptTimes(let times): take(times, in: datagram, sent: sent)
    case .summary(let summary): if summary.isValid { self.summary = summary }
    case .voipMetrics(let metrics): voipMetrics = metrics
    case .referenceTime, .delay, .other: break
    }
  }

  private mutating func take(
    _ block: XRRunLengthBlock, in datagram: RawSpan, sent: SentNumbers, budget: inout Int
  ) {
    let numbers = block.numbers
    guard numbers.count <= budget, let first = sent.index(of: numbers.begin) else { return }
    budget -= numbers.count
    thinning = max(thinning, numbers.thinning)
    var runs = block.runs
    while let run = runs.next(in: datagram) {
      let start = first + Int64(numbers.place(of: run.first))
      // What was never sent can't be told of.
      let room = (sent.count - 1 - start) / Int64(numbers.stride) + 1
      let count = min(run.count, Int(max(room, 0)))
      guard count > 0, start < sent.count else { return }
      switch block.kind {
      case .loss: reception.record(start, count: count, stride: numbers.stride, isReceived: run.isOne)
      case .duplicate:
        if !run.isOne { reception.recordDuplicates(start, count: count, stride: numbers.stride) }
      }
    }
  }

  private mutating func take(_ block: XRReceiptTimesBlock, in datagram: RawSpan, sent: SentNumbers) {
    guard let first = sent.index(of: block.numbers.begin) else { return }
    for index in 0..<block.count {
      guard let time = block.time(index, in: datagram),
        let timestamp = sent.timestamp(of: first + Int64(block.numbers.place(of: index)))
      else { continue }
      let difference = RTPTimestamp(time &- timestamp)
      var extender = transit ?? TimestampExtender(first: difference)
      let units = extender.extend(difference)
      transit = extender
      delay.record(transit: Interval(units: units, rate: clockRate))
    }
  }
}
