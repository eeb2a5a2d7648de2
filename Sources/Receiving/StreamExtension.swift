import Packets
import Statistics
import Timeline

/// What extended reports say of one stream (RFC 3611), block after block as room is found.
struct StreamExtension: Sendable {
  /// The session's number of the stream.
  let stream: Int
  private let ssrc: UInt32
  private var summary: XRSummaryBlock?
  private var voipMetrics: XRVoIPMetricsBlock?
  /// The numbers reported on, of which so many are written as Loss RLE and as Duplicate RLE.
  private let numbers: Range<Int64>
  private let thinning: Int
  private var lossDone = 0
  private var duplicatesDone = 0
  private var receipts: [(numbers: XRSequenceRange, times: [UInt32])]

  /// Takes what there is to report of a stream, and notes that it is reported; empty when there is nothing.
  ///
  /// With less than `budget` bytes the runs are thinned until they fit, and receipt times are left out.
  static func take(from stream: inout ReceiveStream, budget: Int, receiptOrigin: UInt32) -> [StreamExtension] {
    guard let numbers = stream.recorder.pending(tail: stream.missingTail) else { return [] }
    let result = StreamExtension(of: stream, numbers: numbers, budget: budget, receiptOrigin: receiptOrigin)
    stream.recorder.markReported(upTo: numbers.upperBound)
    return [result]
  }

  private init(of stream: ReceiveStream, numbers: Range<Int64>, budget: Int, receiptOrigin: UInt32) {
    self.stream = stream.id
    ssrc = stream.ssrc
    self.numbers = numbers
    let recorder = stream.recorder
    let fresh = max(recorder.reported, numbers.lowerBound)..<numbers.upperBound
    if !fresh.isEmpty {
      summary = Self.summary(of: fresh, ssrc: stream.ssrc, recorder: recorder)
    }
    voipMetrics = stream.voipMetrics
    receipts = budget >= 600 ? Self.receipts(of: recorder, stream: stream, origin: receiptOrigin) : []
    thinning = Self.thinning(of: numbers, ssrc: stream.ssrc, recorder: recorder, budget: max(budget - 300, 100))
  }

  /// Writes what fits; whether that was everything.
  mutating func write(
    _ recorder: IntervalRecorder, with writer: inout CompoundWriter, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    if let block = summary {
      guard writer.summary(block, into: &bytes) else { return false }
      summary = nil
    }
    if let block = voipMetrics {
      guard writer.voipMetrics(block, into: &bytes) else { return false }
      voipMetrics = nil
    }
    while lossDone < numbers.count {
      let start = numbers.lowerBound + Int64(lossDone)
      guard
        let covered = writer.runLengths(
          .loss, of: range(from: start, recorder), into: &bytes, isOne: { recorder.isReceived(start + Int64($0)) })
      else { return false }
      lossDone += covered
    }
    while duplicatesDone < numbers.count {
      let start = numbers.lowerBound + Int64(duplicatesDone)
      guard
        let covered = writer.runLengths(
          .duplicate, of: range(from: start, recorder), into: &bytes,
          isOne: { !recorder.isDoubled(start + Int64($0)) })
      else { return false }
      duplicatesDone += covered
    }
    while let run = receipts.first {
      guard writer.receiptTimes(of: run.numbers, times: run.times.span, into: &bytes) else { return false }
      receipts.removeFirst()
    }
    return true
  }

  private func range(from start: Int64, _ recorder: IntervalRecorder) -> XRSequenceRange {
    XRSequenceRange(
      ssrc: ssrc, begin: recorder.wire(start), end: recorder.wire(numbers.upperBound), thinning: thinning)
  }

  /// The figures about the numbers that are reported for the first time.
  private static func summary(of fresh: Range<Int64>, ssrc: UInt32, recorder: IntervalRecorder) -> XRSummaryBlock {
    var lost: UInt32 = 0
    for number in fresh where !recorder.isReceived(number) { lost += 1 }
    let differences = recorder.differences
    func units(_ value: Double) -> UInt32 { UInt32(clamping: Int64(min(value, 1e15).rounded())) }
    return XRSummaryBlock(
      numbers: XRSequenceRange(
        ssrc: ssrc, begin: recorder.wire(fresh.lowerBound), end: recorder.wire(fresh.upperBound)),
      lost: lost, duplicates: UInt32(clamping: recorder.duplicates),
      jitter: differences.count == 0
        ? nil
        : XRSummaryBlock.Jitter(
          least: units(differences.least), greatest: units(differences.greatest), mean: units(differences.mean),
          deviation: units(differences.deviation)))
  }

  /// The least thinning with which the runs fit in `budget` bytes.
  private static func thinning(
    of numbers: Range<Int64>, ssrc: UInt32, recorder: IntervalRecorder, budget: Int
  ) -> Int {
    let start = numbers.lowerBound
    for thinning in 0..<15 {
      let range = XRSequenceRange(
        ssrc: ssrc, begin: recorder.wire(start), end: recorder.wire(numbers.upperBound), thinning: thinning)
      let size =
        XRRunLengthEncoder.size(of: range) { recorder.isReceived(start + Int64($0)) }
        + XRRunLengthEncoder.size(of: range) { !recorder.isDoubled(start + Int64($0)) }
      if size <= budget { return thinning }
    }
    return 15
  }

  /// The receipt times, a block for each run of numbers without a loss.
  private static func receipts(
    of recorder: IntervalRecorder, stream: ReceiveStream, origin: UInt32
  ) -> [(numbers: XRSequenceRange, times: [UInt32])] {
    let stride = Int64(1) << Int64(recorder.receiptThinning)
    var result: [(numbers: XRSequenceRange, times: [UInt32])] = []
    var next: Int64?
    for receipt in recorder.receipts.sorted(by: { $0.number < $1.number }) {
      let units = (receipt.arrival - .zero).units(rate: stream.format.clockRate)
      let time = UInt32(truncatingIfNeeded: units) &+ origin
      let end = recorder.wire(receipt.number + 1)
      if receipt.number == next, !result.isEmpty {
        result[result.count - 1].numbers.end = end
        result[result.count - 1].times.append(time)
      } else {
        let begin = recorder.wire(receipt.number)
        let numbers = XRSequenceRange(
          ssrc: stream.ssrc, begin: begin, end: end, thinning: recorder.receiptThinning)
        result.append((numbers, [time]))
      }
      next = receipt.number + stride
    }
    return result
  }
}
