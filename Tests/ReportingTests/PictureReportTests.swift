import Reporting
import Statistics
import Testing
import Timeline

/// What a report says of frames of video.
struct PictureReportTests {
  private static var report: Report {
    var report = SampleReport.receiving()
    var pictures = PictureStatistics()
    pictures.expected = 250
    pictures.complete = 240
    pictures.damaged = 6
    pictures.late = 3
    pictures.lost = 1
    pictures.undecodable = 20
    pictures.hidden = 12
    pictures.keyFrames = 9
    pictures.keyFrameRequests = 4
    pictures.waited = .zero
    pictures.freezes = 3
    pictures.frozen = .milliseconds(800)
    pictures.longestFreeze = .milliseconds(400)
    pictures.frameBytes = PictureStatistics.Sizes(median: 4000, most: 21_000)
    pictures.packetsPerFrame = PictureStatistics.Sizes(median: 4, most: 19)
    pictures.frameInterval = .milliseconds(40)
    for _ in 0..<220 { pictures.history.add(.shown) }
    for _ in 0..<20 { pictures.history.add(.undecodable) }
    for _ in 0..<6 { pictures.history.add(.damaged) }
    for _ in 0..<3 { pictures.history.add(.late) }
    pictures.history.add(.lost)
    report.streams[0].pictures = pictures
    report.streams[0].encoding = "H264/90000"
    return report
  }

