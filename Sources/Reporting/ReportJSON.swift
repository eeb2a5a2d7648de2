internal import Statistics
internal import Timeline

extension Report {
  /// The report as one JSON object with the keys of docs/report-format.md, in their order.
  ///
  /// - Parameter pretty: whether each member stands on a line of its own; else the object is one line.
  public func json(pretty: Bool = false) -> String {
    var writer = JSONWriter(pretty: pretty)
    writer.object { json in
      json.value("tool", "jitterbug")
      json.value("version", version)
      json.value("verb", verb)
      json.value("link", link)
      json.value("duration_ms", duration.milliseconds, decimals: 3)
      json.value("ended", ended)
      Self.write(linkRecord, to: &json)
      Self.write(datagrams, to: &json)
      if let capture { json.object("capture") { capture.write(to: &$0) } }
      if let sending { json.object("sending") { sending.write(to: &$0) } }
      if !alsoSending.isEmpty {
        json.array("also_sending") { array in
          for sending in alsoSending { array.object { sending.write(to: &$0) } }
        }
      }
      json.array("streams") { array in
        for stream in probe?.up ?? [] { array.object { stream.write(to: &$0) } }
        for stream in streams { array.object { stream.write(to: &$0) } }
      }
      probe?.write(to: &json)
    }
    return writer.text
  }

  private static func write(_ link: LinkReport?, to json: inout JSONWriter) {
    guard let link else { return json.value("link_record", nil as String?) }
    json.object("link_record") { link.write(to: &$0) }
  }

  private static func write(_ datagrams: DatagramReport?, to json: inout JSONWriter) {
    guard let datagrams else { return json.value("datagrams", nil as String?) }
    json.object("datagrams") { json in
      json.value("received", datagrams.received)
      json.value("bytes", datagrams.bytes)
      json.value("rtp", datagrams.rtp)
      json.value("rtcp", datagrams.rtcp)
      json.value("invalid", datagrams.invalid.total)
      datagrams.invalid.write("invalid_reasons", to: &json)
      json.value("forgotten", datagrams.forgotten)
      json.value("forgotten_streams", datagrams.forgottenStreams)
      json.value("dropped_by_socket", datagrams.droppedBySocket)
      json.value("dropped_of_no_stream", datagrams.droppedBySocket == nil ? nil : datagrams.droppedOfNoStream)
      json.object("arrival_stamps") { json in
        json.value("kernel", datagrams.wait.count)
        json.value("process", datagrams.unstamped)
      }
      guard datagrams.wait.count > 0 else { return json.value("read_delay_ms", nil as String?) }
      json.object("read_delay_ms") { json in
        json.value("mean", datagrams.wait.mean.milliseconds, decimals: 3)
        json.value("p99", datagrams.wait.p99.milliseconds, decimals: 3)
        json.value("max", datagrams.wait.max.milliseconds, decimals: 3)
      }
    }
  }
}

extension LinkReport {
  /// Writes the members of `link_record`.
  func write(to json: inout JSONWriter) {
    json.value("offered", offered)
    json.value("delivered", delivered)
    json.value("lost", lost)
    json.value("queue_dropped", queueDropped)
    json.value("outage_lost", outageLost)
    json.value("duplicated", duplicated)
    json.value("in_flight", inFlight)
    json.value("reordered", reordered)
    json.value("corrupted", corrupted)
    json.value("loss_runs", lossRuns)
    json.value("longest_loss_run", longestLossRun)
  }
}

extension DiscardCounts {
  /// Writes the reasons that occurred.
  func write(_ key: String, to json: inout JSONWriter) {
    json.object(key) { json in
      for reason in DiscardReason.allCases where self[reason] > 0 { json.value(reason.name, self[reason]) }
    }
  }
}

extension RunningExtent {
  /// Writes least, mean and most in milliseconds, or `null` when there is no value.
  func write(_ key: String, to json: inout JSONWriter) {
    guard count > 0 else { return json.value(key, nil as String?) }
    json.object(key) { json in
      json.value("min", min, decimals: 3)
      json.value("mean", mean, decimals: 3)
      json.value("max", max, decimals: 3)
    }
  }
}

extension SendingReport {
  /// Writes the members of the object `sending`.
  fileprivate func write(to json: inout JSONWriter) {
    json.array("destinations") { array in
      for destination in destinations { array.value(nil, destination) }
    }
    json.value("ssrc", Figures.identifier(ssrc))
    json.value("encoding", encoding)
    json.value("payload_type", Int(payloadType))
    json.value("packets", packets)
    json.value("bytes", bytes)
    json.value("rtcp_packets", rtcpPackets)
    json.value("media_ms", mediaDuration.milliseconds, decimals: 3)
    json.object("pacing_error_ms") { json in
      json.value("mean", pacing.mean.milliseconds, decimals: 3)
      json.value("p99", pacing.p99.milliseconds, decimals: 3)
      json.value("max", pacing.max.milliseconds, decimals: 3)
      json.value("last", pacing.last.milliseconds, decimals: 3)
    }
    json.value("sent_late", sentLate)
    json.value("never_sent", neverSent)
    json.object("stalls") { json in
      json.value("count", stalls)
      json.value("total_ms", stalledDuration.milliseconds, decimals: 3)
    }
    json.object("socket_errors") { json in
      for errors in socketErrors { json.value(errors.kind, errors.count) }
    }
    json.array("far_ends") { array in
      for farEnd in farEnds {
        array.object { farEnd.write(to: &$0) }
      }
    }
    json.object("media") { json in
      json.value("kind", pictures == nil ? "audio" : "video")
      pictures?.write(to: &json)
    }
  }
}

