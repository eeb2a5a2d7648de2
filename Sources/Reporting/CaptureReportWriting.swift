internal import Statistics
internal import Timeline

extension CaptureReport {
  /// Writes the section about the capture.
  func write(streams: Int, to page: inout TextPage) {
    page.heading("Capture \(Printable.cleaned(name))")
    let kinds: [(Int, String)] = [
      (rtp, "RTP"), (rtcp, "RTCP"), (stun, "STUN"), (dtls, "DTLS"), (other, "other UDP"), (segments, "TCP"),
      (fragments, "later fragments"), (foreign, "of other protocols"), (malformed, "malformed"),
      (unfollowed, "RTP not followed"),
    ]
    page.row(
      "packets",
      [Figures.count(frames, "packet")] + kinds.filter { $0.0 > 0 }.map { "\(Figures.grouped($0.0)) \($0.1)" })
    if let broken { page.row("stopped", [Printable.cleaned(broken)]) }
    if unreadable > 0 {
      page.row(
        "not read",
        [Figures.count(unreadable, "packet") + " of link type \(unreadableType ?? 0), which isn't known here"])
    }
    if cut > 0 {
      page.row(
        "cut", [Figures.count(cut, "RTP packet") + " captured only in part: counted, but their media can't be used"])
    }
    if discarded.total > 0 { page.row("not counted", [discarded.named]) }
    if backwards > 0 { page.row("clock", [Figures.count(backwards, "packet") + " stamped before the one in front"]) }
    if let dropped, dropped > 0 {
      page.row("this host", [Figures.count(dropped, "packet") + " dropped while capturing: they crossed the network"])
    }
    for short in shortStreams.prefix(8) {
      page.row(
        "too short",
        [
          "\(Figures.identifier(short.ssrc)) from \(short.source) to \(short.destination)",
          Figures.count(short.packets, "packet") + ", the first is number \(Figures.grouped(short.firstFrame))",
        ])
    }
    if shortCount > min(shortStreams.count, 8) {
      page.row("", [Figures.count(shortCount - min(shortStreams.count, 8), "more source") + " too short"])
    }
    if streams == 0 { page.line("No RTP stream was found.") }
  }

  /// Writes the members of the object `capture`.
  func write(to json: inout JSONWriter) {
    json.value("name", name)
    json.value("frames", frames)
    json.value("bytes_read", bytes)
    json.value("first_unix_ms", first.map { Double($0) / 1e6 }, decimals: 3)
    json.value("last_unix_ms", last.map { Double($0) / 1e6 }, decimals: 3)
    json.value("broken", broken)
    json.value("rtp", rtp)
    json.value("rtcp", rtcp)
    json.value("stun", stun)
    json.value("dtls", dtls)
    json.value("other_udp", other)
    json.value("tcp", segments)
    json.value("fragments", fragments)
    json.value("other_protocols", foreign)
    json.value("malformed", malformed)
    json.value("other_link_types", unreadable)
    json.value("not_followed", unfollowed)
    json.value("cut", cut)
    json.value("clock_backwards", backwards)
    json.value("descriptions", descriptions)
    json.value("dropped_by_host", dropped)
    json.value("discarded", discarded.total)
    discarded.write("discarded_reasons", to: &json)
    json.value("short_streams_total", shortCount)
    json.array("short_streams") { array in
      for short in shortStreams {
        array.object { json in
          json.value("ssrc", Figures.identifier(short.ssrc))
          json.value("source", short.source)
          json.value("destination", short.destination)
          json.value("packets", short.packets)
          json.value("first_frame", short.firstFrame)
        }
      }
    }
  }
}

extension ReplayCurve {
  /// Writes the rows about other delays of the buffer: a sentence, and a bar for each delay.
  func write(to page: inout TextPage) {
    guard let most = points.map(\.late).max() else { return }
    page.row("what if", [sentence])
    if let adaptiveSentence { page.row("", [adaptiveSentence]) }
    if omitted > 0 {
      page.row("", ["by the first \(Figures.count(packets, "packet")): \(Figures.grouped(omitted)) more weren't kept"])
    }
    guard most > 0 else { return }
    for point in points {
      let length = Int((point.late / most * 32).rounded(.up))
      let delay = String(Int(point.delay.milliseconds.rounded())) + " ms"
      let percent = Figures.percent(Int((point.late * 1e6).rounded()), of: 1_000_000)
      let padding = String(repeating: " ", count: max(0, 7 - delay.count))
      let bar = String(repeating: "█", count: length)
      page.row("", [padding + delay + " " + bar + (length > 0 ? " " : "") + percent + (point.late > 0 ? " late" : "")])
      if point.late == 0 { break }
    }
  }

  /// What the curve says in one sentence.
  var sentence: String {
    guard let last = points.last, let delay = delay(lateAtMost: Self.enough) else {
      let most = points.last.map { Int($0.delay.milliseconds.rounded()) } ?? 0
      return
        "not even \(most) ms of buffer would have been enough for \(Figures.fixed(Self.enough * 100, decimals: 1)) % late"
    }
    let late = points.first { $0.delay == delay }?.late ?? last.late
    let share = Figures.percent(Int((late * 1e6).rounded()), of: 1_000_000)
    return "\(Int(delay.milliseconds.rounded())) ms would have been enough: \(share) late"
  }

  /// What an adaptive buffer would have made of it.
  var adaptiveSentence: String? {
    guard let adaptive else { return nil }
    let share = Figures.percent(Int((adaptive.late * 1e6).rounded()), of: 1_000_000)
    return "an adaptive one for \(Figures.trimmed(lateBudget * 100, decimals: 2)) % late would have taken "
      + "\(Figures.milliseconds(adaptive.delay.milliseconds)) on average: \(share) late"
  }

  /// Writes the arrays `what_if`, and what was left out of it.
  func write(to json: inout JSONWriter) {
    json.array("what_if") { array in
      for point in points {
        array.object { json in
          json.value("delay_ms", point.delay.milliseconds, decimals: 3)
          json.value("late_ratio", point.late, decimals: 6)
          json.value("concealed_ratio", point.concealed, decimals: 6)
        }
      }
    }
    json.value("what_if_omitted", omitted)
    json.value("what_if_enough_ms", delay(lateAtMost: Self.enough)?.milliseconds, decimals: 3)
    guard let adaptive else { return json.value("what_if_adaptive", nil as String?) }
    json.object("what_if_adaptive") { json in
      json.value("late_budget", lateBudget, decimals: 6)
      json.value("delay_mean_ms", adaptive.delay.milliseconds, decimals: 3)
      json.value("late_ratio", adaptive.late, decimals: 6)
      json.value("concealed_ratio", adaptive.concealed, decimals: 6)
    }
  }
}
