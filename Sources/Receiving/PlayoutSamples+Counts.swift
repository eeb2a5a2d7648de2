import Buffering
import Statistics

extension PlayoutSamples {
  /// The buffer's counts under the names of the W3C's webrtc-stats.
  init(_ counts: PlayoutCounts, isAdaptive: Bool) {
    self.init()
    emitted = Int(counts.playedUnits)
    delay = counts.waited
    targetDelay = counts.targeted
    minimumDelay = isAdaptive ? counts.needed : nil
    concealed = Int(counts.concealedUnits + counts.stalledUnits)
    silentConcealed = min(Int(counts.silentConcealedUnits), concealed)
    concealmentEvents = counts.concealmentEvents
    inserted = Int(counts.insertedUnits)
    removed = Int(counts.removedUnits)
    end.total = Int(counts.end.units)
    end.concealed = Int(counts.end.concealedUnits)
    end.silentConcealed = Int(counts.end.silentUnits)
    total =
      Int(counts.playedUnits + counts.recoveredUnits + counts.silenceUnits) + concealed + inserted - removed
  }
}
