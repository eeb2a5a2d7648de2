import Reporting
import Statistics
import Testing
import Timeline

/// The report of a sender of video, alone and beside audio.
struct SentVideoTests {
  private static func report() -> Report {
    var report = Report(version: "0.1.0", verb: "send")
    report.sending = SendingReport(ssrc: 7, payloadType: 111)
    var video = SendingReport(ssrc: 8, payloadType: 96)
    video.encoding = "H264/90000"
    video.packets = 300
    video.pictures = SendingReport.Pictures()
    video.pictures?.frames = (100, 4)
    video.pictures?.pictureLosses = 2
    video.pictures?.fullIntraRequests = 1
    video.pictures?.answers = 3
    report.alsoSending = [video]
    return report
  }

  @Test func `the JSON has audio first and video beside it`() {
    let json = Self.report().json()
    #expect(json.contains(#""sending":{"destinations":[],"ssrc":"0x00000007""#))
    #expect(
      json.contains(
        #""far_ends":[],"media":{"kind":"audio"}},"also_sending":[{"destinations":[],"ssrc":"0x00000008""#))
    #expect(
      json.contains(
        #""media":{"kind":"video","frames":100,"key_frames":4,"key_frame_requests":{"picture_loss_indications":2,"#
          + #""full_intra_requests":1,"answered":3}}}],"streams":[]}"#))
  }

  @Test func `frames that aren't known are null`() {
    var report = Self.report()
    report.alsoSending[0].pictures?.frames = nil
    #expect(report.json().contains(#""kind":"video","frames":null,"key_frames":null,"#))
    report.alsoSending[0].pictures?.pictureLosses = 0
    report.alsoSending[0].pictures?.fullIntraRequests = 0
    #expect(!report.text().contains("\n  frames"))
  }

  @Test func `the text has a heading for each and a row of frames`() {
    let text = Self.report().text()
    #expect(text.contains("\nSent as 0x00000007, payload type 111\n"))
    #expect(text.contains("\nSent as 0x00000008, H264/90000, payload type 96\n"))
    #expect(
      text.contains(
        "  frames      100 frames · 4 key frames · 3 requests for a key frame, answered 3 times\n"))
  }

  @Test func `the metrics have both in each family, which is written once`() {
    let metrics = Self.report().metrics()
    let lines = metrics.split(separator: "\n")
    #expect(lines.count { $0 == "# TYPE jitterbug_send_packets_total counter" } == 1)
    #expect(lines.contains(#"jitterbug_send_packets_total{ssrc="0x00000007"} 0"#))
    #expect(lines.contains(#"jitterbug_send_packets_total{ssrc="0x00000008"} 300"#))
    #expect(lines.contains(#"jitterbug_send_frames_total{ssrc="0x00000008"} 100"#))
    #expect(lines.contains(#"jitterbug_send_key_frame_requests_total{ssrc="0x00000008"} 3"#))
  }

  @Test func `the page has a section for each, with identifiers of their own`() {
    let page = Self.report().html()
    #expect(page.contains("id=\"sending\""))
    #expect(page.contains("id=\"sending-2\""))
    #expect(page.contains("Sent as 0x00000008"))
  }
}
