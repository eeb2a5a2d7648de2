import Impairment
import Packets
import Probing
import Sending
import Testing
import Timeline

/// Whole probes of both directions over known links.
@Suite struct BothWaysTests {
  private func world(_ kind: ProbeProfile.Kind, up: String, down: String, streams: Int = 1) throws -> ProbeWorld {
    let profile = try #require(ProbeProfile.standard(kind, streams: streams))
    let sessions = (0..<streams).map {
      ProbeWorld.session(UInt64($0), type: profile.payloadType, clockRate: profile.format.clockRate)
    }
    let wish = ProbeWish(
      profile: profile, wantsFeedback: true, duration: .seconds(20), sources: sessions.map(\.ssrc),
      clockRate: profile.format.clockRate)
    var world = ProbeWorld(wish, up: try LinkSpec(parsing: up), down: try LinkSpec(parsing: down))
    world.run(for: .seconds(5)) { $0.client.state == .accepted }
    try #require(world.client.state == .accepted)
    world.up = .media(ProbeSender(profile, sessions, start: world.now, duration: .seconds(20)))
    world.run(for: .seconds(25))
    return world
  }

  @Test(arguments: [ProbeProfile.Kind.opusVoice, .opusMusic, .g711, .video])
  func `the far end sends the same, and its totals are the link's`(kind: ProbeProfile.Kind) throws {
    let world = try world(kind, up: "loss=5%,duplicate=2%,delay=30ms,seed=4", down: "delay=20ms")
    guard case .media(let sender)? = world.up else { return }
    let record = world.upLink.record
    let stream = try #require(world.client.feedback?.streams.first)
    #expect(sender.packetCount == Int(record.offered))
    #expect(Int(stream.received) == Int(record.delivered))
    #expect(Int(stream.unique) == Int(record.offered - record.lost))
    // The way down began a round trip earlier or later, and has lost nothing.
    let media = world.returned.filter { DatagramKind.classify($0.bytes.span.bytes) == .rtp }
    #expect(media.count == sender.packetCount)
    #expect(Set(media.compactMap { try? RTPPacket(parsing: $0.bytes.span.bytes).header.ssrc }).count == 1)
  }

  @Test func `several streams leave evenly, each with a source of its own`() throws {
    let world = try world(.opusVoice, up: "delay=10ms", down: "delay=10ms", streams: 4)
    let arrivals = world.returned.map(\.arrival)
    let gaps = zip(arrivals, arrivals.dropFirst()).map { $1 - $0 }
    #expect(world.returned.count == 4_000)
    #expect(gaps.allSatisfy { $0 <= .milliseconds(6) && $0 >= .milliseconds(4) })
    #expect(Set(world.returned.compactMap { try? RTPPacket(parsing: $0.bytes.span.bytes).header.ssrc }).count == 4)
    #expect(world.client.feedback?.streams.count == 4)
  }

  @Test func `opus packets of a probe are whole, of 20 ms, and silent`() throws {
    let world = try world(.opusVoice, up: "delay=1ms", down: "delay=1ms")
    for (bytes, _) in world.returned.prefix(50) {
      let packet = try RTPPacket(parsing: bytes.span.bytes)
      let payload = bytes.span.bytes.extracting(packet.payload)
      #expect(OpusPacket(parsing: payload)?.duration == 960)
      #expect(Array(bytes[packet.payload.prefix(3)]) == [0xf8, 0xff, 0xfe])
    }
  }

  @Test func `half of the way up may be lost, and the way down goes on`() throws {
    let world = try world(.opusVoice, up: "loss=45%,seed=2", down: "delay=5ms")
    #expect(world.returned.count >= 990)
  }

  @Test func `the handshake gets through heavy loss`() throws {
    for seed in 1...20 {
      let world = try world(.opusVoice, up: "loss=30%,seed=\(seed)", down: "loss=30%,seed=\(seed + 100)")
      #expect(world.client.state == .accepted)
    }
  }

  @Test func `a far end that never answers is given up`() throws {
    var generator = SeededGenerator(seed: 1)
    let wish = ProbeWish(profile: nil, wantsFeedback: true, duration: .seconds(5), sources: [1], clockRate: 90_000)
    var client = ReflectionClient(wish, ssrc: 1, cname: "a@b", at: .zero, using: &generator)
    var requests = 0
    while let wake = client.nextWake {
      var bytes = [UInt8](repeating: 0, count: 600)
      var span = bytes.mutableSpan
      if let size = client.poll(into: &span, at: wake) {
        requests += 1
        #expect(size == ProbeMessage.paddedSize)
      }
    }
    #expect(client.state == .unanswered)
    #expect((15...25).contains(requests))
  }
}
