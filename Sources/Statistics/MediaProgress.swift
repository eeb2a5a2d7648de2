internal import Timeline

/// How much media time lies between the first and the newest number, over all runs of numbers.
struct MediaProgress: Sendable {
  private struct Place {
    var number: Int64
    var timestamp: Int64
  }

  /// The timestamp of the highest number; nil before the first.
  var newestTimestamp: Int64? { first == nil ? nil : newest.timestamp }

  private var first: Place?
  private var newest = Place(number: 0, timestamp: 0)
  private var closedNumbers: Int64 = 0
  private var closedUnits: Int64 = 0

  /// Takes in a packet with its extended timestamp.
  mutating func record(number: Int64, timestamp: Int64) {
    guard first != nil else {
      first = Place(number: number, timestamp: timestamp)
      newest = Place(number: number, timestamp: timestamp)
      return
    }
    if number > newest.number { newest = Place(number: number, timestamp: timestamp) }
  }

  /// The next timestamps stand in no relation to those so far.
  mutating func restart() {
    guard let first else { return }
    closedNumbers += newest.number - first.number
    closedUnits += newest.timestamp - first.timestamp
    self.first = nil
  }

  /// The time from one number to the next; zero before the second, or when timestamps don't grow.
  func interval(clockRate: UInt32) -> Interval {
    var numbers = closedNumbers
    var units = closedUnits
    if let first {
      numbers += newest.number - first.number
      units += newest.timestamp - first.timestamp
    }
    guard numbers > 0, units > 0 else { return .zero }
    return Interval(seconds: Double(units) / Double(numbers) / Double(clockRate))
  }
}
