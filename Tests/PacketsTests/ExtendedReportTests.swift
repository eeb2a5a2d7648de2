import Packets
import Testing
import Timeline

@Suite struct `Extended reports` {
  @Test func `reads a block of each type`() throws {
    let datagram = Vectors.extendedReport
    let blocks = try Self.blocks(of: datagram)
    try #require(blocks.count == 9)
    let numbers = XRSequenceRange(ssrc: 0xaaaa_aaaa, begin: 0xfff0, end: 5)
    guard case .lossRLE(let losses) = blocks[0], case .duplicateRLE(let duplicates) = blocks[1],
      case .receiptTimes(let receipts) = blocks[2], case .referenceTime(let reference) = blocks[3],
      case .delay(let delays) = blocks[4], case .summary(let summary) = blocks[5],
      case .voipMetrics(let metrics) = blocks[6], case .other(let unknown) = blocks[7],
      case .other(let short) = blocks[8]
    else {
      Issue.record("other types: \(blocks)")
      return
    }
    #expect(losses.numbers == numbers)
    #expect(losses.numbers.count == 21)
    #expect(Self.bits(losses, in: datagram) == "111111000011101100101")
    #expect(duplicates.numbers.thinning == 2)
    #expect((0..<4).map { 3 + duplicates.numbers.place(of: $0) } == [4, 8, 12, 16])
    #expect(Self.bits(duplicates, in: datagram) == "1101")
    #expect((0..<3).map { receipts.time($0, in: datagram.span.bytes) } == [0x1000, 0x2000, nil])
    #expect(receipts.numbers.place(of: 0) == 1)
    #expect(reference.ntp.rawValue == 0xe800_0001_8000_0000)
    #expect(delays.count == 2)
    #expect(
      delays.answer(1, in: datagram.span.bytes)
        == XRDelayBlock.Answer(ssrc: 0x0404_0404, lastReceiverReport: 0x0505_0505, delay: 0x0606_0606))
    #expect(delays.answer(2, in: datagram.span.bytes) == nil)
    #expect(summary.isValid)
    #expect(summary.lost == 1 && summary.duplicates == 2)
    #expect(summary.jitter == XRSummaryBlock.Jitter(least: 3, greatest: 4, mean: 5, deviation: 6))
    #expect(metrics.burstDuration == 400 && metrics.gapDuration == 3000 && metrics.roundTripDelay == 28)
    #expect(metrics.listeningQuality == 41 && metrics.bufferAbsoluteMaximum == 100)
    #expect(unknown.type == 42 && unknown.specific == 7)
    #expect(short.type == 6)
  }

  @Test func `refuses blocks that run over the end`() {
    func error(_ hex: String) -> PacketParseError? {
      let datagram = Vectors.bytes(hex)
      do {
        _ = try Self.blocks(of: datagram)
        return nil
      } catch { return error as? PacketParseError }
    }
    #expect(error("80 cf 00 01 00 00 00 01") == nil)
    #expect(error("80 cf 00 00") == .truncated(needed: 8, available: 4))
    #expect(error("80 cf 00 02 00 00 00 01 01 00 00 01") == .badLength(offset: 10))
  }

  @Test func `a figure that isn't announced makes a summary void`() throws {
    var datagram = Vectors.bytes("80 cf 00 0b 00 00 00 01 06 40 00 09") + [UInt8](repeating: 0, count: 36)
    guard case .summary(let good) = try Self.blocks(of: datagram)[0] else { return }
    #expect(good.isValid && good.lost == nil && good.duplicates == 0)
    datagram[23] = 1
    guard case .summary(let bad) = try Self.blocks(of: datagram)[0] else { return }
    #expect(!bad.isValid)
  }

  @Test func `a long chain of empty runs ends`() throws {
    let chunks = [UInt8](repeating: 0, count: 0)
    var body: [UInt8] = Vectors.bytes("aa aa aa aa 00 00 ff f0") + chunks
    for _ in 0..<30_000 { body += [0x40, 0x00] }
    let words = UInt16(body.count / 4)
    let datagram =
      Vectors.bytes("80 cf") + [UInt8((words + 2) >> 8), UInt8((words + 2) & 255)] + Vectors.bytes("00 00 00 01 01 00")
      + [UInt8(words >> 8), UInt8(words & 255)] + body
    guard case .lossRLE(let block) = try Self.blocks(of: datagram)[0] else { return }
    #expect(Self.bits(block, in: datagram) == "")
  }

  @Test(arguments: [0, 1, 3, 9]) func `runs of any kind come back as they were`(thinning: Int) throws {
    var generator = SeededGenerator(seed: UInt64(thinning) + 1)
    for density in [0, 1, 2, 7, 50, 200, 255, 256] as [UInt64] {
      for span in [1, 2, 14, 15, 16, 31, 500, 20_000, XRSequenceRange.limit] {
        let begin = UInt16(truncatingIfNeeded: generator.next())
        // Runs as well as single numbers.
        var isLost = false
        let lost = (0..<span).map { _ in
          if generator.next() % 3 == 0 { isLost = generator.next() % 256 < density }
          return isLost
        }
        let numbers = XRSequenceRange(
          ssrc: 9, begin: begin, end: begin &+ UInt16(truncatingIfNeeded: span), thinning: thinning)
        let expected = (0..<numbers.count).map { lost[numbers.place(of: $0)] ? "0" : "1" }.joined()
        for capacity in [Int.max, 400, 16] where capacity > 16 || span <= 500 {
          let result = try Self.written(numbers, capacity: capacity) { !lost[$0] }
          #expect(result.bits == expected)
          if capacity == .max { #expect(result.size == XRRunLengthEncoder.size(of: numbers) { !lost[$0] }) }
        }
      }
    }
  }

  @Test func `writes what it reads, and nothing beyond its limit`() throws {
    let numbers = XRSequenceRange(ssrc: 0xaaaa_aaaa, begin: 7, end: 12, thinning: 1)
    let answers = [XRDelayBlock.Answer(ssrc: 1, lastReceiverReport: 2, delay: 3)]
    let times: [UInt32] = [0x1000, 0x2000]
    func write(limit: Int) -> (bytes: [UInt8], done: Int) {
      var done = 0
      let bytes = Vectors.written(capacity: 500) { bytes in
        var writer = CompoundWriter(reducedSize: true, limit: limit)
        guard writer.extendedReport(ssrc: 0x1122_3344, into: &bytes) else { return nil }
        if writer.receiptTimes(of: numbers, times: times.span, into: &bytes) { done += 1 }
        if writer.referenceTime(XRReferenceTimeBlock(ntp: NTPTimestamp(rawValue: 5)), into: &bytes) { done += 1 }
        if writer.delays(answers.span, into: &bytes) { done += 1 }
        let summary = XRSummaryBlock(numbers: numbers, lost: 5, duplicates: nil, jitter: nil)
        if writer.summary(summary, into: &bytes) { done += 1 }
        if writer.voipMetrics(XRVoIPMetricsBlock(ssrc: 7), into: &bytes) { done += 1 }
        if writer.goodbye(ssrc: 1, into: &bytes) { done += 1 }
        if writer.voipMetrics(XRVoIPMetricsBlock(ssrc: 7), into: &bytes) { done += 1 }
        return writer.count
      }
      return (bytes, done)
    }
    for limit in 0...140 {
      let (bytes, done) = write(limit: limit)
      #expect(bytes.count <= limit)
      if !bytes.isEmpty { #expect(Vectors.rewrittenRTCP(bytes) == bytes, "limit \(limit), \(done) written") }
    }
    #expect(write(limit: 500).done == 6)
    let blocks = try Self.blocks(of: write(limit: 500).bytes)
    guard case .summary(let summary) = blocks[3], case .voipMetrics(let metrics) = blocks[4] else { return }
    #expect(summary.isValid && summary.lost == 5 && summary.duplicates == nil && summary.jitter == nil)
    #expect(metrics.rFactor == 127 && metrics.gapThreshold == 16)
  }

  static func blocks(of datagram: [UInt8]) throws -> [XRBlock] {
    let part = try `RTCP packets`.first(datagram, reducedSize: true)
    let report = try ExtendedReport(parsing: part, in: datagram.span.bytes)
    var cursor = report.blocks
    var blocks: [XRBlock] = []
    while let block = cursor.next(in: datagram.span.bytes) { blocks.append(block) }
    return blocks
  }

  static func bits(_ block: XRRunLengthBlock, in datagram: [UInt8]) -> String {
    var runs = block.runs
    var text = ""
    while let run = runs.next(in: datagram.span.bytes) {
      #expect(run.first == text.utf8.count && run.count > 0)
      text += String(repeating: run.isOne ? "1" : "0", count: run.count)
    }
    return text
  }

  /// Writes numbers in as many blocks as it takes, and reads them back.
  static func written(
    _ numbers: XRSequenceRange, capacity: Int, isOne: (Int) -> Bool
  ) throws -> (bits: String, size: Int) {
    var bits = ""
    var size = 0
    var done = 0
    while done < numbers.span {
      var rest = numbers
      rest.begin = numbers.begin &+ UInt16(truncatingIfNeeded: done)
      var covered: Int?
      let bytes = Vectors.written(capacity: 60_000) { bytes in
        var writer = CompoundWriter(reducedSize: true)
        guard writer.extendedReport(ssrc: 1, into: &bytes) else { return nil }
        covered = writer.runLengths(.loss, of: rest, capacity: capacity, into: &bytes) { isOne(done + $0) }
        return writer.count
      }
      guard case .lossRLE(let block) = try #require(try blocks(of: bytes).first) else { break }
      size = bytes.count - 8
      #expect(size <= capacity)
      bits += Self.bits(block, in: bytes)
      done += try #require(covered)
    }
    return (bits, size)
  }
}
