import Impairment
import Probing
import Sending
import Testing
import Timeline

/// Ramps over links whose capacity is known.
@Suite struct RampTests {
  private func ramp(_ link: String, limit: Double = 50e6) throws -> RampController {
    var configuration = RampController.Configuration()
    configuration.limit = limit
    let session = ProbeWorld.session(1)
    let wish = ProbeWish(
      profile: nil, wantsFeedback: true, duration: .seconds(60), sources: [session.ssrc], clockRate: 90_000)
    var world = ProbeWorld(wish, up: try LinkSpec(parsing: link), down: try LinkSpec(parsing: "delay=20ms"))
    world.run(for: .seconds(3)) { $0.client.state == .accepted }
    try #require(world.client.state == .accepted)
    world.up = .ramp(RampSender(configuration, session: SendSession(session), at: world.now))
    world.run(for: .seconds(180)) {
      if case .ramp(let sender)? = $0.up { sender.controller.outcome != nil } else { false }
    }
    guard case .ramp(let sender)? = world.up else { throw NoRamp() }
    return sender.controller
  }

  private struct NoRamp: Error {}

  @Test(arguments: [
    ("rate=2mbit,queue=200ms,delay=20ms", 2e6), ("rate=20mbit,queue=50ms,delay=10ms,seed=3", 20e6),
    ("rate=2mbit,queue=200ms,delay=20ms,loss=1%,seed=5", 2e6),
    ("rate=6mbit,queue=100ms,loss=2%,burst=3,delay=30ms,jitter=5ms,seed=9", 6e6),
    ("rate=1mbit,queue=2s,delay=20ms", 1e6), ("rate=10mbit,queue=4ms,delay=20ms", 10e6),
    ("rate=100kbit,queue=300ms", 1e5),
  ])
  func `the capacity found is the link's, whatever else it does`(link: String, truth: Double) throws {
    let controller = try ramp(link)
    guard case .capacity(let rate, let margin, let delay, _)? = controller.outcome else {
      Issue.record("\(String(describing: controller.outcome)) after \(controller.steps.map { ($0.rate, $0.loss) })")
      return
    }
    #expect(abs(rate - truth) <= max(margin, truth * 0.05), "\(rate) ± \(margin)")
    #expect(margin <= truth * 0.05)
    #expect(delay >= .zero)
  }

  @Test(arguments: ["delay=20ms", "delay=20ms,loss=1%,seed=2", "delay=30ms,jitter=10ms,loss=5%,burst=4,seed=4"])
  func `loss and jitter without a limit are no capacity`(link: String) throws {
    let controller = try ramp(link, limit: 5e6)
    #expect(controller.outcome == .atLeast(rate: 5e6), "\(controller.steps.map { ($0.rate, $0.loss, $0.delayGrowth) })")
  }

  @Test func `ramps over jitter and bursts of loss hardly ever see a limit that isn't there`() throws {
    var wrong = 0
    for seed in 1...40 {
      let controller = try ramp("delay=30ms,jitter=10ms,loss=3%,burst=3,seed=\(seed)", limit: 5e6)
      if controller.outcome != .atLeast(rate: 5e6) { wrong += 1 }
    }
    #expect(wrong <= 1, "\(wrong) of 40")
  }

  @Test func `the delay at capacity is the queue's`() throws {
    let controller = try ramp("rate=2mbit,queue=200ms,delay=20ms")
    guard case .capacity(_, _, let delay, let loss)? = controller.outcome else {
      Issue.record("\(String(describing: controller.outcome))")
      return
    }
    #expect(abs(delay.milliseconds - 200) < 20)
    #expect(loss < 0.2)
  }

  @Test func `a path narrower than every rate tried is said to be so`() throws {
    let controller = try ramp("rate=16kbit,queue=500ms")
    guard case .below(let rate)? = controller.outcome else {
      Issue.record("\(String(describing: controller.outcome))")
      return
    }
    #expect(rate <= 50_000)
  }

  @Test func `a far end that falls silent ends the ramp`() throws {
    var controller = RampController(RampController.Configuration(), at: .zero)
    var now = Instant.zero
    while controller.outcome == nil, let wake = controller.nextWake {
      now = wake
      controller.advance(at: now)
    }
    #expect(controller.outcome == .noFeedback)
    #expect(now < Instant.zero + .seconds(10))
  }
}
