internal import Statistics
internal import Timeline

extension Report {
  /// Writes a sample of each family for each stream: those that go on first, then the last that ended.
  func writeStreams(to metrics: inout MetricsText) {
    metrics.family(
      "jitterbug_streams", .gauge, "Streams received so far, by whether they go on.",
      [
        .init(Double(streams.count { $0.ended == nil }), [("state", "active")]),
        .init(Double(streams.count { $0.ended != nil }), [("state", "ended")]),
      ])
    // A source that came again from the same address has one sample, of its last stream: two with the same labels
    // would be no metrics.
    var known: Set<String> = []
    var shown: [StreamReport] = []
    for stream in streams.filter({ $0.ended == nil }) + streams.filter({ $0.ended != nil }).reversed() {
      guard shown.count < Self.metricsStreamLimit else { break }
      if known.insert("\(stream.ssrc) \(stream.source)").inserted { shown.append(stream) }
    }
    let writer = StreamMetrics(streams: shown)
    writer.writeCounts(to: &metrics)
    writer.writePlaces(to: &metrics)
    writer.writeNetwork(to: &metrics)
    writer.writePlayout(to: &metrics)
    writer.writePictures(to: &metrics)
  }
}

/// The families about streams.
struct StreamMetrics {
  let streams: [StreamReport]

  func writeCounts(to metrics: inout MetricsText) {
    counter("expected_packets", "Sequence numbers from the lowest to the highest seen.", to: &metrics) {
      $0.reception.expected
    }
    counter("received_packets", "Packets that arrived, duplicates included.", to: &metrics) { $0.reception.received }
    counter("received_bytes", "Bytes of these packets with their RTP headers.", to: &metrics) { $0.reception.bytes }
    counter("unique_packets", "Sequence numbers that arrived.", to: &metrics) { $0.reception.unique }
    counter("duplicate_packets", "Packets whose number had arrived before (RFC 5560).", to: &metrics) {
      $0.reception.duplicates
    }
    counter("reordered_packets", "Packets that came after one with a higher number (RFC 4737).", to: &metrics) {
      $0.reception.reordered
    }
    counter("restarts", "Times that the sender began anew with other numbers.", to: &metrics) { $0.reception.restarts }
    gauge("lost_packets", "Expected numbers that haven't arrived; a packet that comes late lowers it.", to: &metrics) {
      Double($0.reception.lost)
    }
    gauge("loss_ratio", "Lost packets by expected ones.", to: &metrics) { $0.reception.lossRatio }
    gauge("loss_runs", "Runs of consecutive lost numbers (RFC 3357 loss periods).", to: &metrics) {
      Double($0.reception.lossRuns.count)
    }
    gauge("loss_run_max_packets", "Length of the longest run.", to: &metrics) { Double($0.reception.lossRuns.max) }
  }

  /// What was sent and where it went missing; the ends are no place of their own, but known of some of the lost.
  func writePlaces(to metrics: inout MetricsText) {
    gauge("sent_packets", "Packets sent while this receiver listened, by the sender's final count.", to: &metrics) {
      $0.ends.sentHere.map { Double($0) }
    }
    let missing = streams.flatMap { stream -> [MetricsText.Sample] in
      let loss = stream.loss
      let places = [
        ("network", loss.network), ("socket", loss.droppedBySocket), ("late", loss.late), ("discarded", loss.discarded),
      ]
      return places.map { .init(Double($0.1), labels(of: stream) + [("place", $0.0)]) }
    }
    metrics.family(
      "jitterbug_stream_missing_packets", .gauge,
      "Packets that weren't there to be played, by where they went missing.",
      missing)
    gauge("lost_at_ends_packets", "Packets lost before the first and after the last that arrived.", to: &metrics) {
      $0.ends.lostAtEnds.map { Double($0) }
    }
  }

  func writeNetwork(to metrics: inout MetricsText) {
    gauge("jitter_seconds", "Interarrival jitter after the last packet (RFC 3550 A.8).", to: &metrics) {
      $0.reception.jitter.last / 1000
    }
    gauge("jitter_max_seconds", "The highest interarrival jitter after any packet.", to: &metrics) {
      $0.reception.jitter.max / 1000
    }
    let variations = streams.flatMap { stream -> [MetricsText.Sample] in
      guard let delay = stream.reception.delayVariation else { return [] }
      let values = [("50", delay.p50), ("95", delay.p95), ("99", delay.p99), ("100", delay.max)]
      return values.map { .init($0.1 / 1000, labels(of: stream) + [("percentile", $0.0)]) }
    }
    metrics.family(
      "jitterbug_stream_delay_variation_seconds", .gauge, "Delay above the smallest delay (RFC 5481 PDV).", variations)
  }

