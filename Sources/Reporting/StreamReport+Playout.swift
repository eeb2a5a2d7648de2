internal import Statistics
internal import Timeline

/// The jitter buffer and what came out of it. The names in camel case are those of the W3C's webrtc-stats.
extension StreamReport {
  func writeBuffer(to json: inout JSONWriter) {
    let samples = playout.samples
    json.object("buffer_ms") { json in
      json.value("target", playout.target.milliseconds, decimals: 3)
      json.value("mean", playout.bufferLevel.mean, decimals: 3)
      json.value("min", playout.bufferLevel.min, decimals: 3)
      json.value("max", playout.bufferLevel.max, decimals: 3)
      json.value("policy", playout.adaptation == nil ? "fixed" : "adaptive")
      json.value("late_budget", playout.adaptation?.lateBudget, decimals: 6)
      json.value("target_min", playout.adaptation?.least, decimals: 3)
      json.value("target_max", playout.adaptation?.most, decimals: 3)
      json.value("target_mean", samples?.meanTarget.map { $0 * 1000 }, decimals: 3)
      json.value("delay_mean", (samples?.meanDelay ?? playout.meanWait).map { $0 * 1000 }, decimals: 3)
      json.value("underruns", playout.underruns)
      json.value("stalls", playout.stalls)
      json.value("recoveries", playout.recoveries)
      json.value("recovering_ms", playout.recoveringDuration.milliseconds, decimals: 3)
      json.value("drift_correction_ppm", playout.driftCorrection * 1e6, decimals: 3)
      json.value("drift_lift_ppm", playout.driftLift * 1e6, decimals: 3)
      json.value("jitterBufferDelay", samples?.delay, decimals: 3)
      json.value("jitterBufferTargetDelay", samples?.targetDelay, decimals: 3)
      json.value("jitterBufferMinimumDelay", samples?.minimumDelay, decimals: 3)
      json.value("jitterBufferEmittedCount", samples?.emitted)
    }
  }

  /// Members of the object `media`.
  func writeSamples(to json: inout JSONWriter) {
    let samples = playout.samples
    json.value("stretches", playout.stretches)
    json.value("inserted_ms", playout.insertedDuration.milliseconds, decimals: 3)
    json.value("removed_ms", playout.removedDuration.milliseconds, decimals: 3)
    json.value("inserted_ms_per_s", playout.insertedPerSecond, decimals: 3)
    json.value("removed_ms_per_s", playout.removedPerSecond, decimals: 3)
    json.value("stalled_ms", playout.stalledDuration.milliseconds, decimals: 3)
    json.value("totalSamplesReceived", samples?.total)
    json.value("concealedSamples", samples?.concealed)
    json.value("silentConcealedSamples", samples?.silentConcealed)
    json.value("concealmentEvents", samples?.concealmentEvents)
    json.value("insertedSamplesForDeceleration", samples?.inserted)
    json.value("removedSamplesForAcceleration", samples?.removed)
    json.value("packetsDiscarded", playout.discardedByBuffer)
    json.value("listener", samples == nil ? nil : playout.listener.rawValue)
    json.value("resampled_samples", samples?.resampled)
    json.value("samples_after_end", samples?.end.total)
  }

  func writeBuffer(to page: inout TextPage) {
    guard playout.bufferLevel.count > 0 else { return }
    var figures = ["target \(Figures.milliseconds(playout.target.milliseconds))"]
    if let adaptation = playout.adaptation {
      figures[0] +=
        " (adaptive within \(limits(of: adaptation)), for \(Figures.trimmed(adaptation.lateBudget * 100, decimals: 2)) "
        + "% late)"
      if let mean = playout.samples?.meanTarget { figures.append("on average \(Figures.milliseconds(mean * 1000))") }
      if let delay = playout.samples?.meanDelay {
        figures.append("packets waited \(Figures.milliseconds(delay * 1000))")
      }
      figures.append("level mean \(Figures.milliseconds(playout.bufferLevel.mean))")
    } else {
      figures.append("mean \(Figures.milliseconds(playout.bufferLevel.mean))")
    }
    figures.append(
      "\(Figures.milliseconds(playout.bufferLevel.min)) to \(Figures.milliseconds(playout.bufferLevel.max))")
    page.row("buffer", figures)
    page.row("", waitNote.map { [$0] } ?? [])
    guard playout.adaptation != nil else { return }
    writeStretching(to: &page)
  }

  /// Between what the target stays: "20 to 200 ms".
  func limits(of adaptation: PlayoutAdaptation) -> String {
    "\(Figures.trimmed(adaptation.least, decimals: 1)) to \(Figures.trimmed(adaptation.most, decimals: 1)) ms"
  }

  private func writeStretching(to page: inout TextPage) {
    if playout.stretches > 0 {
      page.row(
        "stretched",
        [
          "\(Figures.fixed(playout.insertedPerSecond, decimals: 1)) ms longer and "
            + "\(Figures.fixed(playout.removedPerSecond, decimals: 1)) ms shorter in each second",
          Figures.count(playout.stretches, "time"),
        ] + (playout.listener == .assumed ? ["as a player would have been asked to"] : []))
    }
    if playout.underruns > 0 {
      var figures = [Figures.count(playout.underruns, "time") + " nothing to play"]
      if playout.stalls > 0 {
        let waiting = Figures.duration(playout.stalledDuration)
        figures.append("\(Figures.grouped(playout.stalls)) of them until a late packet came, \(waiting) in all")
      }
      if playout.underruns > playout.stalls {
        figures.append("\(Figures.grouped(playout.underruns - playout.stalls)) in gaps where packets are missing")
      }
      if playout.recoveries > 0, playout.recoveringDuration > .zero {
        figures.append(
          "back at the target after \(Figures.duration(playout.recoveringDuration / Int64(playout.recoveries)))")
      }
      page.row("ran dry", figures)
    }
    if playout.driftCorrection != 0 {
      let ppm = Figures.trimmed((playout.driftCorrection * 1e6).magnitude, decimals: 1)
      var text = "by \(ppm) ppm \(playout.driftCorrection > 0 ? "longer" : "shorter"): the clocks differ"
      if playout.driftLift >= 1e-6 {
        let clocks = Figures.trimmed(((playout.driftCorrection - playout.driftLift) * 1e6).magnitude, decimals: 1)
        let lift = Figures.trimmed(playout.driftLift * 1e6, decimals: 1)
        text += " by \(clocks) ppm, and \(lift) ppm lengthen the delay for that"
      }
      page.row("resampled", [text])
    }
  }
}
