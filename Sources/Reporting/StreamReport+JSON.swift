internal import Statistics
internal import Timeline

/// Loss by place and by pattern, reordering and delay, as members of a stream's JSON object.
extension StreamReport {
  func writeLoss(to json: inout JSONWriter) {
    let loss = loss
    json.object("loss") { json in
      json.value("total", loss.total)
      json.value("is_complete", loss.isComplete)
      json.value("played", loss.played)
      json.value("network", loss.network)
      json.value("dropped_by_socket", loss.droppedBySocket)
      json.value("too_late", loss.late)
      json.value("discarded", loss.discarded)
      json.value("still_buffered", loss.stillBuffered)
      json.value("at_ends", loss.atEnds)
      json.value("never_sent", loss.neverSent)
    }
  }

  func writePatterns(to json: inout JSONWriter) {
    let gilbert = reception.gilbert
    json.object("gilbert") { json in
      json.value("p", gilbert.p, decimals: 6)
      json.value("r", gilbert.r, decimals: 6)
      json.bounds("p_bounds", gilbert.pBounds, decimals: 6)
      json.bounds("r_bounds", gilbert.rBounds, decimals: 6)
      json.value("verdict", gilbert.isReliable ? "fitted" : "not enough data")
    }
    gilbertElliott.write(to: &json)
    let distance = reception.lossDistance
    json.object("loss_distance") { json in
      json.value("count", distance.count)
      json.value("mean", distance.mean, decimals: 3)
      json.value("max", distance.max)
      json.array("histogram") { array in
        for count in distance.histogram { array.value(nil, count) }
      }
      json.object("noticeable") { json in
        json.value("delta", LossDistance.reportedDelta)
        json.value("rate", distance.noticeableRate(), decimals: 6)
      }
    }
    let bursts = reception.burstGap
    json.object("burst_gap") { json in
      json.value("minimum_gap", BurstGapMetrics.minimumGap)
      json.value("burst_count", bursts.burstCount)
      json.value("burst_packets", bursts.burstPackets)
      json.value("burst_missing", bursts.burstMissing)
      json.value("burst_density", bursts.burstDensity, decimals: 6)
      json.value("burst_mean_ms", bursts.meanBurst.milliseconds, decimals: 3)
      json.value("gap_count", bursts.gapCount)
      json.value("gap_packets", bursts.gapPackets)
      json.value("gap_missing", bursts.gapMissing)
      json.value("gap_density", bursts.gapDensity, decimals: 6)
      json.value("gap_mean_ms", bursts.meanGap.milliseconds, decimals: 3)
    }
  }

  func writeDelay(to json: inout JSONWriter) {
    if isClockKnown, let spread = reception.delayVariation {
      json.object("delay_variation_ms") { json in
        json.value("p50", spread.p50, decimals: 3)
        json.value("p95", spread.p95, decimals: 3)
        json.value("p99", spread.p99, decimals: 3)
        json.value("p999", spread.p999, decimals: 3)
        json.value("max", spread.max, decimals: 3)
        json.value("drift_part", reception.drift.map { $0.isSignificant ? $0.effect.milliseconds : 0 }, decimals: 3)
      }
    } else {
      json.value("delay_variation_ms", nil as String?)
    }
    json.object("delay_histogram") { json in
      json.array("upper_ms") { array in
        for edge in DelayHistogram.edges { array.value(nil, edge, decimals: 2) }
      }
      json.array("counts") { array in
        for count in reception.delayHistogram.counts { array.value(nil, count) }
      }
    }
    reception.interPacketVariation.write(to: &json)
    writePathDelay(to: &json)
    json.value("drift_ppm", reception.drift?.ppm, decimals: 3)
    json.bounds("drift_ppm_bounds", reception.drift?.bounds, decimals: 3)
  }

  private func writePathDelay(to json: inout JSONWriter) {
    guard let delay else { return json.value("delay", nil as String?) }
    let spread = reception.delayVariation
    json.object("delay") { json in
      json.value("kind", delay.least == nil ? "relative" : "one_way")
      json.value("basis", delay.basis?.rawValue)
      json.value("obstacle", delay.obstacle?.rawValue)
      json.value("error_ms", delay.least == nil ? nil : delay.error.milliseconds, decimals: 3)
      json.value("clock_offset_ms", delay.clockOffset?.milliseconds, decimals: 3)
      let least = delay.least?.milliseconds
      json.value("min_ms", least, decimals: 3)
      json.value("p50_ms", least.flatMap { least in spread.map { least + $0.p50 } }, decimals: 3)
      json.value("p99_ms", least.flatMap { least in spread.map { least + $0.p99 } }, decimals: 3)
      json.value("max_ms", least.flatMap { least in spread.map { least + $0.max } }, decimals: 3)
    }
  }
}

extension JSONWriter {
  /// Writes a range as an array of two, or `null`.
  mutating func bounds(_ key: String, _ bounds: ClosedRange<Double>?, decimals: Int) {
    guard let bounds else { return value(key, nil as String?) }
    array(key) { array in
      array.value(nil, bounds.lowerBound, decimals: decimals)
      array.value(nil, bounds.upperBound, decimals: decimals)
    }
  }
}

extension GilbertElliottFit? {
  fileprivate func write(to json: inout JSONWriter) {
    guard let fit = self else { return json.value("gilbert_elliott", nil as String?) }
    json.object("gilbert_elliott") { json in
      json.value("verdict", fit.verdict == .fitted ? "fitted" : fit.verdict.rawValue)
      json.value("losses", fit.losses)
      for (name, figure) in [("p", fit.p), ("r", fit.r), ("k", fit.k), ("h", fit.h)] {
        json.value(name, figure?.value, decimals: 6)
        json.value(name + "_error", figure?.error, decimals: 6)
      }
    }
  }
}

extension ReorderingMetrics {
  fileprivate func writeMembers(to json: inout JSONWriter) {
    json.value("max_extent", maxExtent)
    json.value("max_late_ms", maxLateTime.milliseconds, decimals: 3)
    json.value("ratio", ratio, decimals: 6)
    json.value("mean_extent", meanExtent, decimals: 3)
    json.value("mean_late_ms", meanLateTime, decimals: 3)
    json.array("n_reordering") { array in
      for count in histogram { array.value(nil, count) }
    }
    json.value("max_n", maxN)
  }

  func write(to json: inout JSONWriter) { json.object("reordering") { writeMembers(to: &$0) } }
}

extension InterPacketVariation {
  fileprivate func write(to json: inout JSONWriter) {
    guard count > 0 else { return json.value("ipdv_ms", nil as String?) }
    json.object("ipdv_ms") { json in
      json.value("pairs", count)
      json.value("mean_magnitude", meanMagnitude.milliseconds, decimals: 3)
      json.value("min", min.milliseconds, decimals: 3)
      for (name, share) in [("p1", 0.01), ("p5", 0.05), ("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)] {
        json.value(name, percentile(share)?.milliseconds, decimals: 3)
      }
      json.value("max", max.milliseconds, decimals: 3)
    }
  }
}
