import Packets
import Testing
import Timeline

@testable import Receiving

/// What a report is about when packets come out of order, and when reports are lost.
struct IntervalRecorderTests {
  private static func recorder(_ numbers: [Int64]) -> IntervalRecorder {
    var recorder = IntervalRecorder()
    record(numbers, in: &recorder)
    return recorder
  }

  private static func record(_ numbers: [Int64], in recorder: inout IntervalRecorder) {
    for number in numbers {
      let header = RTPHeader(
        payloadType: 111, sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: number)),
        timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: number * 960)), ssrc: 7)
      recorder.record(
        number, header: header, isDuplicate: recorder.isReceived(number),
        arrival: .zero + .milliseconds(20) * number, clockRate: 48_000)
    }
  }

  @Test func `numbers before the first that arrived belong to the report, and to the next one, too`() {
    var recorder = Self.recorder([65_537, 65_538, 65_534, 65_535, 65_539])
    #expect(recorder.pending() == 65_534..<65_540)
    #expect(recorder.wire(65_534) == 65_534 && recorder.wire(65_537) == 1)
    #expect(recorder.isReceived(65_534) && !recorder.isReceived(65_536))
    recorder.markReported(upTo: 65_540)
    Self.record([65_540], in: &recorder)
    #expect(recorder.pending() == 65_534..<65_541, "the first report may have been lost")
    recorder.markReported(upTo: 65_541)
    Self.record([65_541], in: &recorder)
    #expect(recorder.pending() == 65_540..<65_542)
  }

  @Test func `a loss that is taken back is taken back in two reports`() {
    var recorder = Self.recorder([100, 101, 103, 104])
    recorder.markReported(upTo: 105)
    Self.record([105, 106], in: &recorder)
    recorder.markReported(upTo: 107)
    Self.record([107], in: &recorder)
    recorder.markReported(upTo: 108)
    // 102 was reported as lost twice, and comes now.
    Self.record([102, 108], in: &recorder)
    #expect(recorder.pending() == 102..<109)
    recorder.markReported(upTo: 109)
    #expect(recorder.pending() == 102..<109, "the report that told of it may have been lost")
    recorder.markReported(upTo: 109)
    #expect(recorder.pending() == nil)
  }
}
