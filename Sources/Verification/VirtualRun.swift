public import Impairment
public import Receiving
import Simulation
public import Timeline

/// A case on a virtual clock: the sessions that `send` and `receive` run, and the link between, in no time at all.
public struct VirtualRun: Sendable {
  /// The receiving session at its end.
  public let receiver: ReceiveSession
  /// What truly happened to each stream.
  public let truth: [StreamTruth]
  /// What the link did.
  public let linkRecord: LinkRecord
  /// Datagrams handed to the receiver.
  public let datagrams: Int

  /// Runs a case to its end with packets for `time` from each sender.
  public init(_ test: VerificationCase, time: Interval, seed: UInt64) {
    let packets = test.packets(in: time)
    let recording = test.recording(packets: packets * test.sources.count, seed: seed)
    var spec = LinkSpec.perfect
    if let replay = try? LinkSpec(replaying: recording, named: test.name) { spec = replay }
    let scripts = Self.scripts(test, packets: packets)
    var configuration = World.Configuration(scripts, link: spec, seed: seed)
    configuration.reportLink = spec.withoutReplay
    configuration.receiver.target = test.buffer
    var world = World(configuration)
    world.run()
    receiver = world.receiver
    linkRecord = world.linkRecord
    datagrams = world.record.handedIn
    truth = Self.truth(test, packets: packets, record: world.record, rate: Self.clockRate)
  }

  private static let clockRate: UInt32 = 48_000

  /// Senders at the same time are scripts of their own; one after the other they are steps of one script.
  private static func scripts(_ test: VerificationCase, packets: Int) -> [MediaScript] {
    let duration = test.interval.units(rate: clockRate)
    let step = MediaScript.Step.packets(count: packets, duration: duration)
    guard let first = test.sources.first else { return [] }
    if test.isParallel {
      return test.sources.enumerated().map { place, source in
        MediaScript(
          [step], ssrc: source.ssrc, firstSequence: source.firstSequence,
          start: .zero + .seconds(1) + .microseconds(700) * Int64(place))
      }
    }
    var steps = [step]
    for source in test.sources.dropFirst() {
      steps += [
        .restart(
          ssrc: source.ssrc, sequence: source.firstSequence, timestamp: 3_000_000, pause: .milliseconds(1500)), step,
      ]
    }
    return [MediaScript(steps, ssrc: first.ssrc, firstSequence: first.firstSequence)]
  }

  private static func truth(
    _ test: VerificationCase, packets: Int, record: WorldRecord, rate: UInt32
  ) -> [StreamTruth] {
    // The place among all packets sent says which source a packet is of, and which of its packets.
    var places: [(source: Int, index: Int)] = []
    var sent = [[Int]](repeating: [], count: test.sources.count)
    for packet in record.sent {
      var source = packet.sender
      if !test.isParallel { source = places.count / max(packets, 1) }
      places.append((source, sent[source].count))
      sent[source].append(packet.fate?.copies ?? 0)
    }
    var streams: [StreamTruth] = []
    for (place, source) in test.sources.enumerated() {
      // Of senders that follow each other in one script only the last says goodbye.
      let knowsSent = test.isParallel || place + 1 == test.sources.count
      if let known = streams.firstIndex(where: { $0.ssrc == source.ssrc }) {
        streams[known].sent.append(sent[place])
        streams[known].knowsSent = knowsSent
      } else {
        streams.append(
          StreamTruth(ssrc: source.ssrc, sent: [sent[place]], arrivals: [], clockRate: rate, buffer: test.buffer))
        streams[streams.count - 1].knowsSent = knowsSent
      }
    }
    for arrival in record.arrivals {
      let (source, index) = places[arrival.sentIndex]
      guard let stream = streams.firstIndex(where: { $0.ssrc == test.sources[source].ssrc }) else { continue }
      let run = test.sources[..<source].count { $0.ssrc == test.sources[source].ssrc }
      streams[stream].arrivals.append(
        StreamTruth.Arrival(
          run: run, index: index, timestamp: record.sent[arrival.sentIndex].timestamp,
          time: arrival.at.nanoseconds))
    }
    return streams
  }
}
