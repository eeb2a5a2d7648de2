import Impairment
import Packets
import Testing
import Timeline

@testable import Probing

/// The handshake, as honest and as forged datagrams meet it.
@Suite struct ReflectorTests {
  private var generator = SeededGenerator(seed: 5)
  private var reflector = Reflector<Int>(
    Reflector.Configuration(ssrc: 1, cname: String(repeating: "c", count: 200), wallClockOffset: 0))
  private let now = Instant.zero + .seconds(50)

  private static func wish(_ kind: ProbeProfile.Kind = .opusVoice, sources: [UInt32] = [0x1001]) -> ProbeWish {
    ProbeWish(
      profile: ProbeProfile.standard(kind), wantsFeedback: true, duration: .seconds(20), sources: sources,
      clockRate: 48_000)
  }

  /// Hands a message in; what comes back as bytes.
  private mutating func say(_ message: ProbeMessage, from address: Int, at now: Instant) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 2_000)
    var span = bytes.mutableSpan
    let size = try #require(message.write(ssrc: 9, cname: "near@end", into: &span))
    return hand(Array(bytes[..<size]), from: address, at: now)
  }

  private mutating func hand(_ bytes: [UInt8], from address: Int, at now: Instant) -> [UInt8]? {
    var reply = [UInt8](repeating: 0, count: 2_000)
    var span = reply.mutableSpan
    guard
      case .reply(let size) = reflector.handleControl(
        bytes.span.bytes, from: address, at: now, into: &span, using: &generator)
    else { return nil }
    #expect(size <= bytes.count, "a reply may not be bigger than what it replies to")
    return Array(reply[..<size])
  }

  private mutating func token(for address: Int, at now: Instant) throws -> ProbeToken {
    let reply = try #require(try say(.request(nonce: 77), from: address, at: now))
    guard case .challenge(77, let token)? = ProbeMessage(parsing: reply.span.bytes) else { throw NoChallenge() }
    return token
  }

  private mutating func answer(
    to token: ProbeToken, _ wish: ProbeWish = wish(), from address: Int, at now: Instant
  ) throws -> ProbeAnswer? {
    guard let reply = try say(.proof(token, wish), from: address, at: now) else { return nil }
    guard case .answer(let answer)? = ProbeMessage(parsing: reply.span.bytes) else { return nil }
    return answer
  }

  /// Bytes that go to an address in some time during which nothing comes from it.
  private mutating func sent(to address: Int, from start: Instant, for time: Interval) -> Int {
    var total = 0
    var now = start
    while now < start + time {
      while true {
        var bytes = [UInt8](repeating: 0, count: 2_000)
        var span = bytes.mutableSpan
        guard let (size, target) = reflector.poll(into: &span, at: now) else { break }
        if target == address { total += size + 28 }
      }
      now += .milliseconds(5)
    }
    return total
  }

  private struct NoChallenge: Error {}

  @Test mutating func `an address that gives its token back gets media, another one doesn't`() throws {
    let token = try token(for: 1, at: now)
    #expect(try answer(to: token, from: 2, at: now) == .unknownToken)
    #expect(reflector.servedAddresses.isEmpty)
    #expect(try answer(to: token, from: 1, at: now) == .accepted)
    #expect(reflector.servedAddresses == [1])
    #expect(sent(to: 1, from: now, for: .seconds(1)) > 40 * 100)
    #expect(sent(to: 2, from: now + .seconds(1), for: .seconds(1)) == 0)
  }

  @Test mutating func `a token serves once, and only for a few seconds`() throws {
    let old = try token(for: 1, at: now)
    #expect(try answer(to: old, from: 1, at: now + .seconds(11)) == .unknownToken)
    let fresh = try token(for: 1, at: now + .seconds(12))
    #expect(!fresh.matches(old))
    #expect(try answer(to: fresh, from: 1, at: now + .seconds(12)) == .accepted)
    _ = sent(to: 1, from: now + .seconds(12), for: .seconds(8))
    #expect(reflector.servedAddresses.isEmpty, "nothing came for longer than the limit of silence")
    #expect(try answer(to: fresh, from: 1, at: now + .seconds(21)) == .unknownToken)
  }

  @Test mutating func `a token with one bit changed is refused`() throws {
    let token = try token(for: 1, at: now)
    for bit in 0..<64 {
      let forged = [
        ProbeToken(high: token.high ^ 1 << bit, low: token.low),
        ProbeToken(high: token.high, low: token.low ^ 1 << bit),
      ]
      for wrong in forged { #expect(try answer(to: wrong, from: 1, at: now) == .unknownToken) }
    }
    #expect(try answer(to: token, from: 1, at: now) == .accepted)
  }

  @Test mutating func `before the proof nobody gets more bytes than came in his name`() throws {
    var (came, went) = (0, 0)
    for index in 0..<2_000 {
      var bytes = [UInt8](repeating: 0, count: 2_000)
      var span = bytes.mutableSpan
      let message: ProbeMessage =
        index % 3 == 0
        ? .proof(ProbeToken(high: UInt64(index), low: 4), Self.wish(.video)) : .request(nonce: UInt64(index))
      let size = try #require(message.write(ssrc: 1, cname: "x", into: &span))
      came += size
      went += hand(Array(bytes[..<size]), from: 5, at: now + .milliseconds(Int64(index)))?.count ?? 0
    }
    #expect(went > 0 && went <= came)
    #expect(sent(to: 5, from: now + .seconds(2), for: .seconds(1)) == 0)
  }

  @Test mutating func `a request cut short gets no reply that is bigger`() throws {
    var bytes = [UInt8](repeating: 0, count: 2_000)
    var span = bytes.mutableSpan
    let size = try #require(ProbeMessage.request(nonce: 1).write(ssrc: 1, cname: "x", into: &span))
    var replies = 0
    for length in 0..<size {
      var cut = Array(bytes[..<length])
      // With the length field of the APP packet put right, so that it is valid.
      if length >= 40, length % 4 == 0 {
        let start = 8 + 12
        let words = (length - start) / 4 - 1
        cut[start + 2] = UInt8(words >> 8)
        cut[start + 3] = UInt8(words & 0xff)
      }
      if let reply = hand(cut, from: 3, at: now) {
        replies += 1
        #expect(reply.count <= length)
      }
    }
    #expect(replies > 0)
  }

  @Test mutating func `a flood of forged requests takes bounded memory, and an honest prober gets in`() throws {
    for address in 0..<10_000 { _ = try token(for: 1_000 + address, at: now) }
    #expect(reflector.challengeCount == reflector.configuration.challengeLimit)
    let token = try token(for: 1, at: now)
    // Half of the table is changed while the token is on its way.
    for address in 0..<512 { _ = try self.token(for: 20_000 + address, at: now) }
    var answer = try answer(to: token, from: 1, at: now)
    var attempts = 1
    while answer != .accepted, attempts < 50 {
      attempts += 1
      let again = try self.token(for: 1, at: now)
      answer = try self.answer(to: again, from: 1, at: now)
    }
    #expect(answer == .accepted)
  }

  @Test mutating func `requests in another's name don't change the token on its way to him`() throws {
    let token = try token(for: 1, at: now)
    for _ in 0..<100 { #expect(try self.token(for: 1, at: now).matches(token)) }
    #expect(try answer(to: token, from: 1, at: now) == .accepted)
  }

  @Test mutating func `a client gets no more than two bytes for each that it sends, once its start is used up`() throws
  {
    let token = try token(for: 1, at: now)
    #expect(try answer(to: token, Self.wish(.video), from: 1, at: now) == .accepted)
    let start = sent(to: 1, from: now, for: .milliseconds(4_900))
    let perSecond = try #require(ProbeProfile.standard(.video)).totalBitrate / 8
    #expect(Double(start) < 1.2 * perSecond + 2_000, "a second's worth, then nothing without anything in return")
    var after = 0
    var heard = 0
    var time = now + .milliseconds(4_900)
    for _ in 0..<40 {
      let media = [UInt8](repeating: 0x80, count: 100)
      reflector.noteMedia(media.span.bytes, from: 1, at: time)
      heard += 128
      after += sent(to: 1, from: time, for: .milliseconds(100))
      time += .milliseconds(100)
    }
    #expect(after > 0 && after <= 2 * heard + 1_500)
  }

  @Test mutating func `it ends with a goodbye, without renewal, in silence, and when the address is gone`() throws {
    var events: [Reflector<Int>.Event] = []
    func ends() -> [ReflectionEnd] { events.compactMap { if case .ended(_, let end) = $0 { end } else { nil } } }
    for address in 1...4 {
      let token = try token(for: address, at: now)
      #expect(try answer(to: token, from: address, at: now) == .accepted)
    }
    let refused = try token(for: 5, at: now)
    #expect(try answer(to: refused, from: 5, at: now) == .busy)
    var bye = [UInt8](repeating: 0, count: 200)
    var span = bye.mutableSpan
    var writer = CompoundWriter()
    #expect(writer.receiverReport(ssrc: 9, into: &span) && writer.goodbye(ssrc: 9, into: &span))
    _ = hand(Array(bye[..<writer.count]), from: 1, at: now)
    reflector.fail(2)
    // The third one keeps sending but doesn't renew.
    for second in 0..<11 {
      reflector.noteMedia([UInt8](repeating: 0x80, count: 50).span.bytes, from: 3, at: now + .seconds(Int64(second)))
    }
    _ = sent(to: 4, from: now + .seconds(5), for: .seconds(6))
    while let event = reflector.pollEvent() { events.append(event) }
    #expect(ends() == [.goodbye, .unreachable, .silent, .notRenewed])
    #expect(reflector.servedAddresses.isEmpty)
  }

  @Test mutating func `a rate above the limit is refused with the limit`() throws {
    let token = try token(for: 1, at: now)
    let profile = ProbeProfile(kind: .custom, packetBytes: 1_472, interval: .microseconds(100), streams: 16)
    let wish = ProbeWish(
      profile: profile, wantsFeedback: false, duration: .seconds(5), sources: [], clockRate: 90_000)
    #expect(try answer(to: token, wish, from: 1, at: now) == .tooFast(limit: 8_000_000))
    #expect(reflector.servedAddresses.isEmpty)
  }

  @Test func `every cut and every changed bit of a message is read or refused, never trapped on`() throws {
    let feedback = ProbeFeedback(streams: [
      ProbeFeedback.Stream(
        ssrc: 1, highest: 2, unique: 3, received: 4, bytes: 5, transit: -6...7, lastArrival: 8)
    ])
    let messages: [ProbeMessage] = [
      .request(nonce: 1), .challenge(nonce: 2, token: ProbeToken(high: 3, low: 4)),
      .proof(ProbeToken(high: 5, low: 6), Self.wish(.video, sources: [1, 2, 3])), .answer(.tooFast(limit: 9)),
      .feedback(feedback),
    ]
    for message in messages {
      var bytes = [UInt8](repeating: 0, count: 600)
      var span = bytes.mutableSpan
      let size = try #require(message.write(ssrc: 1, cname: "near@end", into: &span))
      for length in 0...size { _ = ProbeMessage(parsing: Array(bytes[..<length]).span.bytes) }
      for bit in 0..<(size * 8) {
        var changed = Array(bytes[..<size])
        changed[bit / 8] ^= 1 << (bit % 8)
        _ = ProbeMessage(parsing: changed.span.bytes)
      }
      let whole = Array(bytes[..<size])
      guard let parsed = ProbeMessage(parsing: whole.span.bytes) else {
        Issue.record("\(message) can't be read")
        continue
      }
      var again = [UInt8](repeating: 0, count: 600)
      var target = again.mutableSpan
      #expect(parsed.write(ssrc: 1, cname: "near@end", into: &target) == size)
      #expect(again == bytes)
    }
  }
}
