internal import Statistics

// Values that stand in the report in several places, each written in one way.

extension LossRuns {
  /// Writes how many runs there were, how long, and how many of each length.
  func write(_ key: String, to json: inout JSONWriter) {
    json.object(key) { json in
      json.value("count", count)
      json.value("mean", mean, decimals: 3)
      json.value("max", max)
      json.array("histogram") { array in
        for count in histogram { array.value(nil, count) }
      }
    }
  }
}

extension InterarrivalJitter {
  /// Writes the last, mean and largest jitter in milliseconds.
  func write(_ key: String, to json: inout JSONWriter) {
    json.object(key) { json in
      json.value("last", last, decimals: 3)
      json.value("mean", mean, decimals: 3)
      json.value("max", max, decimals: 3)
    }
  }
}

extension DelayPercentiles? {
  /// Writes what a far end let us know of the spread of delays, or `null` when it told nothing.
  func write(_ key: String, to json: inout JSONWriter) {
    guard let self else { return json.value(key, nil as String?) }
    json.object(key) { json in
      json.value("p50", self.p50, decimals: 3)
      json.value("p95", self.p95, decimals: 3)
      json.value("p99", self.p99, decimals: 3)
      json.value("max", self.max, decimals: 3)
    }
  }
}
