internal import Statistics
internal import Timeline

extension Report {
  /// The report for people: lines of text, each ended by a line break.
  public func text() -> String {
    var page = TextPage()
    var title = "jitterbug \(verb) · \(Figures.duration(duration))"
    if let ended { title += " · ended: " + Printable.cleaned(ended) }
    page.line(title)
    probe?.writeVerdict(to: &page)
    if let link { page.line("Link in this process: " + Printable.cleaned(link)) }
    for sending in sendings { sending.write(to: &page, isAlone: probe == nil) }
    probe?.write(to: &page)
    datagrams?.write(to: &page)
    capture?.write(streams: streams.count, to: &page)
    for stream in streams { stream.write(to: &page) }
    if datagrams != nil, streams.isEmpty, probe == nil { page.line("No stream arrived.") }
    // A prober's link is on the way there, of which its own streams say nothing.
    linkRecord?.write(beside: probe == nil ? streams : [], to: &page)
    probe?.downLinkRecord?.write(beside: streams, to: &page)
    return page.text
  }
}

/// Lines of text with a column of labels.
struct TextPage {
  private(set) var text = ""
  /// The rows so far: labels and figures; those of a row without a label are its predecessor's.
  private(set) var rows: [(label: String, figures: [String])] = []

  /// A line that begins at the margin.
  mutating func line(_ line: String) { text += line + "\n" }

  /// A blank line and a heading.
  mutating func heading(_ heading: String) { text += "\n" + heading + "\n" }

  /// A label and its figures, joined by dots; nothing when there is no figure.
  mutating func row(_ label: String, _ figures: [String]) {
    guard !figures.isEmpty else { return }
    if label.isEmpty, let last = rows.indices.last {
      rows[last].figures += figures
    } else {
      rows.append((label, figures))
    }
    let padding = String(repeating: " ", count: max(12 - label.count, 1))
    text += "  " + label + padding + figures.joined(separator: " · ") + "\n"
  }
}

extension DatagramReport {
  fileprivate func write(to page: inout TextPage) {
    guard invalid.total > 0 || forgottenStreams > 0 || droppedBySocket ?? 0 > 0 || hasWaited || unstamped > 0 else {
      return
    }
    page.heading("Datagrams")
    page.row(
      "arrived", [Figures.count(received, "datagram"), "\(Figures.grouped(rtp)) RTP", "\(Figures.grouped(rtcp)) RTCP"])
    if invalid.total > 0 { page.row("invalid", [invalid.named]) }
    if forgottenStreams > 0 {
      page.row(
        "not shown",
        [Figures.count(forgottenStreams, "stream") + " that ended earlier", Figures.count(forgotten, "packet")])
    }
    if let droppedBySocket, droppedBySocket > 0 {
      var figures = [Figures.count(droppedBySocket, "datagram") + " dropped: its socket buffer was full"]
      if droppedOfNoStream > 0 {
        figures.append("\(Figures.grouped(droppedOfNoStream)) of them in no stream's account")
      }
      page.row("this host", figures)
    }
    if hasWaited {
      page.row(
        "read after",
        [
          "mean \(Figures.milliseconds(wait.mean.milliseconds)) in this host",
          "99 % within \(Figures.milliseconds(wait.p99.milliseconds))",
          "worst \(Figures.milliseconds(wait.max.milliseconds)); arrivals are the kernel's, so this isn't jitter",
        ])
    }
    if unstamped > 0 {
      page.row("stamps", [Figures.count(unstamped, "arrival") + " known only as read: a busy host shows as jitter"])
    }
  }
}

extension DatagramReport {
  /// Whether this host was so slow to read that it is worth a line.
  private var hasWaited: Bool { wait.p99 >= .milliseconds(5) || wait.max >= .milliseconds(50) }
}

extension DiscardCounts {
  /// The reasons that occurred with their counts: "2 malformed, 1 probation".
  var named: String {
    DiscardReason.allCases.filter { self[$0] > 0 }.map { reason in
      Figures.grouped(self[reason]) + " " + String(reason.name.map { $0 == "_" ? " " : $0 })
    }.joined(separator: ", ")
  }
}

