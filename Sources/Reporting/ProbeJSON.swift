internal import Statistics
internal import Timeline

extension ProbeReport {
  /// Writes the members that only a probe's report has, besides its streams.
  func write(to json: inout JSONWriter) {
    json.object("verdict") { json in
      json.value("text", verdict)
      json.value("traffic", traffic)
      upVerdict.write("up", to: &json)
      downVerdict.write("down", to: &json)
      json.value("far_end_last_heard_ms", lastHeard?.milliseconds, decimals: 0)
      json.value("far_end_silent", hasFallenSilent)
      json.object("recommendation") { json in
        json.value("buffer_ms", recommendedBuffer?.milliseconds, decimals: 0)
        json.value("remedy_up", upVerdict?.remedy)
        json.value("remedy_down", downVerdict?.remedy)
      }
    }
    if let ramp { json.object("ramp") { json in ramp.write(to: &json) } }
    if let downLinkRecord { json.object("link_record_down") { json in downLinkRecord.write(to: &json) } }
    json.array("seconds") { array in
      for second in seconds { array.object { json in second.write(to: &json) } }
    }
  }
}

extension DirectionVerdict? {
  fileprivate func write(_ key: String, to json: inout JSONWriter) {
    guard let self else { return json.value(key, nil as String?) }
    json.object(key) { json in
      json.value("packets", self.packets)
      json.value("lost", self.lost)
      json.value(
        "loss_ratio", self.lost.map { self.packets > 0 ? Double($0) / Double(self.packets) : 0 }, decimals: 6)
      json.value("complete", self.isComplete)
      json.value("known_by", self.knownBy)
      json.value("mean_run", self.meanRun, decimals: 3)
      json.value("grade", self.grade)
      json.value("mos", self.quality?.meanOpinionScore, decimals: 2)
      json.value("r_factor", self.quality?.rating, decimals: 1)
      json.value("scale", self.quality?.scale.rawValue)
      json.value("source", self.quality?.source)
      json.value("quality_withheld", self.withheld)
      json.value("buffer_ms", self.buffer?.milliseconds, decimals: 0)
      json.value("buffer_basis", self.bufferBasis)
      json.value("remedy", self.remedy)
    }
  }
}

extension ProbeSecond {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("sent", sent)
    json.value("up_lost", upLost)
    json.value("down_expected", downExpected)
    json.value("down_unique", downUnique)
    json.value("down_jitter_ms", downJitter, decimals: 3)
    json.value("round_trip_ms", roundTrip, decimals: 3)
  }
}

extension RampReport {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("outcome", outcome.rawValue)
    json.value("rate_bps", rate, decimals: 0)
    json.value("margin_bps", margin, decimals: 0)
    json.value("delay_at_capacity_ms", delayAtCapacity?.milliseconds, decimals: 3)
    json.value("loss_at_capacity", lossAtCapacity, decimals: 6)
    json.value("usual_loss", usualLoss, decimals: 6)
    json.array("steps") { array in
      for step in steps {
        array.object { json in
          json.value("rate_bps", step.rate, decimals: 0)
          json.value("sent_bps", step.sentRate, decimals: 0)
          json.value("delivered_bps", step.deliveredRate, decimals: 0)
          json.value("sent", step.sent)
          json.value("lost", step.lost)
          json.value("delay_growth_ms", step.delayGrowth.milliseconds, decimals: 3)
          json.value("overload", step.isOverload)
        }
      }
    }
  }
}

extension SentStreamReport {
  /// The share that was lost; nil when a sum below nothing shows that duplicates hide losses in it.
  private var lossRatio: Double? {
    guard let lost, lost >= 0 else { return nil }
    return reported > 0 ? Double(lost) / Double(reported) : 0
  }

  /// Writes the members of one object in `streams`, with direction "up".
  func write(to json: inout JSONWriter) {
    json.value("direction", "up")
    json.value("ssrc", Figures.identifier(ssrc))
    json.value("destination", destination)
    json.value("encoding", encoding)
    json.value("payload_type", Int(payloadType))
    json.value("known_by", knownBy.rawValue)
    json.object("packets") { json in
      json.value("sent", sent)
      json.value("reported", reported)
      json.value("expected", knownBy == .nothing ? nil : reported)
      json.value("received", received)
      json.value("unique", unique)
      json.value("lost", lost)
      json.value("lost_at_ends", lostAtEnds)
      json.value("lost_before_first", lostBefore)
      json.value("duplicates", duplicates)
    }
    json.value("loss_ratio", lossRatio, decimals: 6)
    if let lossRuns {
      lossRuns.write("bursts", to: &json)
    } else {
      json.value("bursts", nil as String?)
    }
    jitter.write("jitter_ms", to: &json)
    delayVariation.write("delay_variation_ms", to: &json)
    roundTrip.milliseconds.write("round_trip_ms", to: &json)
  }
}
