import Statistics
import Testing
import Timeline

struct PacingErrorTests {
  @Test func `mean, largest, last and 99th percentile`() {
    var error = PacingError()
    #expect(error.mean == .zero && error.p99 == .zero && error.max == .zero)
    for step: Int64 in 1...100 { error.record(.microseconds(step * 10)) }
    error.record(.microseconds(-500))
    #expect(error.count == 101 && error.last == .microseconds(-500) && error.max == .milliseconds(1))
    #expect(error.mean == Interval(nanoseconds: 495_049))
    // The 100th of 101 is 990 µs; its bin of 10 µs has its middle at 995.
    #expect(error.p99 == .microseconds(995))
  }

  @Test func `a sender that is always early has a negative largest`() {
    var error = PacingError()
    error.record(.milliseconds(-3))
    #expect(error.max == .milliseconds(-3) && error.p99 == .milliseconds(-3))
    error.record(Interval(nanoseconds: .min))
    error.record(Interval(nanoseconds: .max))
    #expect(error.max == Interval(nanoseconds: .max))
  }
}