extension RunningExtent {
  /// Mean and range in milliseconds.
  fileprivate var figures: [String] {
    ["mean \(Figures.milliseconds(mean))", "\(Figures.milliseconds(min)) to \(Figures.milliseconds(max))"]
  }
}

extension StreamReport {
  func write(to page: inout TextPage) {
    let way = place.map { " to \(Printable.cleaned($0.destination)) (\($0.direction.rawValue))" } ?? ""
    let name = direction == "down" ? "Down: stream" : "Stream"
    page.heading("\(name) \(Figures.identifier(ssrc)) from \(Printable.cleaned(source))\(way)")
    var kind = (encoding.map { Printable.cleaned($0) } ?? "unknown encoding") + ", payload type \(payloadType)"
    if let encodingSource { kind += ", known from \(encodingSource.words)" }
    page.row("media", [kind] + (cname.map { ["sent by \(Printable.cleaned($0))"] } ?? []))
    writeArrival(to: &page)
    writePictures(to: &page)
    writePlayout(to: &page)
    writeLipSync(to: &page)
    whatIf?.write(to: &page)
    if let fittedLink { page.row("as a link", [fittedLink]) }
    let times = roundTrip.milliseconds
    if times.count > 0 { page.row("round trip", times.figures) }
    if let quality {
      let score = Figures.fixed(quality.meanOpinionScore, decimals: 2)
      let rating = Figures.fixed(quality.rating, decimals: 1)
      let best = Figures.trimmed(quality.scale.best, decimals: 1)
      page.row("quality", ["MOS \(score)", "R \(rating) of \(best) (\(quality.scale.rawValue))"])
      page.row("", ["for speech, by \(quality.source)"])
    } else if let qualityWithheld {
      page.row("quality", ["not rated: " + Printable.cleaned(qualityWithheld)])
    }
    if let ended { page.row("ended", [Printable.cleaned(ended)]) }
  }

  private func writeArrival(to page: inout TextPage) {
    let counts = reception
    page.row(
      "packets",
      [
        "\(Figures.grouped(counts.expected)) expected", "\(Figures.grouped(counts.unique)) arrived",
        "\(Figures.grouped(counts.lost)) lost (\(Figures.percent(counts.lost, of: counts.expected)))",
        Figures.count(counts.duplicates, "duplicate"),
      ])
    writePlaces(to: &page)
    writePatterns(to: &page)
    writeOrder(to: &page)
    if counts.restarts > 0 { page.row("restarts", ["the sender began anew \(Figures.count(counts.restarts, "time"))"]) }
    let jitter = [
      "mean \(Figures.milliseconds(counts.jitter.mean))", "max \(Figures.milliseconds(counts.jitter.max))",
      "last \(Figures.milliseconds(counts.jitter.last))",
    ]
    page.row(
      "jitter",
      isClockKnown ? jitter : ["withheld: nothing tells the clock of its timestamps; name it by --format or --sdp"])
    page.row("", orderNote.map { [$0] } ?? [])
    if let media = mediaJitter {
      page.row(
        "",
        [
          "of payload type \(payloadType) alone: mean \(Figures.milliseconds(media.mean))",
          "max \(Figures.milliseconds(media.max))", "last \(Figures.milliseconds(media.last))",
        ])
    }
    writeDelay(to: &page)
  }

