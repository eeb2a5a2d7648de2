internal import Statistics
internal import Timeline

extension SendingReport.FarEnd {
  /// Writes the members of one object in `far_ends`.
  func write(to json: inout JSONWriter) {
    json.value("ssrc", Figures.identifier(ssrc))
    json.value("reports", reports)
    json.value("cumulative_lost", cumulativeLost)
    json.value("last_fraction_lost", lastFractionLost, decimals: 6)
    jitter.write("jitter_ms", to: &json)
    roundTrip.milliseconds.write("round_trip_ms", to: &json)
    json.value("cname", cname)
    json.value("final", isFinal)
    json.value("left_early", hasLeftEarly)
    json.value("missing_tail", missingTail)
    guard let extended else { return json.value("xr", nil as String?) }
    json.object("xr") { extended.write(to: &$0) }
  }
}

extension SendingReport.FarEnd.Extended {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("sent", sent)
    json.value("covered", reception.covered)
    json.value("received", reception.covered - reception.lost - reception.lostAtEnd)
    json.value("lost", reception.lost)
    json.value("lost_at_end", reception.lostAtEnd)
    json.value("loss_ratio", reception.lossRatio, decimals: 6)
    json.value("duplicated", reception.duplicated)
    json.value("duplicates", duplicates)
    json.value("thinning", thinning)
    reception.runs.write("bursts", to: &json)
    json.value("receipt_times", receiptTimes)
    delayVariation.write("delay_variation_ms", to: &json)
    if let intervalJitter {
      json.object("interval_jitter_ms") { json in
        json.value("min", intervalJitter.least, decimals: 3)
        json.value("mean", intervalJitter.mean, decimals: 3)
        json.value("max", intervalJitter.greatest, decimals: 3)
        json.value("deviation", intervalJitter.deviation, decimals: 3)
      }
    } else {
      json.value("interval_jitter_ms", nil as String?)
    }
    guard let voipMetrics else { return json.value("voip", nil as String?) }
    json.object("voip") { voipMetrics.write(to: &$0) }
  }
}

extension SendingReport.FarEnd.Extended.VoIPMetrics {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("loss_rate", lossRate, decimals: 6)
    json.value("discard_rate", discardRate, decimals: 6)
    json.value("burst_density", burstDensity, decimals: 6)
    json.value("burst_ms", burstDuration.milliseconds, decimals: 0)
    json.value("gap_density", gapDensity, decimals: 6)
    json.value("gap_ms", gapDuration.milliseconds, decimals: 0)
    json.value("buffer_ms", buffer.milliseconds, decimals: 0)
    json.value("r_factor", rFactor)
    json.value("mos_lq", listeningQuality, decimals: 1)
  }
}
