import Timeline

/// The best that could be done by someone who knows all arrivals beforehand: for a price of a late packet, the delays
/// that cost least in all, where each packet's audio may be made a quarter longer or shorter.
///
/// Dynamic programming over delays in whole milliseconds. No pull clock and no pitch periods stand in its way, so it is
/// a bound and nothing that could be built.
struct OfflineBound {
  private static let longest = 600

  let trace: Trace

  /// The mean delay in milliseconds and the share of media that is late, at a price in milliseconds of delay a packet.
  func point(price: Double) -> (delay: Double, late: Double) {
    let count = Self.longest + 1
    let step = max(1, Int(trace.spacing.milliseconds / 4))
    var cost = [Double](repeating: 0, count: count)
    var sums = [Double](repeating: 0, count: count)
    var lates = [Double](repeating: 0, count: count)
    var arrived = 0.0
    for packet in trace.packets {
      let best = Self.windowMinima(of: cost, reach: step)
      var (nextCost, nextSums, nextLates) = (cost, sums, lates)
      let delay = packet.arrival.map { ($0 - packet.sent - trace.smallestTransit).milliseconds }
      if delay != nil { arrived += 1 }
      for place in 0..<count {
        let from = best[place]
        let isLate = delay.map { $0 > Double(place) } ?? false
        let played = delay != nil && !isLate
        nextCost[place] = cost[from] + (played ? Double(place) : 0) + (isLate ? price : 0)
        nextSums[place] = sums[from] + (played ? Double(place) : 0)
        nextLates[place] = lates[from] + (isLate ? 1 : 0)
      }
      (cost, sums, lates) = (nextCost, nextSums, nextLates)
    }
    let end = cost.indices.min { cost[$0] < cost[$1] } ?? 0
    return (sums[end] / max(1, arrived - lates[end]), lates[end] / Double(trace.packets.count))
  }

  /// For each place where the smallest value within `reach` stands, by a queue whose values rise.
  private static func windowMinima(of values: [Double], reach: Int) -> [Int] {
    var result = [Int](repeating: 0, count: values.count)
    var queue = [Int](repeating: 0, count: values.count)
    var (head, tail, next) = (0, 0, 0)
    for place in values.indices {
      while next < min(values.count, place + reach + 1) {
        while tail > head, values[queue[tail - 1]] > values[next] { tail -= 1 }
        queue[tail] = next
        tail += 1
        next += 1
      }
      while queue[head] < place - reach { head += 1 }
      result[place] = queue[head]
    }
    return result
  }
}
