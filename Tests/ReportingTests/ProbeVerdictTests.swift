import Reporting
import Testing
import Timeline

/// The sentences of a probe's verdict.
@Suite struct ProbeVerdictTests {
  private func verdict(_ change: (inout DirectionVerdict) -> Void) -> String {
    var direction = DirectionVerdict(packets: 250, lost: 0, knownBy: "reception", use: "voice", remedy: "nothing")
    change(&direction)
    var report = ProbeReport(traffic: "opus-voice")
    report.downVerdict = direction
    return report.verdict
  }

  @Test func `an end that isn't known is said to be so`() {
    #expect(verdict { _ in }.hasPrefix("Down: nothing lost. Voice"))
    let text = verdict { $0.isComplete = false }
    #expect(text.hasPrefix("Down: nothing lost; its end, after 250 packets, is unknown. Voice"))
  }

  @Test func `since when nothing is known of the far end is said`() {
    var report = ProbeReport(traffic: "opus-voice")
    report.upVerdict = DirectionVerdict(packets: 250, lost: 0, knownBy: "rr", use: "voice", remedy: "nothing")
    #expect(!report.verdict.contains("far end was"))
    report.lastHeard = .milliseconds(12_340)
    #expect(
      report.verdict.hasSuffix(
        " The far end was last heard at about 12.3 s: whether it was there to the end isn't known."))
    report.hasFallenSilent = true
    #expect(
      report.verdict.hasSuffix(
        " The far end fell silent at about 12.3 s: of what was sent after that nothing is known."))
  }

  @Test func `a way on which nothing arrived isn't passed over`() {
    #expect(verdict { ($0.packets, $0.lost) = (0, nil) } == "Down: nothing is known to have arrived.")
  }

  @Test func `a loss that can't be told isn't called nothing, and gets no grade`() {
    let text = verdict {
      ($0.lost, $0.knownBy) = (nil, "rr")
    }
    #expect(text.hasPrefix("Down: what was lost can't be told (the far end's report counts by sums"))
    #expect(text.contains("Voice: the quality can't be told") && !text.contains("nothing lost"))
  }
}
