import Statistics
import Testing
import Timeline

struct ReportBlockTests {
  @Test func `the fraction lost is that of the time since the last report`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    for number: Int64 in 1...100 where number % 4 != 0 || number == 100 { _ = statistics.take(number) }
    // 24 of 100 lost: 24 * 256 / 100 = 61.44.
    #expect(
      statistics.takeReportBlockValues()
        == ReportBlockValues(fractionLost: 61, cumulativeLost: 24, extendedHighest: 100, jitter: 0))
    for number: Int64 in 101...110 { _ = statistics.take(number) }
    #expect(statistics.takeReportBlockValues().fractionLost == 0)
    #expect(statistics.takeReportBlockValues().fractionLost == 0)
  }

  @Test func `duplicates lower the cumulative loss below zero, and the fraction to zero`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    for number: Int64 in [1, 3, 3, 3, 3] { _ = statistics.take(number) }
    let values = statistics.takeReportBlockValues()
    #expect(values.cumulativeLost == -2 && values.fractionLost == 0)
    #expect(statistics.lost == 1)
  }

  @Test func `the cumulative loss is clamped to 24 bits`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    _ = statistics.take(0)
    _ = statistics.take(20_000_000)
    let values = statistics.takeReportBlockValues()
    #expect(values.cumulativeLost == 0x7f_ffff && values.fractionLost == 255)
  }

  @Test func `the highest number carries the wraps in its upper half`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    _ = statistics.take(65_535)
    _ = statistics.take(65_537)
    #expect(statistics.takeReportBlockValues().extendedHighest == 0x1_0001)
  }

  @Test func `nothing received is nothing lost`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    #expect(
      statistics.takeReportBlockValues()
        == ReportBlockValues(fractionLost: 0, cumulativeLost: 0, extendedHighest: 0, jitter: 0))
  }
}
