import Buffering
import Codecs
import Impairment
import Packets
import Playing
import Receiving
import Sending
import Statistics
import Timeline

/// One stage of a packet's path, fed with a steady stream: Opus of 160 bytes each 20 ms, in order.
///
/// Each run returns a sum of what came out, so that nothing of it can be left out.
enum PacketBenchmark: String, CaseIterable {
  case rtpParse = "rtp-parse"
  case rtpWrite = "rtp-write"
  case statistics = "statistics-record"
  case buffer = "buffer-insert-poll"
  case lossyBuffer = "buffer-lossy"
  case adaptiveBuffer = "buffer-adaptive"
  case lossyAdaptiveBuffer = "buffer-adaptive-lossy"
  case receive = "receive-session"
  case send = "send-session"
  case link = "link-send-receive"
  case stretchKeep = "stretch-keep"
  case stretchShrink = "stretch-shrink"
  case stretchExpand = "stretch-expand"
  case resample = "resample-drift"

  /// 20 ms at 48 kHz.
  private static let frame: Int64 = 960
  private static let spacing = Interval.milliseconds(20)
  private static let payloadSize = 160

  /// Never inlined: for a count that the compiler knows it would find shorter ways.
  @inline(never) func run(packets count: Int) -> UInt64 {
    switch self {
    case .rtpParse: Self.parse(count)
    case .rtpWrite: Self.write(count)
    case .statistics: Self.record(count)
    case .buffer: BufferBenchmark(isAdaptive: false, isLossy: false).run(slots: count)
    case .lossyBuffer: BufferBenchmark(isAdaptive: false, isLossy: true).run(slots: count)
    case .adaptiveBuffer: BufferBenchmark(isAdaptive: true, isLossy: false).run(slots: count)
    case .lossyAdaptiveBuffer: BufferBenchmark(isAdaptive: true, isLossy: true).run(slots: count)
    case .receive: Self.receive(count)
    case .send: Self.send(count)
    case .link: Self.cross(count)
    case .stretchKeep: Self.stretch(count, .keep)
    case .stretchShrink: Self.stretch(count, .shrink(atMost: 720))
    case .stretchExpand: Self.stretch(count, .expand(atMost: 720))
    case .resample: Self.resample(count)
    }
  }

  private static func parse(_ count: Int) -> UInt64 {
    var datagram = sampleDatagram()
    var sum: UInt64 = 0
    for number in 0..<count {
      setNumber(number, in: &datagram)
      guard let packet = try? RTPPacket(parsing: datagram.span.bytes) else { return .max }
      sum &+= UInt64(packet.header.timestamp.rawValue) &+ UInt64(packet.payload.count)
    }
    return sum
  }

  private static func write(_ count: Int) -> UInt64 {
    var datagram = sampleDatagram()
    var sum: UInt64 = 0
    for number in 0..<count {
      setNumber(number, in: &datagram)
      sum &+= UInt64(datagram[3])
    }
    return sum
  }

  private static func record(_ count: Int) -> UInt64 {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    var now = Instant.zero
    for number in 0..<count {
      now = now + spacing
      _ = statistics.record(
        sequence: Int64(number), timestamp: timestamp(number), arrival: now + wobble(number), bytes: payloadSize + 12)
    }
    return UInt64(statistics.unique)
  }

  private static func receive(_ count: Int) -> UInt64 {
    var session = ReceiveSession(ReceiveSession.Configuration(ssrc: 1, cname: "bench@localhost", seed: 1))
    var datagram = sampleDatagram()
    var now = Instant.zero
    var sum: UInt64 = 0
    for number in 0..<count {
      setNumber(number, in: &datagram)
      now = now + spacing
      let arrival = now + wobble(number)
      sum &+= play(&session, until: arrival)
      session.handleRTP(datagram.span.bytes, from: Peer(id: 0), at: arrival)
      while session.pollFate() != nil {}
      while session.pollEvent() != nil {}
      sum &+= play(&session, until: arrival)
      if session.nextWake == nil { sum &+= 1 }
    }
    return sum
  }

  private static func play(_ session: inout ReceiveSession, until now: Instant) -> UInt64 {
    var sum: UInt64 = 0
    while let (stream, decision) = session.pollPlayout(at: now) {
      guard case .play(_, let slot, _) = decision else { continue }
      sum &+= session.withPayload(of: stream, in: slot) { UInt64($0.byteCount) } ?? 0
    }
    return sum
  }

