internal import Plots
internal import Statistics
internal import Timeline

extension SendingReport {
  /// Writes what was sent, how punctually, and what the receivers say.
  func write(to page: inout Markup, id: String) {
    let description =
      "\(encoding ?? "unknown encoding") · payload type \(payloadType) · to " + destinations.joined(separator: ", ")
    page.section(id, "Sent as \(Figures.identifier(ssrc))", description: description, tiles: tiles) { section in
      if let timeline { writePunctuality(timeline, to: &section) }
      section.element("h3", "What the far end says")
      if farEnds.isEmpty {
        section.element(
          "p",
          "No receiver sent a report (RTCP). What arrived is known only to the receiver: run jitterbug receive there.")
      } else {
        reports.write(to: &section)
      }
      section.element("h3", "The figures")
      figures.write(to: &section)
      guard !socketErrors.isEmpty else { return }
      section.element("h3", "Trouble with the sockets")
      var table = PageTable("Errors by name", [.text("error"), .number("times")])
      for errors in socketErrors { table.row(errors.kind, Figures.grouped(errors.count)) }
      table.write(to: &section)
    }
  }

  private var tiles: [PageTile] {
    var tiles = [
      (name: "Packets", value: Figures.grouped(packets), note: Figures.bytes(bytes)),
      (name: "Media", value: Figures.duration(mediaDuration), note: "sent in real time"),
    ]
    if let frames = pictures?.frames {
      tiles.append(
        (name: "Frames", value: Figures.grouped(frames.all), note: Figures.count(frames.key, "key frame")))
    }
    if pacing.count > 0 {
      tiles.append(
        (
          name: "Late by", value: Figures.milliseconds(pacing.p99.milliseconds),
          note: "99 % within; worst \(Figures.milliseconds(pacing.max.milliseconds))"
        ))
    }
    tiles.append((name: "Stalls", value: Figures.grouped(stalls), note: "\(Figures.duration(stalledDuration)) in all"))
    tiles.append((name: "RTCP", value: Figures.grouped(rtcpPackets), note: "compound packets sent"))
    return tiles
  }

  /// The text report's rows, so that page and text never tell different things.
  private var figures: PageTable {
    var text = TextPage()
    write(to: &text)
    return PageTable("Everything that the text report says", text)
  }

  private func writePunctuality(_ timeline: SendTimeline, to page: inout Markup) {
    let rows = timeline.rows(atMost: PageDetail(streams: 1).rows)
    let end = max(timeline.duration.seconds, 0.001)
    guard rows.count > 1 else { return }
    let axis = PlotAxis("time since the first packet", kind: .time, low: 0, high: end)
    let lateness = rows.map { PlotRange($0.start.seconds, $0.lateness?.min ?? .nan, $0.lateness?.max ?? .nan) }
    let means = rows.map { PlotPoint($0.start.seconds, $0.lateness?.mean ?? .nan) }
    let hovers = rows.map { row in
      PlotBar(
        from: row.start.seconds, to: min((row.start + row.duration).seconds, end), value: 0,
        title: "\(Figures.clock(row.start)): \(Figures.count(row.packets, "packet")), "
          + (row.lateness.map { "\(Figures.milliseconds($0.min)) to \(Figures.milliseconds($0.max)) late" } ?? "")
      )
    }
    var chart = Chart(
      title: "Punctuality over time",
      summary: "How late packets left, up to \(Figures.milliseconds(pacing.max.milliseconds)).",
      x: axis, y: PlotAxis("ms after they were due"),
      layers: [.band(lateness, until: end, .main), .steps(means, until: end, .main), .hovers(hovers)])
    chart.height = 160
    page.figure(
      "Punctuality over time",
      "How late packets left this host. What is seen here is the sender's own jitter, which no network caused.",
      svg: chart.svg,
      legend: Legend([Legend.Entry(.main, "mean"), Legend.Entry(.main, "least to most", .band)]))
    let rates = rows.map { row in
      PlotPoint(
        row.start.seconds, Double(row.bytes) * 8 / max(min(row.duration, timeline.duration - row.start).milliseconds, 1)
      )
    }
    chart = Chart(
      title: "Bit rate", summary: "The bit rate sent, RTP headers included.", x: axis, y: PlotAxis("kbit/s", low: 0),
      layers: [.steps(rates.count > 2 ? rates.dropLast() : rates, until: end, .main)])
    chart.height = 130
    page.figure("Bit rate", "What was sent, RTP headers included, UDP and IP headers not.", svg: chart.svg)
  }

