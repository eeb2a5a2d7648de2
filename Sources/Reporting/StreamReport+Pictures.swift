internal import Statistics
internal import Timeline

/// What a viewer saw of a stream of video.
extension StreamReport {
  /// Encodings of sound by RFC 3551 and the registry of media types, in small letters.
  private static let soundNames: Set<String> = [
    "opus", "pcmu", "pcma", "pcmu-wb", "pcma-wb", "g711-0", "g719", "g722", "g7221", "g723", "g728", "g729", "g7291",
    "gsm", "gsm-efr", "gsm-hr-08", "l8", "l16", "l20", "l24", "dat12", "mpa", "mpa-robust", "mp4a-latm",
    "mpeg4-generic", "speex", "ilbc", "isac", "amr", "amr-wb", "amr-wb+", "evs", "evrc", "evrc0", "evrc1", "evrcb",
    "evrcb0", "evrcb1", "evrcwb", "evrcwb0", "evrcwb1", "smv", "smv0", "vmr-wb", "dvi4", "lpc", "qcelp", "cn",
    "telephone-event", "tone", "vdvi", "vorbis", "bv16", "bv32", "ac3", "eac3", "silk", "melp", "tetra_acelp",
  ]

  /// Encodings of video by the same.
  private static let pictureNames: Set<String> = [
    "h264", "h264-svc", "h265", "h266", "vp8", "vp9", "av1", "mp2t", "mp1s", "mp2p", "mpv", "mp4v-es", "jpeg",
    "jpeg2000", "jxsv", "h261", "h263", "h263-1998", "h263-2000", "theora", "celb", "nv", "raw", "vc1",
  ]

  /// "video" where frames were followed or the encoding is one of video, "audio" for encodings of sound, nil where
  /// nothing is known.
  private var mediaKind: String? {
    if pictures != nil { return "video" }
    guard let name = encoding?.split(separator: "/").first?.lowercased() else { return nil }
    if Self.pictureNames.contains(name) { return "video" }
    // The others are such as retransmissions, text, and what a session description calls as it likes.
    let isSound = Self.soundNames.contains(name) || name.hasPrefix("g726-") || name.hasPrefix("aal2-g726-")
    return isSound ? "audio" : nil
  }

  /// Whether it is video: of that nothing stands in for a packet that is missing.
  var isVideo: Bool { mediaKind == "video" }

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
      json.value("hidden", pictures.hidden)
    }
    json.value("frame_interval_ms", pictures.frameInterval.milliseconds, decimals: 3)
    json.value("untimed_frames", pictures.untimed)
    json.value("key_frames", pictures.keyFrames)
    json.value("key_frame_requests", pictures.keyFrameRequests)
    json.value("first_picture_ms", pictures.waited?.milliseconds, decimals: 3)
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

  /// What figures made of timestamps tell besides the network, where frames aren't sent in the order in which they are
  /// shown; nil where they are.
  var orderNote: String? {
    guard let pictures, pictures.reorderDepth > 0, pictures.untimed == 0 else { return nil }
    return "timestamps are presentation times, and frames are sent in another order: jitter and spread tell of that "
      + "order too"
  }

  /// Why the buffer's target is longer than what was asked for; nil where it isn't.
  var waitNote: String? {
    guard let pictures, pictures.reorderDepth > 0, encoding?.lowercased().hasPrefix("mp2t/") == true else { return nil }
    return "a picture's time of it for packets that such a sender keeps back until the next picture comes"
  }

  /// What is wrong where nearly all frames bear one timestamp, and what to do; nil where they have times.
  var timesNote: String? {
    guard let pictures, pictures.untimed > 0 else { return nil }
    // Tried with ffmpeg and GStreamer, whose parsers make up no times for a bare stream.
    let isH264 = encoding?.lowercased().hasPrefix("h264/") == true
    let advice = isH264 ? " (ffmpeg -i film.h264 -c copy film.mp4), or send film.h264 by jitterbug send" : ""
    return "\(Figures.grouped(pictures.untimed)) pictures, nearly all, bear one timestamp, as if they were one frame: "
      + "the sender gives no times, so what comes later than the first counts as late; let it send a file that has times"
      + advice
  }

  /// Gives a transport stream, of whose packets none says how long it lasts, the time from its first timestamp to its
  /// last, and of that the share of what was played.
  public mutating func takeTransportTime() {
    guard encoding?.lowercased().hasPrefix("mp2t/") == true, playout.playedDuration == .zero, reception.expected > 0
    else { return }
    let steps = max(0, reception.expected - 1 - reception.restarts)
    let share = min(1, Double(playout.played) / Double(reception.expected))
    playout.playedDuration = Interval(seconds: reception.packetInterval.seconds * Double(steps) * share)
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
    page.row("", timesNote.map { [$0] } ?? [])
    var shown = ["\(Figures.grouped(pictures.shown)) could be decoded"]
    if pictures.hidden > 0 { shown.append("\(Figures.grouped(pictures.hidden)) of them are never to be seen") }
    if pictures.undecodable > 0 {
      let why =
        pictures.lacksParameterSets
        ? "no parameter sets (SPS, PPS) came; a session description (--sdp) may have them"
        : "what they refer to is missing"
      shown.append("\(Figures.grouped(pictures.undecodable)) whole ones couldn't: \(why)")
    }
    shown.append(Figures.count(pictures.keyFrames, "key frame"))
    if pictures.keyFrameRequests > 0 { shown.append(Figures.count(pictures.keyFrameRequests, "request") + " for one") }
    page.row("shown", shown)
    page.row("picture", stillness(pictures))
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

  /// When the picture stood still, and when there was none.
  private func stillness(_ pictures: PictureStatistics) -> [String] {
    guard let waited = pictures.waited else { return ["nothing could be shown"] }
    var parts = waited > .zero ? ["the first one came after \(Figures.duration(waited))"] : []
    guard pictures.freezes > 0 else { return parts + [waited > .zero ? "never froze from then on" : "never froze"] }
    parts += [
      "froze \(Figures.count(pictures.freezes, "time"))", "\(Figures.duration(pictures.frozen)) in all",
      "\(Figures.duration(pictures.longestFreeze)) at most",
    ]
    return parts
  }
}
