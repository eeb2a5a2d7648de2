internal import Statistics
internal import Timeline

extension Report {
  /// The most streams that have samples; the others are counted.
  ///
  /// Each stream is a label value that a server keeps.
  static let metricsStreamLimit = 64

  /// The report as Prometheus reads it, in base units: seconds, bytes, ratios from 0 to 1.
  public func metrics() -> String {
    var metrics = MetricsText()
    metrics.family(
      "jitterbug_build_info", .gauge, "The version that runs and its verb; always 1.",
      [.init(1, [("version", version), ("verb", verb)])])
    metrics.family(
      "jitterbug_uptime_seconds", .gauge, "How long it has been running.", [.init(duration.seconds)])
    if let datagrams { write(datagrams, to: &metrics) }
    if let linkRecord { write(linkRecord, to: &metrics) }
    if !sendings.isEmpty { write(sendings, to: &metrics) }
    if let probe { write(probe, to: &metrics) }
    if datagrams != nil || !streams.isEmpty { writeStreams(to: &metrics) }
    return metrics.text
  }

  private func write(_ datagrams: DatagramReport, to metrics: inout MetricsText) {
    metrics.family(
      "jitterbug_receive_datagrams_total", .counter, "Datagrams read from the sockets, by what they were.",
      [
        .init(Double(datagrams.rtp + datagrams.forgotten), [("kind", "rtp")]),
        .init(Double(datagrams.rtcp), [("kind", "rtcp")]),
        .init(Double(datagrams.invalid.total), [("kind", "invalid")]),
      ])
    metrics.family(
      "jitterbug_receive_bytes_total", .counter, "UDP payload bytes read from the sockets.",
      [.init(Double(datagrams.bytes))])
    metrics.family(
      "jitterbug_receive_socket_dropped_datagrams_total", .counter,
      "Datagrams that the kernel dropped because this process read too slowly (SO_RXQ_OVFL).",
      datagrams.droppedBySocket.map { [.init(Double($0))] } ?? [])
  }

  private func write(_ link: LinkReport, to metrics: inout MetricsText) {
    let fates = [
      ("delivered", link.delivered), ("lost", link.lost), ("queue_dropped", link.queueDropped),
      ("outage_lost", link.outageLost),
    ]
    metrics.family(
      "jitterbug_link_packets_total", .counter, "What the link inside this process (--link) did to RTP packets.",
      fates.map { .init(Double($0.1), [("fate", $0.0)]) })
    metrics.family(
      "jitterbug_link_duplicates_total", .counter, "Second copies that the link made.",
      [.init(Double(link.duplicated))])
  }

  private func write(_ sendings: [SendingReport], to metrics: inout MetricsText) {
    func counter(_ name: String, _ help: String, _ value: (SendingReport) -> Double) {
      metrics.family(
        "jitterbug_send_\(name)_total", .counter, help, sendings.map { .init(value($0), Self.label($0)) })
    }
    counter("packets", "RTP packets sent, each once whatever the number of destinations.") { Double($0.packets) }
    counter("bytes", "Bytes of these packets with their RTP headers.") { Double($0.bytes) }
    counter("rtcp_packets", "RTCP compound packets sent.") { Double($0.rtcpPackets) }
    counter("media_seconds", "Length of the media sent.") { $0.mediaDuration.seconds }
    counter("stalls", "Times when the sender stood still for longer than it could catch up.") { Double($0.stalls) }
    counter("stalled_seconds", "Time for which it stood still.") { $0.stalledDuration.seconds }
    metrics.family(
      "jitterbug_send_pacing_error_seconds", .gauge,
      "The instant of sending less the instant at which a packet was due: this host's share of the jitter.",
      sendings.flatMap { sending in
        [("mean", sending.pacing.mean), ("p99", sending.pacing.p99), ("max", sending.pacing.max)].map {
          MetricsText.Sample($0.1.seconds, Self.label(sending) + [("statistic", $0.0)])
        }
      })
    let videos = sendings.compactMap { sending in sending.pictures.map { (sending, $0) } }
    metrics.family(
      "jitterbug_send_frames_total", .counter, "Frames of video sent.",
      videos.compactMap { sending, pictures in pictures.frames.map { .init(Double($0.all), Self.label(sending)) } })
    metrics.family(
      "jitterbug_send_key_frame_requests_total", .counter, "Requests for a key frame that receivers sent (PLI, FIR).",
      videos.map { .init(Double($1.pictureLosses + $1.fullIntraRequests), Self.label($0)) })
    var errors: [String: Int] = [:]
    for error in sendings.flatMap(\.socketErrors) { errors[error.kind, default: 0] += error.count }
    metrics.family(
      "jitterbug_send_socket_errors_total", .counter, "Errors that sockets gave.",
      errors.sorted { $0.key < $1.key }.prefix(32).map { .init(Double($0.value), [("error", $0.key)]) })
    writeFarEnds(of: sendings, to: &metrics)
  }

