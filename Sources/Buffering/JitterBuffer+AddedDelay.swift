public import Timeline

/// Waiting for another stream.
extension JitterBuffer {
  /// Plays everything so much later than the network asks for.
  ///
  /// Where the buffer adapts, audio gets there by stretching. With a fixed target what follows is due later, or earlier, at
  /// once.
  public mutating func setAddedDelay(_ delay: Interval) {
    elastic.lower(by: addedDelay - delay)
    target += delay - addedDelay
    addedDelay = delay
  }
}
