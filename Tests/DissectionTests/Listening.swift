import Buffering
import Packets
import Receiving
import Statistics
import Timeline

@testable import Dissection

/// An analysis with a clock of its own.
struct Listening {
  var analysis: CaptureAnalysis
  var now = Instant(nanoseconds: 1_704_067_200_000_000_000)

  init(_ change: (inout CaptureAnalysis.Configuration) -> Void = { _ in }) {
    var configuration = CaptureAnalysis.Configuration(seed: 7)
    change(&configuration)
    analysis = CaptureAnalysis(configuration)
  }

  /// A UDP payload, and then some time.
  mutating func hear(_ payload: [UInt8], flow: Flow = Frames.flow, then pause: Interval = .milliseconds(20)) {
    analysis.handle(Frames.frame(payload, flow: flow).span.bytes, link: .ethernet, at: now)
    now += pause
  }

  mutating func end() { analysis.finish() }

  var streams: [ReceiveStream] { analysis.sources.flatMap { $0.session.streams } }
}
