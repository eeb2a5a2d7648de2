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
    pictures.keyFrames = 9
    pictures.keyFrameRequests = 4
    pictures.freezes = 3
    pictures.frozen = .milliseconds(800)
    pictures.longestFreeze = .milliseconds(400)
    pictures.frameBytes = (4000, 21_000)
    pictures.packetsPerFrame = (4, 19)
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
        "shown":220},"frame_interval_ms":40,"key_frames":9,"key_frame_requests":4,\
        "freezes":{"count":3,"total_ms":800,"longest_ms":400},"frame_bytes":{"p50":4000,"max":21000},\
        "packets_per_frame":{"p50":4,"max":19},"duration_ms":
        """), "\(json)")
  }

  @Test func `Text tells them in words`() {
    let text = Self.report.text()
    #expect(text.contains("250 expected"), "\(text)")
    #expect(text.contains("240 whole (96 %)"), "\(text)")
    #expect(text.contains("froze 3 times"), "\(text)")
    #expect(text.contains("220 could be decoded"), "\(text)")
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