  private func writePlayout(to page: inout TextPage) {
    var figures = ["\(Figures.grouped(playout.played)) played", "\(Figures.grouped(playout.late)) too late"]
    if playout.recovered > 0 { figures.append("\(Figures.grouped(playout.recovered)) recovered") }
    let fate = isVideo ? "missing from their frames" : "concealed"
    figures.append("\(Figures.grouped(playout.concealed)) \(fate)")
    let discarded = playout.discarded.total
    if discarded > 0 { figures.append("\(Figures.grouped(discarded)) discarded (\(playout.discarded.named))") }
    if playout.stillBuffered > 0 { figures.append("\(Figures.grouped(playout.stillBuffered)) still in the buffer") }
    page.row("playout", figures)

    var media = ["\(Figures.duration(mediaDuration)) of media"]
    if playout.concealedDuration > .zero {
      let share = Figures.percent(
        Int(playout.concealedDuration.milliseconds), of: Int(mediaDuration.milliseconds.rounded(.up)))
      media.append("\(Figures.duration(playout.concealedDuration)) \(isVideo ? "missing" : "concealed") (\(share))")
    }
    if playout.recoveredDuration > .zero { media.append("\(Figures.duration(playout.recoveredDuration)) recovered") }
    if playout.silenceDuration > .zero { media.append("\(Figures.duration(playout.silenceDuration)) silent by intent") }
    if mediaDuration > .zero, pictures == nil { page.row(isVideo ? "length" : "heard", media) }
    writeBuffer(to: &page)
    writeLateness(to: &page)
  }
}

extension EncodingSource {
  /// The source in words for people.
  var words: String {
    switch self {
    case .sdp: "the SDP"
    case .formatOption: "--format"
    case .outputSuffix: "the output file's suffix"
    case .packets: "the packets' looks"
    case .staticTable: "RFC 3551"
    case .convention: "convention"
    }
  }
}

extension SendingReport {
  /// Writes the rows; `isAlone` when nothing else in the report tells what arrived.
  func write(to page: inout TextPage, isAlone: Bool = true) {
    let kind = encoding.map { Printable.cleaned($0) + ", " } ?? ""
    page.heading("Sent as \(Figures.identifier(ssrc)), \(kind)payload type \(payloadType)")
    page.row("to", [destinations.map { Printable.cleaned($0) }.joined(separator: ", ")])
    page.row(
      "packets",
      [
        Figures.count(packets, "packet"), Figures.bytes(bytes), Figures.duration(mediaDuration) + " of media",
        Figures.count(rtcpPackets, "RTCP packet"),
      ])
    if let pictures { page.row("frames", pictures.figures) }
    if pacing.count > 0 {
      page.row(
        "timing",
        [
          "mean \(Figures.milliseconds(pacing.mean.milliseconds)) late",
          "99 % within \(Figures.milliseconds(pacing.p99.milliseconds))",
          "worst \(Figures.milliseconds(pacing.max.milliseconds))",
          "at the end \(Figures.milliseconds(pacing.last.milliseconds))",
        ])
    }
    if sentLate > 0 || neverSent > 0 {
      page.row(
        "this host",
        [
          Figures.count(sentLate, "packet") + " late by more than half an interval",
          "\(Figures.grouped(neverSent)) never sent: no socket took them",
        ])
    }
    if stalls > 0 {
      page.row("stalls", [Figures.count(stalls, "stall"), Figures.duration(stalledDuration) + " in all"])
    }
    if !socketErrors.isEmpty {
      page.row("errors", socketErrors.map { "\(Figures.grouped($0.count)) \(Printable.cleaned($0.kind))" })
    }
    if isAlone, farEnds.isEmpty, packets > 0, destinations.contains(where: { $0.hasPrefix("rtp://") }) {
      page.row("far end", ["no receiver sent a report (RTCP), so what arrived isn't known here"])
    }
    for farEnd in farEnds { farEnd.write(to: &page) }
  }
}

extension SendingReport.Pictures {
  /// Frames, and what receivers asked for.
  fileprivate var figures: [String] {
    var figures: [String] = []
    if let frames { figures += [Figures.count(frames.all, "frame"), Figures.count(frames.key, "key frame")] }
    let requests = pictureLosses + fullIntraRequests
    if requests > 0 {
      figures.append(
        "\(Figures.count(requests, "request")) for a key frame, answered \(Figures.count(answers, "time"))")
    }
    return figures
  }
}
