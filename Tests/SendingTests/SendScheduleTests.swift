import Sending
import Statistics
import Testing
import Timeline

struct SendScheduleTests {
  /// 20 ms at 48 kHz.
  static let tick: Int64 = 960
  static let start = Instant(nanoseconds: 1_234_567_891)

  @Test(arguments: [(8_000, 160), (44_100, 1024), (48_000, 120), (48_000, 960), (90_000, 3003)] as [(UInt32, Int64)])
  func `deadlines don't drift over ten hours`(clockRate: UInt32, tick: Int64) {
    var schedule = SendSchedule(start: Self.start, clockRate: clockRate)
    let pieces = 36_000 * Int64(clockRate) / tick
    var now = Self.start
    for piece in stride(from: 0, through: pieces, by: 97) {
      let admission = schedule.admit(mediaTime: piece * tick, at: now)
      // Exact to the nanosecond, in 128-bit arithmetic.
      let exact = Int64(Int128(piece * tick) * 1_000_000_000 / Int128(clockRate))
      #expect(admission.deadline == Self.start + .nanoseconds(exact))
      #expect(admission.timestampOffset == piece * tick)
      now = admission.deadline
    }
    #expect(schedule.pauseCount == 0)
  }

  @Test func `a stall of 50 ms is caught up`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000)
    for piece in Int64(0)..<10 {
      let deadline = Self.start + .milliseconds(piece * 20)
      let now = piece == 5 ? deadline + .milliseconds(50) : deadline
      let admission = schedule.admit(mediaTime: piece * Self.tick, at: now)
      #expect(admission.deadline == deadline)
      #expect(admission.timestampOffset == piece * Self.tick)
      #expect(!admission.followsPause)
    }
  }

  @Test func `a pause is no shorter than asked for, and then there is time to spare`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000, lagLimit: .milliseconds(40))
    let early = schedule.admit(mediaTime: 0, at: Self.start + .milliseconds(39), leastPause: .milliseconds(200))
    #expect(!early.followsPause && early.deadline == Self.start)
    let late = schedule.admit(mediaTime: 0, at: Self.start + .milliseconds(50), leastPause: .milliseconds(200))
    #expect(late.followsPause && schedule.pausedTime.milliseconds.rounded() == 200)
    #expect((late.deadline - Self.start).milliseconds.rounded() == 200)
    // 190 ms later it is still in time.
    let next = schedule.admit(mediaTime: 0, at: Self.start + .milliseconds(239), leastPause: .milliseconds(200))
    #expect(!next.followsPause && next.timestampOffset == late.timestampOffset)
    let long = schedule.admit(mediaTime: 0, at: Self.start + .milliseconds(800), leastPause: .milliseconds(200))
    #expect(long.followsPause && schedule.pausedTime.milliseconds.rounded() == 800)
  }

  @Test func `a stall of 2 s makes a pause: timestamps move on and nothing bursts`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000)
    var now = Self.start
    var last: SendSchedule.Admission?
    for piece in Int64(0)..<100 {
      if piece == 50 { now += .seconds(2) }
      let admission = schedule.admit(mediaTime: piece * Self.tick, at: now)
      #expect(admission.followsPause == (piece == 50))
      now = max(now, admission.deadline)
      if let last {
        let expected: Int64 = piece == 50 ? 2000 : 20
        let step = admission.deadline - last.deadline
        #expect((step - .milliseconds(expected)).nanoseconds.magnitude < 41_667)
      }
      last = admission
    }
    #expect(schedule.pauseCount == 1)
    #expect(schedule.pausedTime.milliseconds.rounded() == 1980)
  }

  @Test func `timestamps and deadlines stay together through ten thousand pauses`() {
    var generator = SeededGenerator(seed: 3)
    var schedule = SendSchedule(start: Self.start, clockRate: 44_100)
    var now = Self.start
    for piece in Int64(0)..<20_000 {
      if piece % 2 == 1 { now += .nanoseconds(Int64(generator.next() % 1_000_000_000) + 150_000_000) }
      let admission = schedule.admit(mediaTime: piece * 882, at: now)
      #expect(admission.deadline == Self.start + Interval(units: admission.timestampOffset, rate: 44_100))
      now = max(now, admission.deadline)
    }
    #expect(schedule.pauseCount == 10_000)
  }

  @Test func `a pause brings the deadline to now, within a tick of the clock`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 8_000)
    let now = Self.start + .nanoseconds(777_777_777)
    let admission = schedule.admit(mediaTime: 0, at: now)
    #expect(admission.deadline >= now)
    #expect(admission.deadline - now <= .microseconds(250))
  }

  @Test func `without a speed everything is due at once and timestamps are the media's`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000, speed: nil)
    for piece in Int64(0)..<10 {
      let admission = schedule.admit(mediaTime: piece * 960, at: Self.start + .seconds(100))
      #expect(admission.deadline == Self.start + .seconds(100))
      #expect(admission.timestampOffset == piece * 960)
    }
    #expect(schedule.pauseCount == 0)
  }

  @Test func `double speed halves the waiting`() {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000, speed: 2)
    let admission = schedule.admit(mediaTime: 48_000, at: Self.start)
    #expect(admission.deadline == Self.start + .milliseconds(500))
  }

  @Test(arguments: [0, -1, .nan, .infinity, -.infinity, 1e-300, 1e300])
  func `no speed traps`(speed: Double) {
    var schedule = SendSchedule(start: Self.start, clockRate: 48_000, speed: speed)
    for piece in Int64(0)..<100 {
      _ = schedule.admit(mediaTime: piece * 960, at: Self.start + .seconds(piece))
    }
    #expect(schedule.pausedTime >= .zero)
  }

  @Test func `the pacing error is measured against the deadlines`() {
    var schedule = SendSchedule(start: .zero, clockRate: 48_000)
    for error in Int64(1)...1000 { schedule.sent(deadline: .zero, at: .zero + .microseconds(error)) }
    let error = schedule.error
    #expect(error.count == 1000)
    #expect(error.max == .milliseconds(1))
    #expect(error.last == .milliseconds(1))
    #expect(error.mean == .nanoseconds(500_500))
    #expect(abs((error.p99 - .microseconds(990)).nanoseconds) <= 10_000)
  }
}
