internal import Statistics
internal import Timeline

/// What a viewer saw of a stream of video.
extension StreamReport {
  /// "video" where frames were followed, "audio" for encodings of sound, nil where nothing is known.
  private var mediaKind: String? {
    if pictures != nil { return "video" }
    guard let name = encoding?.split(separator: "/").first?.lowercased() else { return nil }
    switch name {
    case "h264", "h265", "vp8", "vp9", "av1", "mp2t", "mpv", "jpeg", "h261", "h263", "celb", "nv": return "video"
    case "unknown", "synthetic": return nil
    default: return "audio"
    }
  }

  /// Members of the object `media`.
  func writePictures(to json: inout JSONWriter) {
    json.value("kind", mediaKind)
    guard let pictures else { return }
    json.object("frames") { json in
      json.value("expected", pictures.expected)
      json.value("complete", pictures.complete)
      json.value("damaged", pictures.damaged)
      json.value("late", pictures.late)
      json.value("lost", pictures.lost)
      json.value("undecodable", pictures.undecodable)
      json.value("shown", pictures.shown)
    }
    json.value("frame_interval_ms", pictures.frameInterval.milliseconds, decimals: 3)
    json.value("key_frames", pictures.keyFrames)
    json.value("key_frame_requests", pictures.keyFrameRequests)
    json.object("freezes") { json in
      json.value("count", pictures.freezes)
      json.value("total_ms", pictures.frozen.milliseconds, decimals: 3)
      json.value("longest_ms", pictures.longestFreeze.milliseconds, decimals: 3)
    }
    for (name, sizes) in [
      ("frame_bytes", pictures.frameBytes), ("packets_per_frame", pictures.packetsPerFrame),
    ] {
      json.object(name) { json in
        json.value("p50", sizes.median)
        json.value("max", sizes.most)
      }
    }
  }

  func writePictures(to page: inout TextPage) {
    guard let pictures else { return }
    var figures = [
      "\(Figures.grouped(pictures.expected)) expected",
      "\(Figures.grouped(pictures.complete)) whole (\(Figures.percent(pictures.complete, of: pictures.expected)))",
    ]
    for (count, word) in [(pictures.damaged, "damaged"), (pictures.late, "too late"), (pictures.lost, "lost")]
    where count > 0 { figures.append("\(Figures.grouped(count)) \(word)") }
    page.row("frames", figures)
    var shown = ["\(Figures.grouped(pictures.shown)) could be decoded"]
    if pictures.undecodable > 0 {
      shown.append("\(Figures.grouped(pictures.undecodable)) whole ones couldn't: what they refer to is missing")
    }
    shown.append(Figures.count(pictures.keyFrames, "key frame"))
    if pictures.keyFrameRequests > 0 { shown.append(Figures.count(pictures.keyFrameRequests, "request") + " for one") }
    page.row("shown", shown)
    page.row(
      "picture",
      pictures.freezes == 0
        ? ["never froze"]
        : [
          "froze \(Figures.count(pictures.freezes, "time"))", "\(Figures.duration(pictures.frozen)) in all",
          "\(Figures.duration(pictures.longestFreeze)) at most",
        ])
    guard pictures.complete > 0 else { return }
    var sizes = [
      "half of the frames up to \(Figures.bytes(pictures.frameBytes.median))",
      "the largest \(Figures.bytes(pictures.frameBytes.most))",
      "in \(pictures.packetsPerFrame.median) to \(Figures.count(pictures.packetsPerFrame.most, "packet"))",
    ]
    let interval = pictures.frameInterval.seconds
    if interval > 0 { sizes.append("\(Figures.trimmed(1 / interval, decimals: 2)) a second") }
    page.row("sizes", sizes)
  }
}
