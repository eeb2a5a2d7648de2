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

  /// Waits so much longer than the packets ask for, because the sender keeps some of them back by itself.
  ///
  /// Where the buffer adapts, that is beside what it learns: few packets may be kept back, and each breaks a picture.
  public mutating func setSenderWait(_ wait: Interval) {
    if configuration.adaptation == nil { target += wait - senderWait }
    senderWait = wait
  }
}
