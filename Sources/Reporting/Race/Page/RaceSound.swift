internal import Plots
internal import Timeline

/// What the listeners of the lanes heard, to be played in the page.
struct RaceSound {
  let race: RaceReport

  init(_ race: RaceReport) { self.race = race }

  /// How many bytes of sound stand in a page at most, before they are written as text.
  static let limit = 16_000_000

  /// Writes the clips, those of the same moment under each other.
  func write(to page: inout Markup) {
    page.element(
      "p",
      "What came out of each lane’s player. Marked over the waveform is what isn’t the sender’s sound: concealed, waited "
        + "for, or rebuilt.")
    var (room, left) = (Self.limit, 0)
    // Opus is small and goes first; WAV is for browsers that can't play it.
    for lane in race.lanes {
      for clip in lane.clips { room -= clip.oggOpus?.count ?? 0 }
    }
    left = max(room, 0)
    let isOpusIn = room >= 0
    for place in 0..<(race.lanes.map(\.clips.count).max() ?? 0) {
      let lanes = race.lanes.filter { place < $0.clips.count }
      guard let first = lanes.first?.clips[place] else { continue }
      page.element("section", ["class": "clip", "aria-label": first.title]) { section in
        section.element("h3", Self.heading(first))
        for lane in lanes {
          let clip = lane.clips[place]
          var sources: [(type: String, bytes: [UInt8])] = []
          if isOpusIn, let opus = clip.oggOpus { sources.append(("audio/ogg; codecs=opus", opus)) }
          if let wav = clip.wav, wav.count <= left {
            left -= wav.count
            sources.append(("audio/wav", wav))
          }
          write(clip, of: race.columnName(lane), sources, to: &section)
        }
      }
    }
  }

  private static func heading(_ clip: AudioClip) -> String {
    "\(clip.title.capitalizedAtFirst), from \(Figures.clock(clip.start)) on, \(Figures.duration(clip.duration))"
  }

  private func write(
    _ clip: AudioClip, of name: String, _ sources: [(type: String, bytes: [UInt8])], to page: inout Markup
  ) {
    page.figure(name, Self.words(clip.gaps), svg: waveform(clip, of: name), legend: legend(clip.gaps))
    guard !sources.isEmpty else {
      page.element("p", ["class": "soft"], "The sound itself isn’t in this page; --out DIR writes it to files.")
      return
    }
    page.element(
      "audio", ["controls": "controls", "preload": "metadata", "aria-label": "\(name): \(clip.title)"]
    ) { audio in
      for source in sources {
        let type = source.type.prefix { $0 != ";" }
        audio.empty(
          "source", ["type": source.type, "src": "data:\(type);base64,\(Base64.text(source.bytes))"])
      }
    }
  }

  private func waveform(_ clip: AudioClip, of name: String) -> String {
    let length = max(clip.duration.seconds, 0.001)
    let step = length / Double(max(clip.envelope.count, 1))
    let wave = clip.envelope.enumerated().map { place, range in
      PlotRange((Double(place) + 0.5) * step, Double(range.lowerBound), Double(range.upperBound))
    }
    var layers: [PlotLayer] = [.ranges(wave, .muted)]
    for gap in clip.gaps.thinned(to: Self.gapLimit) {
      let start = gap.start.seconds
      layers.append(
        .span(
          PlotBar(
            from: start, to: max((gap.start + gap.duration).seconds, start + length / 1000), value: 0,
            title: "\(gap.fate.words), \(Figures.duration(gap.duration)) at \(Figures.duration(gap.start))"),
          gap.fate.ink))
    }
    var chart = Chart(
      title: "The waveform of \(name)", summary: Self.words(clip.gaps),
      x: PlotAxis("", kind: .time, low: 0, high: length), y: PlotAxis("", low: -1, high: 1), layers: layers)
    chart.height = 80
    return chart.svg
  }

  /// The most gaps that are drawn over a waveform.
  private static let gapLimit = 500

  private static func words(_ gaps: [AudioClip.Gap]) -> String {
    guard !gaps.isEmpty else { return "Nothing was missing." }
    let total = gaps.reduce(Interval.zero) { $0 + $1.duration }
    return "\(Figures.count(gaps.count, "gap")), \(Figures.duration(total)) in all."
  }

  private func legend(_ gaps: [AudioClip.Gap]) -> Legend {
    Legend(
      LaneFate.allCases.filter { fate in gaps.contains { $0.fate == fate } }
        .map { Legend.Entry($0.ink, $0.words, .pale) })
  }
}

extension LaneFate {
  fileprivate var ink: Ink {
    switch self {
    case .onTime: .good
    case .late: .late
    case .lost: .lost
    case .recovered: .duplicate
    }
  }

  fileprivate var words: String {
    switch self {
    case .onTime: "on time"
    case .late: "late"
    case .lost: "lost"
    case .recovered: "rebuilt"
    }
  }
}
