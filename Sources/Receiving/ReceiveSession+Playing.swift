public import Buffering
public import Timeline

/// What whoever plays or records the streams asks and tells.
extension ReceiveSession {
  /// The next packet of this stream for a recording of all that arrived, when the session keeps one.
  ///
  /// Packets wait for those before them; `isLast` says that nobody will ask again.
  public mutating func pollRecording(
    of stream: Int, at now: Instant, isLast: Bool = false
  ) -> RecordingQueue.Entry? {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return nil }
    if isLast { streams[place].recording?.end() }
    return streams[place].recording?.poll(at: now)
  }

  /// How the player should change the length of the packet that the last decision for this stream named.
  public func stretch(of stream: Int) -> Stretch {
    streams.last { $0.id == stream }?.buffer.stretch ?? .none
  }

  /// By what share the player should make this stream's audio longer by resampling, because the clocks differ.
  public func driftCorrection(of stream: Int) -> Double {
    streams.last { $0.id == stream }?.buffer.driftCorrection ?? 0
  }

  /// What the player made of it: so many units inserted, or removed when negative.
  public mutating func settleStretch(of stream: Int, by units: Int64) {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return }
    streams[place].buffer.settleStretch(units)
  }
}