  private var reports: PageTable {
    var table = PageTable(
      "What receivers report: lost by RFC 3611 where they say it, and by RFC 3550, where duplicates hide losses",
      [
        .text("receiver"), .number("reports"), .number("lost"), .number("RFC 3550"), .number("at last"),
        .number("jitter"), .number("round trip"),
      ])
    for farEnd in farEnds {
      let (jitter, trips) = (farEnd.jitter, farEnd.roundTrip.milliseconds)
      table.row(
        Figures.identifier(farEnd.ssrc), Figures.grouped(farEnd.reports),
        farEnd.extended?.lost.map { Figures.grouped($0) } ?? "–", Figures.grouped(farEnd.cumulativeLost),
        "\(Figures.trimmed(farEnd.lastFractionLost * 100, decimals: 1)) %",
        jitter.count > 0 ? Figures.milliseconds(jitter.mean) : "–",
        trips.count > 0 ? Figures.milliseconds(trips.mean) : "–")
    }
    return table
  }
}

extension LinkReport {
  /// Writes what the link did beside what the receiver counted over all streams.
  func write(_ heading: String, beside streams: [StreamReport], to page: inout Markup) {
    page.element("h2", heading)
    let hasReceiver = !streams.isEmpty
    var table = PageTable(
      "The link's own record" + (hasReceiver ? ", beside what the receiver counted" : ""),
      [.text(""), .number("link")] + (hasReceiver ? [.number("receiver")] : []))
    for row in comparison(beside: streams) {
      let label = row.label.hasPrefix(" ") ? "…" + row.label.dropFirst() : row.label.capitalizedAtFirst
      let receiver = hasReceiver ? [row.receiver.map { Figures.grouped($0) } ?? "–"] : []
      table.rows.append([label, Figures.grouped(row.link)] + receiver)
    }
    table.write(to: &page)
    let missing = unseen(by: streams)
    guard missing > 0 else { return }
    page.element(
      "p", ["class": "soft"],
      "\(Figures.count(missing, "packet")) before the first or after the last one that arrived: sequence numbers alone "
        + "don't show them."
    )
  }
}

extension DatagramReport {
  /// Writes what arrived at the sockets.
  func write(to page: inout Markup) {
    page.element("h2", "Datagrams")
    var table = PageTable(
      "What arrived at this host's sockets", [.text(""), .number("datagrams"), .text("meaning")])
    table.row("RTP", Figures.grouped(rtp), "counted in a stream")
    table.row("RTCP", Figures.grouped(rtcp), "valid compound packets")
    table.row("Invalid", Figures.grouped(invalid.total), invalid.total > 0 ? invalid.named : "thrown away at once")
    if forgotten > 0 {
      table.row(
        "Of earlier streams", Figures.grouped(forgotten), "\(Figures.count(forgottenStreams, "stream")) not shown")
    }
    // A link inside this process stands behind the sockets: what it drops or doubles is in no row.
    let isSum = received == rtp + rtcp + invalid.total + forgotten
    table.row(
      "Received", Figures.grouped(received),
      "\(Figures.bytes(bytes)) of UDP payload" + (isSum ? "" : ", before the link in this process"), isSum: isSum)
    if let droppedBySocket {
      table.row(
        "Dropped here", Figures.grouped(droppedBySocket),
        droppedBySocket > 0
          ? "by the kernel: the socket's buffer was full, the network is not to blame"
          : "the socket's buffer was never full")
    }
    table.write(to: &page)
  }
}
