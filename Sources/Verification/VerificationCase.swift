public import Impairment
public import Timeline

/// One thing that the tool proves of itself: what is sent over which link, so that the truth is known packet by packet.
public struct VerificationCase: Sendable {
  /// What the path does; the seed decides to which packets.
  public enum Path: Sendable {
    /// What a link with this spec does.
    case spec(String)
    /// 2 % are lost, and 5 % come 300 ms late; none among the last hundred, where nothing would tell that they are late.
    case lateComers
    /// Nothing gets through for the first while, nor for the last.
    case outages(head: Interval, tail: Interval)
  }

  /// A sender of the case.
  public struct Source: Sendable {
    /// Its synchronisation source.
    public var ssrc: UInt32
    /// Its first sequence number.
    public var firstSequence: UInt16
    /// Whether its reports and its goodbye arrive; a sender that crashed says none.
    public var saysGoodbye = true
  }

  /// A word for `--case`.
  public let name: String
  /// What it proves, in one sentence.
  public let proves: String
  /// What the path does.
  public let path: Path
  /// The senders.
  public var sources = [Source(ssrc: 0x1a2b_3c4d, firstSequence: 1000)]
  /// Whether they send at the same time, or one after the other.
  public var isParallel = false
  /// The time from packet to packet: a multiple of 2.5 ms up to 20 ms.
  public var interval = Interval.milliseconds(5)
  /// The receiver's buffer: generous, where what comes late isn't the matter.
  public var buffer = Interval.seconds(1)
  /// Whether the receiver is stopped for a while and its socket overflows: nothing that virtual time could show.
  public var pausesReceiver = false

  /// How many packets each sender sends in `time`.
  public func packets(in time: Interval) -> Int { Int(time.nanoseconds / interval.nanoseconds) }

  /// What the path does to each of `packets` packets; every seed is another path.
  public func recording(packets: Int, seed: UInt64) -> LinkRecording {
    switch path {
    case .spec(let text): Self.record(text, packets: packets, interval: interval, seed: seed)
    case .lateComers: Self.lateComers(packets: packets, seed: seed)
    case .outages(let head, let tail):
      Self.outages(packets: packets, head: self.packets(in: head), tail: self.packets(in: tail))
    }
  }

  /// Sends packets through a link on a virtual clock and writes down what it does, order of arrival included.
  private static func record(_ text: String, packets: Int, interval: Interval, seed: UInt64) -> LinkRecording {
    guard var spec = try? LinkSpec(parsing: text) else { return LinkRecording() }
    spec.seed = seed
    var link = Link<Int>(spec)
    var copies = [[Interval]](repeating: [], count: packets)
    var before: (time: Instant, packet: Int)?
    func drain(until now: Instant) {
      while let next = link.nextDelivery, next <= now {
        while let delivery = link.receive(at: next) {
          var time = delivery.deliveredAt
          // A recording delivers what arrives in one instant in the order of sending.
          if let before, time <= before.time {
            time = before.time + .nanoseconds(delivery.payload < before.packet ? 1 : 0)
          }
          before = (time, delivery.payload)
          copies[delivery.payload].append(time - delivery.sentAt)
        }
      }
    }
    for packet in 0..<packets {
      let now = Instant.zero + interval * Int64(packet)
      drain(until: now)
      link.send(packet, bytes: 120, at: now)
    }
    drain(until: .distantFuture)
    var recording = LinkRecording()
    for delays in copies { recording.append(delays) }
    return recording
  }

  private static func lateComers(packets: Int, seed: UInt64) -> LinkRecording {
    var generator = SeededGenerator(seed: seed)
    var recording = LinkRecording()
    for packet in 0..<packets {
      let chance = generator.nextUnit()
      // The first ones too arrive in order, so that the stream begins at once.
      let isQuiet = packet < 10 || packet + 100 >= packets
      if chance < 0.02 {
        recording.append(isQuiet ? [.zero] : [])
      } else {
        recording.append([chance < 0.07 && !isQuiet ? .milliseconds(300) : .zero])
      }
    }
    return recording
  }