  private static func label(_ sending: SendingReport) -> [(name: String, value: String)] {
    [(name: "ssrc", value: Figures.identifier(sending.ssrc))]
  }

  private func writeFarEnds(of sendings: [SendingReport], to metrics: inout MetricsText) {
    let farEnds = sendings.flatMap { sending in sending.farEnds.map { (sending, $0) } }.prefix(Self.metricsStreamLimit)
    func gauge(_ name: String, _ help: String, _ value: (SendingReport.FarEnd) -> Double?) {
      metrics.family(
        "jitterbug_far_end_\(name)", .gauge, help,
        farEnds.compactMap { sending, farEnd in
          value(farEnd).map { .init($0, Self.label(sending) + [("receiver", Figures.identifier(farEnd.ssrc))]) }
        })
    }
    gauge("lost_packets", "Packets that never arrived, by a receiver's extended reports (RFC 3611).") {
      $0.extended?.lost.map { Double($0) }
    }
    gauge("loss_ratio", "Their share of the packets reported on.") { $0.extended?.lossRatio }
    gauge("rfc3550_lost_packets", "Packets that a receiver lacks by RFC 3550 A.3: duplicates lower it.") {
      $0.reports == 0 ? nil : Double($0.cumulativeLost)
    }
    gauge("rfc3550_fraction_lost", "Share lost between a receiver's last two reports, by RFC 3550 A.3.") {
      $0.reports == 0 ? nil : $0.lastFractionLost
    }
    gauge("jitter_seconds", "Mean of the interarrival jitter that a receiver reported.") {
      $0.jitter.count == 0 ? nil : $0.jitter.mean / 1000
    }
    gauge("round_trip_seconds", "Mean round-trip time (RFC 3550 6.4.1).") {
      $0.roundTrip.milliseconds.count == 0 ? nil : $0.roundTrip.milliseconds.mean / 1000
    }
  }

  /// What is known of the way there, which only the far end can tell.
  private func write(_ probe: ProbeReport, to metrics: inout MetricsText) {
    func family(
      _ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (SentStreamReport) -> Double?
    ) {
      metrics.family(
        "jitterbug_probe_up_\(name)", kind, help,
        probe.up.prefix(Self.metricsStreamLimit).compactMap { stream in
          value(stream).map { .init($0, [("ssrc", Figures.identifier(stream.ssrc))]) }
        })
    }
    family("sent_packets_total", .counter, "RTP packets sent.") { Double($0.sent) }
    family("lost_packets", .gauge, "Packets that the far end says it hasn't received, those under way among them.") {
      $0.lost.map(Double.init)
    }
    family("duplicate_packets", .gauge, "Packets that arrived there again.") { $0.duplicates.map(Double.init) }
    family("jitter_seconds", .gauge, "Mean of the interarrival jitter that the far end reported.") {
      $0.jitter.count == 0 ? nil : $0.jitter.mean / 1000
    }
    family("round_trip_seconds", .gauge, "Mean round-trip time.") {
      $0.roundTrip.milliseconds.count == 0 ? nil : $0.roundTrip.milliseconds.mean / 1000
    }
  }
}