  func writePlayout(to metrics: inout MetricsText) {
    counter("played_packets", "Packets played in time.", to: &metrics) { $0.playout.played }
    counter("late_packets", "Packets that came after their place in the playout was over.", to: &metrics) {
      $0.playout.late
    }
    counter("recovered_packets", "Packets whose media was rebuilt from others.", to: &metrics) { $0.playout.recovered }
    gauge(
      "concealed_packets", "Packets never played: of audio they were concealed, of video their frames lack them.",
      to: &metrics
    ) {
      Double($0.playout.concealed)
    }
    let discards = streams.flatMap { stream in
      DiscardReason.allCases.filter { stream.playout.discarded[$0] > 0 }.map { reason in
        MetricsText.Sample(
          Double(stream.playout.discarded[reason]), labels(of: stream) + [("reason", reason.name)])
      }
    }
    metrics.family(
      "jitterbug_stream_discarded_packets_total", .counter, "Packets thrown away before playout.", discards)
    gauge("buffer_target_seconds", "The jitter buffer's delay.", to: &metrics) { $0.playout.target.seconds }
    writeSamples(to: &metrics)
    gauge("buffer_level_mean_seconds", "Mean of what the jitter buffer held.", to: &metrics) {
      $0.playout.bufferLevel.mean / 1000
    }
    gauge("r_factor", "E-model rating R, on the scale in docs/report-format.md.", to: &metrics) { $0.quality?.rating }
    gauge("mean_opinion_score", "Estimate of how good speech sounds, 1 to 4.5.", to: &metrics) {
      $0.quality?.meanOpinionScore
    }
  }

  /// What viewers saw; no family where no stream has pictures.
  func writePictures(to metrics: inout MetricsText) {
    guard streams.contains(where: { $0.pictures != nil }) else { return }
    let frames = streams.flatMap { stream -> [MetricsText.Sample] in
      guard let pictures = stream.pictures else { return [] }
      let fates = [
        ("shown", pictures.shown), ("undecodable", pictures.undecodable), ("damaged", pictures.damaged),
        ("late", pictures.late), ("lost", pictures.lost),
      ]
      return fates.map { .init(Double($0.1), labels(of: stream) + [("fate", $0.0)]) }
    }
    metrics.family("jitterbug_stream_frames", .gauge, "Frames of video, by what became of them.", frames)
    gauge("freezes", "Times that the picture stood still (W3C webrtc-stats freezeCount).", to: &metrics) {
      $0.pictures.map { Double($0.freezes) }
    }
    gauge("frozen_seconds", "How long it stood still in all.", to: &metrics) { $0.pictures?.frozen.seconds }
    gauge("key_frame_requests", "Picture loss indications sent (RFC 4585).", to: &metrics) {
      $0.pictures.map { Double($0.keyFrameRequests) }
    }
  }

  /// What came out of the buffers, under the names of the W3C's webrtc-stats as far as they have one.
  private func writeSamples(to metrics: inout MetricsText) {
    counter("jitter_buffer_emitted_samples", "Samples of packets that left the buffer.", to: &metrics) {
      $0.playout.samples?.emitted ?? 0
    }
    amount("jitter_buffer_delay_sample_seconds", "Sum over these of the time waited.", to: &metrics) {
      $0.playout.samples?.delay ?? 0
    }
    amount("jitter_buffer_target_delay_sample_seconds", "Sum over these of the target delay.", to: &metrics) {
      $0.playout.samples?.targetDelay ?? 0
    }
    gauge("concealed_samples", "Samples made up in place of missing ones.", to: &metrics) {
      Double($0.playout.samples?.concealed ?? 0)
    }
    gauge("concealment_events", "Times that samples were made up behind some that weren't.", to: &metrics) {
      Double($0.playout.samples?.concealmentEvents ?? 0)
    }
    gauge("buffer_underruns", "Times that there was nothing to play.", to: &metrics) { Double($0.playout.underruns) }
    gauge("inserted_seconds", "Audio put in to play slower.", to: &metrics) { $0.playout.insertedDuration.seconds }
    gauge("removed_seconds", "Audio taken out to play faster.", to: &metrics) { $0.playout.removedDuration.seconds }
    gauge("drift_correction_ratio", "By what share audio is resampled to be longer.", to: &metrics) {
      $0.playout.driftCorrection
    }
  }

  private func amount(
    _ name: String, _ help: String, to metrics: inout MetricsText, _ value: (StreamReport) -> Double
  ) {
    metrics.family("jitterbug_stream_\(name)_total", .counter, help, samples { value($0) })
  }

  private func labels(of stream: StreamReport) -> [(name: String, value: String)] {
    [("ssrc", Figures.identifier(stream.ssrc)), ("source", stream.source)]
  }

  private func counter(
    _ name: String, _ help: String, to metrics: inout MetricsText, _ value: (StreamReport) -> Int
  ) {
    metrics.family("jitterbug_stream_\(name)_total", .counter, help, samples { Double(value($0)) })
  }

  private func gauge(
    _ name: String, _ help: String, to metrics: inout MetricsText, _ value: (StreamReport) -> Double?
  ) {
    metrics.family("jitterbug_stream_\(name)", .gauge, help, samples(value))
  }

  private func samples(_ value: (StreamReport) -> Double?) -> [MetricsText.Sample] {
    streams.compactMap { stream in value(stream).map { .init($0, labels(of: stream)) } }
  }
}
