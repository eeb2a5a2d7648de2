import Foundation
import Plots
import Testing

struct TicksTests {
  @Test(arguments: [
    (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]), (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (0, 0.3, ["0", "0.1", "0.2", "0.3"]), (-3, 3, ["-4", "-2", "0", "2", "4"]),
    (0, 12_345, ["0", "5,000", "10,000", "15,000"]), (17, 17.4, ["17.0", "17.1", "17.2", "17.3", "17.4"]),
    (0, 4e9, ["0", "1e9", "2e9", "3e9", "4e9"]),
  ])
  func `linear marks are multiples of 1, 2 or 5, and reach beyond both ends`(
    low: Double, high: Double, labels: [String]
  ) {
    let ticks = Ticks.linear(from: low, to: high)
    #expect(ticks.map(\.label) == labels)
    #expect((ticks.first?.value ?? .infinity) <= low && (ticks.last?.value ?? -.infinity) >= high)
  }

  /// Ends that break naive arithmetic.
  static let harsh: [Double] = [
    .nan, .infinity, -.infinity, 0, -0.0, 1, -1, 1e308, -1e308, .leastNonzeroMagnitude, 1e-300, 1e15, 1e15 + 1,
    123_456_789.123, .greatestFiniteMagnitude, 0.1, 1e-9,
  ]

  @Test func `no ends trap, hang or give marks without number`() {
    for low in Self.harsh {
      for high in Self.harsh {
        for ticks in [
          Ticks.linear(from: low, to: high), Ticks.logarithmic(from: low, to: high), Ticks.time(from: low, to: high),
          Ticks.linear(from: low, to: high, about: 0), Ticks.time(from: low, to: high, about: -3),
        ] {
          #expect(ticks.count <= 120, "\(low) to \(high)")
          #expect(ticks.allSatisfy { $0.value.isFinite && !$0.label.isEmpty }, "\(low) to \(high)")
          #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0.value < $1.value }, "\(low) to \(high): \(ticks)")
        }
      }
    }
  }

  @Test func `every random range gets a handful of marks that cover it`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let magnitude = Double.random(in: -12...12, using: &generator)
      let low = Double.random(in: -1...1, using: &generator) * Foundation.pow(10, magnitude)
      let high = low + Double.random(in: 0.01...1, using: &generator) * Foundation.pow(10, magnitude)
      let ticks = Ticks.linear(from: low, to: high)
      #expect((2...12).contains(ticks.count), "\(low) \(high)")
      let slack = (high - low) * 1e-9
      #expect(ticks[0].value <= low + slack && ticks[ticks.count - 1].value >= high - slack, "\(low) \(high)")
    }
  }

  @Test(arguments: [
    (1.0, 1000.0, ["1", "10", "100", "1,000"]), (1, 1, ["1", "2", "5", "10"]), (0, 0, ["1", "2", "5", "10"]),
    (3, 40, ["1", "2", "5", "10", "20", "50", "100"]),
    (1, 1e12, ["1", "100", "10,000", "1,000,000", "1e8", "1e10", "1e12"]),
    (0.01, 0.5, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
  ])
  func `logarithmic marks are powers of ten`(low: Double, high: Double, labels: [String]) {
    #expect(Ticks.logarithmic(from: low, to: high).map(\.label) == labels)
  }

  @Test(arguments: [
    (0.0, 20.0, ["0 s", "5 s", "10 s", "15 s", "20 s"]),
    (0, 60, ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00"]),
    (0, 600, ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]),
    (0, 3600, ["0:00:00", "0:10:00", "0:20:00", "0:30:00", "0:40:00", "0:50:00", "1:00:00"]),
    (0, 0.5, ["0 s", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s"]),
  ])
  func `marks of time are those of a clock`(low: Double, high: Double, labels: [String]) {
    var expected = labels
    if high == 60 { expected = ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00"] }
    #expect(Ticks.time(from: low, to: high).map(\.label) == expected)
  }
}
