import Probing
import Testing
import Timeline

/// When a probe's far end counts as silent, and when as gone.
struct FarEndWatchTests {
  private static func at(_ seconds: Double) -> Instant { .zero + Interval(seconds: seconds) }

  /// Heard at these times.
  private static func watch(_ times: [Double], hasFeedback: Bool = false) -> FarEndWatch {
    var watch = FarEndWatch(hasFeedback: hasFeedback)
    for time in times { watch.heard(at: at(time)) }
    return watch
  }

  @Test func `before it was heard there is nobody to miss`() {
    var watch = FarEndWatch(hasFeedback: false)
    watch.refused(at: Self.at(1))
    watch.refused(at: Self.at(2))
    watch.refused(at: Self.at(3))
    #expect(watch.poll(at: Self.at(1000), hasLeft: false) == nil)
    #expect(!watch.isGone && watch.lastHeard == nil)
  }

  @Test func `silence is told once, its end too, and a long one ends it`() {
    var watch = Self.watch([2, 5])
    #expect(watch.poll(at: Self.at(14.9), hasLeft: false) == nil)
    #expect(watch.poll(at: Self.at(15), hasLeft: false) == .silent)
    #expect(watch.poll(at: Self.at(16), hasLeft: false) == nil)
    watch.heard(at: Self.at(17))
    #expect(watch.poll(at: Self.at(17), hasLeft: false) == .heardAgain(after: .seconds(12)))
    #expect(watch.poll(at: Self.at(17), hasLeft: false) == nil)
    #expect(watch.poll(at: Self.at(27), hasLeft: false) == .silent)
    #expect(watch.poll(at: Self.at(46.9), hasLeft: false) == nil && !watch.isGone)
    #expect(watch.poll(at: Self.at(47), hasLeft: false) == .gone(.silent))
    #expect(watch.isGone && watch.lastHeard == Self.at(17))
    #expect(watch.poll(at: Self.at(100), hasLeft: true) == nil)
  }

  @Test func `with feedback ten times a second silence shows sooner`() {
    var watch = Self.watch([0.1, 0.2, 0.3], hasFeedback: true)
    #expect(watch.poll(at: Self.at(3.2), hasLeft: false) == nil)
    #expect(watch.poll(at: Self.at(3.3), hasLeft: false) == .silent)
  }

  @Test func `who reports rarely is awaited for longer`() {
    var watch = Self.watch([0, 9])
    #expect(watch.poll(at: Self.at(26.9), hasLeft: false) == nil)
    #expect(watch.poll(at: Self.at(27), hasLeft: false) == .silent)
    #expect(watch.poll(at: Self.at(53.9), hasLeft: false) == nil)
    #expect(watch.poll(at: Self.at(54), hasLeft: false) == .gone(.silent))
  }

  @Test func `a port where nobody listens any more ends it, an accident doesn't`() {
    var watch = Self.watch([1])
    for time in [2, 2.1, 2.9] { watch.refused(at: Self.at(time)) }
    #expect(watch.poll(at: Self.at(2.9), hasLeft: false) == nil, "not for long enough")
    watch.heard(at: Self.at(3))
    watch.refused(at: Self.at(4))
    watch.refused(at: Self.at(5.5))
    #expect(watch.poll(at: Self.at(5.5), hasLeft: false) == nil, "not often enough since it was heard")
    watch.refused(at: Self.at(6))
    #expect(watch.poll(at: Self.at(6), hasLeft: false) == .gone(.refused))
  }

  @Test func `a goodbye ends it when nothing comes behind it`() {
    var watch = Self.watch([1, 6])
    #expect(watch.poll(at: Self.at(7.9), hasLeft: true) == nil)
    #expect(watch.poll(at: Self.at(8), hasLeft: true) == .gone(.left))
  }
}