  @Test func `JSON tells frames, freezes and sizes`() {
    let json = Self.report.json()
    #expect(
      json.contains(
        """
        "media":{"kind":"video","frames":{"expected":250,"complete":240,"damaged":6,"late":3,"lost":1,"undecodable":20,\
        "shown":220,"hidden":12},"frame_interval_ms":40,"untimed_frames":0,"key_frames":9,"key_frame_requests":4,\
        "first_picture_ms":0,"freezes":{"count":3,"total_ms":800,"longest_ms":400},\
        "frame_bytes":{"p50":4000,"max":21000},"packets_per_frame":{"p50":4,"max":19},"duration_ms":
        """), "\(json)")
  }

  @Test(arguments: [
    ("opus/48000/2", "\"audio\""), ("PCMU/8000", "\"audio\""), ("telephone-event/8000", "\"audio\""),
    ("mpeg4-generic/44100/2", "\"audio\""), ("G726-32/8000", "\"audio\""), ("MP4V-ES/90000", "\"video\""),
    ("raw/90000", "\"video\""), ("H263-1998/90000", "\"video\""), ("H265/90000", "\"video\""),
    ("rtx/90000", "null"), ("t140/1000", "null"), ("synthetic/90000", "null"), ("unknown/8000", "null"),
    ("x-mine/8000", "null"),
  ])
  func `The kind of media is that of the encoding, and null where it isn't known`(encoding: String, kind: String) {
    var report = SampleReport.receiving()
    report.streams[0].encoding = encoding
    let json = report.json()
    #expect(json.contains("\"media\":{\"kind\":\(kind)"), "\(json)")
  }

  @Test func `Text tells them in words`() {
    let text = Self.report.text()
    #expect(text.contains("250 expected"), "\(text)")
    #expect(text.contains("240 whole (96 %)"), "\(text)")
    #expect(text.contains("froze 3 times"), "\(text)")
    #expect(text.contains("220 could be decoded · 12 of them are never to be seen"), "\(text)")
  }

  @Test(arguments: ["H264/90000", "H265/90000", "VP8/90000", "opus/48000/2", "synthetic/90000"])
  func `Nothing is said to be concealed of video, in text and on the page`(encoding: String) {
    var report = Self.report
    report.streams[0].encoding = encoding
    // Our own made-up video is followed frame by frame, H.265 isn't.
    if !["H264/90000", "VP8/90000", "synthetic/90000"].contains(encoding) { report.streams[0].pictures = nil }
    report.streams[0].playout.concealed = 3
    // The report as JSON, whose keys are the same for all, stands in the page, too.
    let data = /<(script|pre)(.|\n)*?<\/(script|pre)>/
    let (text, page) = (report.text(), report.html().replacing(data, with: ""))
    let isVideo = encoding != "opus/48000/2"
    for words in ["oncealed", "made up", "left silent"] where isVideo {
      for (place, whole) in [("text", text), ("page", page)] {
        let parts = whole.split(separator: words, maxSplits: 1)
        #expect(parts.count == 1, "\(place): \(parts.first?.suffix(100) ?? "")\(words)")
      }
    }
    #expect(text.contains("3 concealed") != isVideo)
    #expect(page.contains("of those not played: made up or left silent") != isVideo)
    #expect(text.contains("3 missing from their frames") == isVideo)
    #expect(page.contains("nothing stands in for them") == isVideo)
    #expect(page.contains("One lost packet is enough to damage a frame") == isVideo)
    #expect(report.json().contains("\"concealed\":3,"))
  }

  /// A report of 150 frames at 25 a second, of which so many could be shown.
  private static func film(shown: Int, _ change: (inout PictureStatistics) -> Void) -> Report {
    var report = Self.report
    var pictures = PictureStatistics()
    pictures.expected = 150
    pictures.complete = 150
    pictures.undecodable = 150 - shown
    pictures.keyFrames = shown > 0 ? 5 : 0
    pictures.frameInterval = .milliseconds(40)
    if shown > 0 { pictures.waited = .zero }
    change(&pictures)
    report.streams[0].pictures = pictures
    return report
  }

  /// The page's verdict begins with its grade.
  private static func verdict(_ report: Report, grade: Int) -> Substring {
    let page = report.html()
    let parts = page.split(separator: "class=\"verdict g\(grade)\"", maxSplits: 1)
    return parts.count == 2 ? parts[1].prefix(2_000) : "no verdict of grade \(grade)"
  }

  @Test func `The verdict on a film is that of its frames and freezes, not of its packets`() {
    let bad = Self.verdict(
      Self.film(shown: 132) {
        ($0.complete, $0.damaged, $0.undecodable) = (147, 3, 15)
        ($0.freezes, $0.frozen, $0.longestFreeze) = (1, .milliseconds(720), .milliseconds(720))
      }, grade: 2)
    for words in [
      "Bad: 132 of 150 frames could be shown, and the picture stood still for 720 ms.",
      // The page writes an apostrophe as a reference.
      "t be shown: 3 damaged, 15 whole but of no use, because what they refer to was missing.",
      "the picture froze 1 time, 720 ms in all and 720 ms at most.",
      "A longer buffer would not have helped: no frame came too late.",
    ] { #expect(bad.contains(words), "\(bad)") }
    let perfect = Self.verdict(Self.film(shown: 150) { _ in }, grade: 0)
    #expect(perfect.contains("Perfect: every one of 150 frames could be shown."), "\(perfect)")
    #expect(perfect.contains("the picture never froze."), "\(perfect)")
    let fair = Self.verdict(Self.film(shown: 147) { _ in }, grade: 1)
    #expect(fair.contains("Fair: 147 of 150 frames could be shown."), "\(fair)")
    let late = Self.verdict(
      Self.film(shown: 147) { ($0.complete, $0.late, $0.undecodable) = (147, 3, 0) }, grade: 1)
    #expect(late.contains("would have helped the 3 frames that came too late"), "\(late)")
  }

  @Test func `A film of which nothing could be shown never gets a good word`() {
    let report = Self.film(shown: 0) { _ in }
    let page = Self.verdict(report, grade: 2)
    #expect(page.contains("Nothing to see: none of 150 frames could be shown."), "\(page)")
    #expect(page.contains("no key frame came whole"), "\(page)")
    #expect(report.text().contains("nothing could be shown"))
    #expect(!report.text().contains("never froze"))
    #expect(!page.contains("never froze"))
    #expect(report.json().contains("\"first_picture_ms\":null"))
  }

  @Test func `The time before the first picture is told`() {
    let report = Self.film(shown: 50) { $0.waited = .seconds(4) }
    #expect(report.text().contains("the first one came after 4.0 s"), "\(report.text())")
    #expect(report.text().contains("never froze from then on"))
    #expect(Self.verdict(report, grade: 2).contains("; the first picture came after 4.0 s."))
    #expect(report.json().contains("\"first_picture_ms\":4000,"))
  }

  @Test func `Where frames are sent in another order than they are shown, text and page say what jitter tells of`() {
    let sentence =
      "timestamps are presentation times, and frames are sent in another order: jitter and spread tell of that order too"
    var report = Self.report
    #expect(!report.text().contains(sentence) && !report.html().contains(sentence))
    report.streams[0].pictures?.reorderDepth = 2
    report.streams[0].delay = PathDelay(
      leastTransit: .milliseconds(-60), senderOrigin: .zero, ourOrigin: .zero, isSameHost: true, roundTrip: nil,
      isReordered: true)
    #expect(report.text().contains(sentence), "\(report.text())")
    #expect(!report.text().contains("before they were sent"))
    let page = report.html()
    // Beside the chart, and among the rows of the text report.
    #expect(page.ranges(of: sentence).count >= 2)
    #expect(page.contains("at most; by the frames"))
    // Of transport streams also why the buffer is longer than it was made.
    let reason = "a picture's time of it for packets that such a sender keeps back until the next picture comes"
    #expect(!report.text().contains(reason))
    report.streams[0].encoding = "MP2T/90000"
    #expect(report.text().contains(sentence) && report.text().contains(reason), "\(report.text())")
    report.streams[0].pictures?.reorderDepth = 0
    #expect(!report.text().contains(reason))
  }

  @Test func `Where nearly all pictures bear one timestamp, text and page say that the sender gives no times`() {
    let sentence = "150 pictures, nearly all, bear one timestamp, as if they were one frame: the sender gives no times"
    var report = Self.report
    #expect(!report.text().contains("timestamp") && !report.html().contains("bear one timestamp"))
    #expect(report.json().contains("\"untimed_frames\":0,"))
    report.streams[0].pictures?.untimed = 150
    report.streams[0].pictures?.reorderDepth = 2
    #expect(report.text().contains(sentence), "\(report.text())")
    let advice = "let it send a file that has times (ffmpeg -i film.h264 -c copy film.mp4), or send film.h264 by"
    #expect(report.text().contains(advice), "\(report.text())")
    var other = report
    other.streams[0].encoding = "VP8/90000"
    #expect(other.text().contains("let it send a file that has times\n"), "\(other.text())")
    // Jitter tells of no order where there are no times.
    #expect(!report.text().contains("frames are sent in another order"))
    let page = Self.verdict(report, grade: 2)
    #expect(page.contains("No times: nothing tells when its frames are to be shown."), "\(page)")
    #expect(page.contains(sentence), "\(page)")
    #expect(report.json().contains("\"untimed_frames\":150,"))
  }

  @Test func `A transport stream's length is that of its timestamps, less what wasn't played`() {
    var stream = SampleReport.stream()
    stream.takeTransportTime()
    #expect(stream.playout.playedDuration == .milliseconds(1860))
    stream.encoding = "MP2T/90000"
    stream.playout.playedDuration = .zero
    stream.playout.played = 50
    stream.takeTransportTime()
    // 99 steps of 20 ms, half of which was played.
    #expect((stream.playout.playedDuration.milliseconds - 990).magnitude < 0.001)
  }

  @Test func `The page draws a cell a frame, and a stream without frames has no such strip`() {
    #expect(Self.report.html().contains("What became of each frame"))
    #expect(!SampleReport.receiving().html().contains("What became of each frame"))
  }

  @Test func `Metrics count frames by fate`() {
    let metrics = Self.report.metrics()
    #expect(metrics.contains("fate=\"undecodable\"} 20"), "\(metrics)")
    #expect(!SampleReport.receiving().metrics().contains("jitterbug_stream_frames"))
  }

  @Test func `A history of any length fits in its cells and loses no frame`() {
    var history = PictureHistory()
    for number in 0..<10_000 { history.add(number % 10 == 0 ? .damaged : .shown) }
    #expect(history.cells.count <= PictureHistory.cellLimit)
    #expect(history.cells.reduce(0) { $0 + $1.count } == 10_000)
    #expect(history.cells.reduce(0) { $0 + $1.damaged } == 1000)
  }
}