extension StreamReport {
  /// Writes the members of one object in `streams`.
  func write(to json: inout JSONWriter) {
    if let direction { json.value("direction", direction) }
    json.value("ssrc", Figures.identifier(ssrc))
    json.value("source", source)
    if let place {
      json.value("destination", place.destination)
      json.value("direction", place.direction.rawValue)
      json.value("first_frame", place.firstFrame)
      json.value("encrypted", place.isEncrypted)
    }
    json.value("encoding", encoding)
    json.value("encoding_source", encodingSource?.rawValue)
    json.value("payload_type", Int(payloadType))
    json.value("cname", cname)
    json.value("ended", ended)
    json.value("restarts", reception.restarts)
    json.value("bytes", reception.bytes)
    json.value("first_arrival_unix_ms", firstArrival.map { Double($0) / 1e6 }, decimals: 3)
    json.value("last_arrival_unix_ms", lastArrival.map { Double($0) / 1e6 }, decimals: 3)
    writePackets(to: &json)
    writeNetwork(to: &json)
    writeBuffer(to: &json)
    roundTrip.milliseconds.write("round_trip_ms", to: &json)
    writeLipSync(to: &json)
    json.object("media") { json in
      writePictures(to: &json)
      json.value("duration_ms", mediaDuration.milliseconds, decimals: 3)
      json.value("played_ms", playout.playedDuration.milliseconds, decimals: 3)
      json.value("concealed_ms", playout.concealedDuration.milliseconds, decimals: 3)
      json.value("recovered_ms", playout.recoveredDuration.milliseconds, decimals: 3)
      json.value("silence_ms", playout.silenceDuration.milliseconds, decimals: 3)
      json.value("stretched_ms", playout.stretchedDuration.milliseconds, decimals: 3)
      writeSamples(to: &json)
    }
    if let lateness {
      json.array("lateness_curve") { array in
        for point in lateness.points {
          array.object { json in
            json.value("delay_ms", point.delay.milliseconds, decimals: 3)
            json.value("late", point.late, decimals: 6)
          }
        }
      }
    } else {
      json.value("lateness_curve", nil as String?)
    }
    json.value("quality_withheld", qualityWithheld)
    guard let quality else { return json.value("quality", nil as String?) }
    json.object("quality") { json in
      json.value("r_factor", quality.rating, decimals: 1)
      json.value("mos", quality.meanOpinionScore, decimals: 2)
      json.value("scale", quality.scale.rawValue)
      json.value("source", quality.source)
    }
  }

  private func writePackets(to json: inout JSONWriter) {
    json.object("packets") { json in
      json.value("expected", reception.expected)
      json.value("received", reception.received)
      json.value("unique", reception.unique)
      json.value("lost", reception.lost)
      json.value("duplicates", reception.duplicates)
      json.value("reordered", reception.reordered)
      json.value("late", playout.late)
      json.value("recovered", playout.recovered)
      json.value("played", playout.played)
      json.value("concealed", playout.concealed)
      json.value("discarded", playout.discarded.total)
      json.value("still_buffered", playout.stillBuffered)
      json.value("too_old", reception.tooOld)
      json.value("rfc3550_lost", reception.rfc3550Lost)
      json.value("sent", ends.sent)
      json.value("sent_at_least", ends.sentAtLeast)
      json.value("lost_at_ends", ends.lostAtEnds)
      json.value("lost_before_first", ends.lostBefore)
      json.value("lost_after_last", ends.lostAfter)
      json.value("before_listening", ends.beforeListening)
    }
    json.value("tail", ends.knowledge.rawValue)
    writeLoss(to: &json)
    playout.discarded.write("discarded_reasons", to: &json)
    if let sender {
      json.object("sender") { json in
        json.value("packets", sender.packets)
        json.value("bytes", sender.bytes)
      }
    } else {
      json.value("sender", nil as String?)
    }
  }

  private func writeNetwork(to json: inout JSONWriter) {
    json.value("loss_ratio", reception.lossRatio, decimals: 6)
    reception.lossRuns.write("bursts", to: &json)
    writePatterns(to: &json)
    reception.reordering.write(to: &json)
    if isClockKnown {
      reception.jitter.write("jitter_ms", to: &json)
    } else {
      json.value("jitter_ms", nil as String?)
    }
    mediaJitter?.write("media_jitter_ms", to: &json)
    whatIf?.write(to: &json)
    if let fittedLink { json.value("fitted_link", fittedLink) }
    writeDelay(to: &json)
  }
}

extension SendingReport.Pictures {
  /// Writes the members of a sender's `media` that only video has.
  fileprivate func write(to json: inout JSONWriter) {
    json.value("frames", frames?.all)
    json.value("key_frames", frames?.key)
    json.object("key_frame_requests") { json in
      json.value("picture_loss_indications", pictureLosses)
      json.value("full_intra_requests", fullIntraRequests)
      json.value("answered", answers)
    }
  }
}