  private static func send(_ count: Int) -> UInt64 {
    var session = SendSession(
      SendSession.Configuration(
        ssrc: 1, payloadType: 111, clockRate: 48_000, firstSequence: SequenceNumber(0), firstTimestamp: RTPTimestamp(0),
        cname: "bench@localhost", bandwidth: 112_000, wallClockOffset: 0, seed: 1))
    var schedule = SendSchedule(start: .zero, clockRate: 48_000, speed: 1)
    let payload = [UInt8](repeating: 0x78, count: payloadSize)
    var datagram = [UInt8](repeating: 0, count: 1500)
    var sum: UInt64 = 0
    for number in 0..<count {
      let deadline = schedule.deadline(of: Int64(number) * frame)
      let admission = schedule.admit(mediaTime: Int64(number) * frame, at: deadline)
      var span = datagram.mutableSpan
      let size = session.packetize(
        payload.span.bytes, timestampOffset: admission.timestampOffset, marker: false, into: &span,
        deadline: admission.deadline)
      schedule.sent(deadline: admission.deadline, at: admission.deadline + wobble(number))
      sum &+= UInt64(size ?? 0)
      sum &+= UInt64(session.pollReport(into: &span, at: admission.deadline) ?? 0)
    }
    return sum
  }

  private static func cross(_ count: Int) -> UInt64 {
    guard let spec = try? LinkSpec(parsing: "loss=2%,burst=3,delay=40ms,jitter=10ms,reorder=1%,duplicate=1%,seed=1")
    else { return .max }
    var link = Link<Int>(spec)
    var now = Instant.zero
    var sum: UInt64 = 0
    for number in 0..<count {
      now = now + spacing
      link.send(number, bytes: payloadSize + 40, at: now)
      while let delivery = link.receive(at: now) { sum &+= UInt64(delivery.payload) }
      if link.nextDelivery == nil { sum &+= 1 }
    }
    return sum
  }

  /// A voice at 137 Hz, 20 ms at a time; each frame can be stretched by a period.
  private static func stretch(_ count: Int, _ wish: StretchWish) -> UInt64 {
    var stretcher = TimeStretcher()
    let voice = sampleVoice()
    var memory = [Int16](repeating: 0, count: 1680)
    var audio = memory.mutableSpan
    var sum: UInt64 = 0
    var start = 0
    for _ in 0..<count {
      for index in 0..<960 { audio[index] = voice[start + index] }
      sum &+= UInt64(960 + stretcher.stretch(&audio, units: 960, wish: wish))
      start += 960
      if start == voice.count { start = 0 }
    }
    return sum &+ UInt64(stretcher.splices)
  }

  /// 20 ms of stereo at a time, with a correction that changes now and then.
  private static func resample(_ count: Int) -> UInt64 {
    var resampler = DriftResampler(channels: 2)
    let voice = sampleVoice()
    var memory = [Int16](repeating: 0, count: DriftResampler.mostFrames(for: 960) * 2)
    var output = memory.mutableSpan
    var sum: UInt64 = 0
    var start = 0
    for number in 0..<count {
      if number % 100 == 0 { resampler.correction = Double(number / 100 % 9 - 4) * 1e-4 }
      sum &+= UInt64(resampler.process(voice.span.extracting(start..<start + 1920), into: &output))
      start = start + 3840 > voice.count ? 0 : start + 1920
    }
    return sum
  }

  // MARK: The stream

  /// Two resonances struck once each 350 samples.
  private static func sampleVoice() -> [Int16] {
    var (first, second, third, fourth) = (0.0, 0.0, 0.0, 0.0)
    return (0..<960 * 35).map { index in
      let strike = index % 350 == 0 ? 3000.0 : 0
      (first, second) = (1.97 * first - 0.98 * second + strike, first)
      (third, fourth) = (1.93 * third - 0.97 * fourth + strike, third)
      return Int16(max(-32_000, min(32_000, first + third)))
    }
  }

  private static func sampleDatagram() -> [UInt8] {
    // 0x78: CELT, fullband, 20 ms, mono, one frame.
    [UInt8](repeating: 0, count: RTPHeader.size) + [UInt8](repeating: 0x78, count: payloadSize)
  }

  private static func setNumber(_ number: Int, in datagram: inout [UInt8]) {
    let header = RTPHeader(
      payloadType: 111, sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: number)),
      timestamp: timestamp(number), ssrc: 0x1a2b_3c4d)
    var span = datagram.mutableSpan
    _ = header.write(into: &span)
  }

  private static func timestamp(_ number: Int) -> RTPTimestamp {
    RTPTimestamp(UInt32(truncatingIfNeeded: Int64(number) * frame))
  }

  /// A little jitter, always the same: 0 to 3.1 ms.
  private static func wobble(_ number: Int) -> Interval {
    .microseconds(Int64(truncatingIfNeeded: number &* 2_654_435_761 >> 7 & 31) * 100)
  }
}
