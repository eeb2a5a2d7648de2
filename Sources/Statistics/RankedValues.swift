/// Values of which a few are asked for by rank: each is found by halving, which takes much less than sorting them all.
struct RankedValues {
  private var values: [Double]
  /// What stands before one of these places is less than what stands behind it, or equal.
  private var cuts: [Int]

  /// Takes at least one value; none may be "not a number".
  init(_ values: [Double]) {
    self.values = values
    cuts = [0, values.count]
  }

  /// The value of a rank counted from 0; ranks beyond the ends are those of the ends.
  mutating func value(atRank rank: Int) -> Double {
    let rank = min(max(rank, 0), values.count - 1)
    var range = (cuts.filter { $0 <= rank }.max() ?? 0)..<(cuts.filter { $0 > rank }.min() ?? values.count)
    // Values in an order that somebody made so that they aren't halved are sorted in the end.
    for _ in 0..<Self.rounds where range.count > Self.few {
      let (below, above) = split(range)
      cuts += [below, above]
      if rank < below {
        range = range.lowerBound..<below
      } else if rank >= above {
        range = above..<range.upperBound
      } else {
        return values[rank]
      }
    }
    values[range].sort()
    return values[rank]
  }

  /// Moves what is less than a value in the middle before those equal to it, and what is greater behind them; where
  /// these begin and end.
  private mutating func split(_ range: Range<Int>) -> (below: Int, above: Int) {
    var values = values.mutableSpan
    let ends = (values[range.lowerBound], values[range.upperBound - 1])
    let inside = values[range.lowerBound + range.count / 2]
    let pivot = max(min(ends.0, ends.1), min(max(ends.0, ends.1), inside))
    var (below, place, above) = (range.lowerBound, range.lowerBound, range.upperBound)
    while place < above {
      let value = values[place]
      if value < pivot {
        values[place] = values[below]
        values[below] = value
        below += 1
        place += 1
      } else if value > pivot {
        above -= 1
        values[place] = values[above]
        values[above] = value
      } else {
        place += 1
      }
    }
    return (below, above)
  }

  private static let rounds = 40
  private static let few = 16
}
