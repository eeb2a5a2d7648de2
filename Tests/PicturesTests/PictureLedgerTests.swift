import Statistics
import Testing

@testable import Pictures

struct PictureLedgerTests {
  @Test func `Gaps for which no hole is found don't fill the memory`() {
    var ledger = PictureLedger(clockRate: 90_000)
    for _ in 0..<2000 {
      ledger.add(
        PictureLedger.Entry(
          timestamp: 0, fate: .damaged, isKey: false, bytes: 1, packets: 1, missingBefore: 1))
    }
    #expect(ledger.gapCount == PictureLedger.gapLimit)
    ledger.finish()
    #expect(ledger.result.damaged == 2000)
  }
}
