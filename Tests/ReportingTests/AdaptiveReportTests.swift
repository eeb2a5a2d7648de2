import Reporting
import Statistics
import Testing
import Timeline

/// What an adaptive buffer did, in words, figures and metrics.
struct AdaptiveReportTests {
  private func report() -> Report {
    var stream = SampleReport.stream()
    stream.playout.adaptation = PlayoutAdaptation(lateBudget: 0.005, least: 0, most: 2000)
    stream.playout.samples?.minimumDelay = 3571.2
    stream.playout.insertedDuration = .milliseconds(30)
    stream.playout.removedDuration = .milliseconds(20)
    stream.playout.stretches = 5
    stream.playout.underruns = 3
    stream.playout.stalls = 2
    stream.playout.stalledDuration = .milliseconds(40)
    stream.playout.recoveries = 2
    stream.playout.recoveringDuration = .milliseconds(600)
    stream.playout.driftCorrection = -0.000_042
    var report = Report(version: "0.1.0", verb: "receive")
    report.streams = [stream]
    return report
  }

  @Test func `people read what it aimed at, what it took and how often it ran dry`() {
    let text = report().text()
    #expect(
      text.contains(
        "buffer      target 60.0 ms (adaptive within 0 to 2000 ms, for 0.5 % late) · on average 60.0 ms · packets waited 50.0 ms · "
          + "level mean 40.0 ms · 20.0 ms to 60.0 ms"))
    var limited = report()
    limited.streams[0].playout.adaptation = PlayoutAdaptation(lateBudget: 0.01, least: 20, most: 162.5)
    #expect(limited.text().contains("target 60.0 ms (adaptive within 20 to 162.5 ms, for 1 % late) · "))
    #expect(limited.html().contains("The buffer followed the network within 20 to 162.5 ms, with 60 ms on average"))
    #expect(text.contains("stretched   15.0 ms longer and 10.0 ms shorter in each second · 5 times"))
    #expect(
      text.contains(
        "ran dry     3 times nothing to play · 2 of them until a late packet came, 40 ms in all · "
          + "1 in gaps where packets are missing · back at the"))
    #expect(text.contains("resampled   by 42 ppm shorter: the clocks differ\n"))
    var report = report()
    report.streams[0].playout.driftCorrection = 0.000_052
    report.streams[0].playout.driftLift = 0.000_018_4
    #expect(
      report.text().contains(
        "resampled   by 52 ppm longer: the clocks differ by 33.6 ppm, and 18.4 ppm lengthen the delay for that\n"))
  }

  @Test func `JSON has the limits, the budget and the network's own need`() {
    let json = report().json()
    #expect(
      json.contains(
        "\"policy\":\"adaptive\",\"late_budget\":0.005,\"target_min\":0,\"target_max\":2000,\"target_mean\":60,"
          + "\"delay_mean\":50,\"underruns\":3,\"stalls\":2,\"recoveries\":2,\"recovering_ms\":600,\"drift_correction_ppm\":-42"
      ))
    #expect(json.contains("\"jitterBufferMinimumDelay\":3571.2"))
    #expect(json.contains("\"inserted_ms_per_s\":15,\"removed_ms_per_s\":10,\"stalled_ms\":40"))
  }

  @Test func `quality counts the way and the wait, and neither the level nor half a round trip where more is known`() {
    var stream = SampleReport.stream()
    func rating() -> Double {
      stream.estimateQuality(packetization: .milliseconds(20))
      return stream.quality?.rating ?? 0
    }
    let short = rating()
    stream.playout.bufferLevel.record(10_000)
    #expect(rating() == short)
    stream.playout.meanWait = 0.06
    #expect(rating() == short)
    stream.playout.meanWait = 0.3
    let waiting = rating()
    #expect(waiting < short - 3)
    stream.delay = PathDelay(
      leastTransit: .milliseconds(150), senderOrigin: .zero, ourOrigin: .zero, isSameHost: true, roundTrip: nil)
    #expect(rating() < waiting - 3)
  }

  @Test func `Prometheus gets the same in base units`() {
    let text = report().metrics()
    let labels = "{ssrc=\"0x001a2b3c\",source=\"127.0.0.1:40000\"}"
    for line in [
      "jitter_buffer_emitted_samples_total\(labels) 89280", "jitter_buffer_delay_sample_seconds_total\(labels) 4464",
      "concealed_samples\(labels) 5760", "concealment_events\(labels) 3", "buffer_underruns\(labels) 3",
      "inserted_seconds\(labels) 0.03", "removed_seconds\(labels) 0.02", "drift_correction_ratio\(labels) -4.2e-05",
    ] { #expect(text.contains("jitterbug_stream_" + line + "\n"), "\(line)") }
  }

  @Test func `the live line names target, stretching and underruns, and only where the delay adapts`() {
    var stream = LiveStream(name: "0x1")
    stream.bufferLevel = 40
    #expect(!LiveLine.plain(stream).contains("target") && !LiveLine.text(stream, width: 200).contains("target"))
    stream.target = 52
    stream.stretched = (longer: 12.4, shorter: 3.2)
    stream.underruns = 3
    #expect(LiveLine.plain(stream).contains("buffer 40.0 ms  target 52 ms  stretch +12 -3 ms/s  3 dry"))
    #expect(LiveLine.text(stream, width: 200).contains("buffer 40 ms  target 52 ms  stretch +12 -3 ms/s  3 dry"))
    #expect(LiveLine.text(stream, width: 80).contains("buf 40/52"))
    for width in 0..<200 { #expect(LiveLine.text(stream, width: width).count <= max(width, 0)) }
  }
}
