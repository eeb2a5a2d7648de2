/// The share of packets lost in each of the last 60 seconds, as a bar of one character a second.
public struct LossHistory: Sendable {
  /// What one second brought: packets that became expected and packets that became lost.
  private struct Second {
    var expected = 0
    var lost = 0
  }

  /// The seconds that are over, oldest first.
  private var ring: [Second] = []
  private var last = (expected: 0, lost: 0)

  /// Starts with no second.
  public init() {}

  /// A second is over; the counts are totals since the start.
  ///
  /// A loss that a late packet took back lowers the total; the second it is taken back in shows no loss.
  public mutating func endSecond(expected: Int, lost: Int) {
    if ring.count == Self.capacity { ring.removeFirst() }
    ring.append(Second(expected: max(expected - last.expected, 0), lost: max(lost - last.lost, 0)))
    last = (expected, lost)
  }

  /// The number of seconds kept.
  public var count: Int { ring.count }

  /// The bar of at most `columns` seconds, the latest last.
  ///
  /// A blank is a second without packets, "·" one without loss, then the height grows with the share lost: up to 1 %,
  /// 2 %, 5 %, 10 %, 20 %, 35 %, 50 %, and more.
  public func bar(columns: Int) -> String {
    String(ring.suffix(max(columns, 0)).map { Self.mark($0) })
  }

  private static func mark(_ second: Second) -> Character {
    guard second.expected > 0 || second.lost > 0 else { return " " }
    guard second.lost > 0 else { return "·" }
    let share = Double(second.lost) / Double(max(second.expected, second.lost))
    let height = limits.firstIndex { share <= $0 } ?? limits.count
    return heights[height]
  }

  private static let capacity = 60
  private static let limits = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5]
  private static let heights: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
}