  private static func outages(packets: Int, head: Int, tail: Int) -> LinkRecording {
    var recording = LinkRecording()
    for packet in 0..<packets { recording.append(packet >= head && packet < packets - tail ? [Interval.zero] : []) }
    return recording
  }
}

extension VerificationCase {
  /// All cases: those at which other tools were found wrong (docs/truth.md), and more.
  public static let all: [VerificationCase] = [
    VerificationCase(name: "clean", proves: "a path that does nothing is reported as such", path: .spec("none")),
    VerificationCase(name: "loss", proves: "each lost packet is counted", path: .spec("loss=5%")),
    VerificationCase(
      name: "reorder", proves: "a packet that was overtaken is neither lost nor a duplicate",
      path: .spec("delay=20ms,reorder=5%")),
    VerificationCase(name: "duplicate", proves: "a second copy is no gain", path: .spec("duplicate=5%")),
    VerificationCase(
      name: "loss-duplicate", proves: "duplicates hide no losses", path: .spec("loss=5%,duplicate=5%")),
    VerificationCase(
      name: "loss-duplicate-reorder", proves: "the three are told apart",
      path: .spec("loss=5%,duplicate=5%,duplicate-delay=2ms,delay=20ms,reorder=5%")),
    VerificationCase(
      name: "bursts", proves: "losses that follow each other are one run", path: .spec("ge=1%:20%")),
    VerificationCase(
      name: "outages", proves: "a link that is down by turns loses what was sent meanwhile",
      path: .spec("outage=1s:100ms,delay=10ms")),
    VerificationCase(
      name: "queue", proves: "what a full queue drops is lost, and what waits in it is delayed, in order",
      path: .spec("rate=150kbit,queue=40ms,delay=10ms")),
    VerificationCase(
      name: "jitter-reorder", proves: "heavy reordering by jitter is no loss",
      path: .spec("delay=40ms,jitter=8ms,jitter-order=break")),
    VerificationCase(
      name: "jitter-fifo", proves: "jitter and delay variation follow the delays", path: .spec("delay=40ms,jitter=5ms"),
      interval: .milliseconds(20)),
    VerificationCase(
      name: "wrap-late",
      proves: "packets that come 300 ms late around the wrap of the sequence number are late, not lost",
      path: .lateComers, sources: [Source(ssrc: 0x1a2b_3c4d, firstSequence: 65_000)], buffer: .milliseconds(120)),
    VerificationCase(
      name: "tail-outage", proves: "what is lost behind the last packet that arrived is known from the sender's count",
      path: .outages(head: .zero, tail: .milliseconds(1100))),
    VerificationCase(
      name: "head-outage", proves: "what is lost before the first packet that arrived is known likewise",
      path: .outages(head: .milliseconds(1100), tail: .zero)),
    VerificationCase(
      name: "paused-receiver", proves: "what this host's socket dropped isn't blamed on the network",
      path: .spec("none"), pausesReceiver: true),
    VerificationCase(
      name: "ssrc-change", proves: "a new source is a stream of its own", path: .spec("loss=5%,duplicate=3%"),
      sources: [Source(ssrc: 0x1a2b_3c4d, firstSequence: 1000), Source(ssrc: 0x5e6f_7081, firstSequence: 40_000)]),
    VerificationCase(
      name: "restart", proves: "a sender that begins anew loses nothing between its two runs",
      path: .spec("loss=5%,duplicate=3%"),
      sources: [
        Source(ssrc: 0x1a2b_3c4d, firstSequence: 1000, saysGoodbye: false),
        Source(ssrc: 0x1a2b_3c4d, firstSequence: 40_000),
      ]),
    VerificationCase(
      name: "streams", proves: "streams at the same time are counted apart",
      path: .spec("loss=3%,duplicate=2%,delay=20ms,jitter=4ms,jitter-order=break"),
      sources: [
        Source(ssrc: 0x1111_1111, firstSequence: 10), Source(ssrc: 0x2222_2222, firstSequence: 65_500),
        Source(ssrc: 0x3333_3333, firstSequence: 10),
      ], isParallel: true),
  ]
}
