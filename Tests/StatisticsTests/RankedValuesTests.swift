import Testing
import Timeline

@testable import Statistics

struct RankedValuesTests {
  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func `a value of any rank is the one that sorting finds`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...2_000, using: &random)
    let values = (0..<count).map { index -> Double in
      switch seed % 4 {
      case 0: Double(Int.random(in: 0..<5, using: &random))
      case 1: Double(index)
      case 2: Double(min(index, count - index))
      default: random.nextUnit() - 0.5
      }
    }
    let sorted = values.sorted()
    var ranked = RankedValues(values)
    for _ in 0..<20 {
      let rank = Int.random(in: -3..<(count + 3), using: &random)
      #expect(ranked.value(atRank: rank) == sorted[min(max(rank, 0), count - 1)])
    }
  }
}
