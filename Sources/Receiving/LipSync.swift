import Buffering
import Packets
public import Statistics
public import Timeline

/// When one stream's media is played, by its sender's clock: what lip sync needs to know of it.
public struct StreamTiming: Equatable, Sendable {
  /// The session's number of the stream.
  public var stream: Int
  /// The synchronisation source.
  public var ssrc: UInt32
  /// The sender's canonical name.
  public var cname: String
  /// Whether it is video.
  public var isVideo: Bool
  /// How long after its sender's time of day its media is played, by what its packets need: with a constant that is the
  /// difference of the two clocks, and the same for all streams of the sender.
  public var needed: Interval
  /// The same by what is really played now.
  public var actual: Interval
  /// What was added to wait for others.
  public var added: Interval

  /// Makes a stream's timing from its parts.
  public init(
    stream: Int, ssrc: UInt32, cname: String, isVideo: Bool, needed: Interval, actual: Interval, added: Interval
  ) {
    self.stream = stream
    self.ssrc = ssrc
    self.cname = cname
    self.isVideo = isVideo
    self.needed = needed
    self.actual = actual
    self.added = added
  }

  /// When it would be played if it waited for nobody.
  var alone: Interval { added == .zero ? actual : needed }
}

/// Keeps audio and video of one sender together: whichever would be played earlier waits for the other.
///
/// Streams belong together when they have one canonical name, and their sender reports tie their timestamps to one clock
/// (RFC 3550 section 6.4.1). The stream that takes longest is the reference; the others get a delay on top of their own.
/// Streams of audio alone are left as they are.
///
/// It keeps quiet: once set, and after the first second, a delay is only changed when it has been wrong by more than 10 ms
/// for a second. People notice from 45 ms on when the sound is early, and from 125 ms on when it is late (ITU-R BT.1359).
public struct LipSync: Sendable {
  /// The most that is added.
  ///
  /// Streams that seem to be further apart have clocks that don't agree.
  public static let limit = Interval.seconds(2)
  /// What is wrong by less is left alone.
  static let tolerance = Interval.milliseconds(10)
  /// For so long it has to be wrong.
  static let patience = Interval.seconds(1)
  /// Before this has passed nothing needs patience: it shows only then by how much video is reordered.
  static let learning = Interval.seconds(1)
  /// For so long audio waits for video at its beginning, where its delay adapts and so could be next to none: as long as
  /// video waits for its own packets.
  public static let startMargin = Interval.milliseconds(100)
  /// How often to look.
  public static let period = Interval.milliseconds(100)
  /// A first difference of less isn't worth anything.
  private static let smallest = Interval.milliseconds(1)

  /// How each stream was kept together with others, at last; those that ended too, until they are forgotten.
  public private(set) var statistics: [Int: LipSyncStatistics] = [:]
  private let isMeasuring: Bool
  /// The reference of each sender.
  private var references: [String: Int] = [:]
  /// Since when a stream's delay has been wrong.
  private var wrong: [Int: Instant] = [:]
  /// When each stream's delay was judged first.
  private var settled: [Int: Instant] = [:]
  private var nextUpdate: Instant?

  /// Begins with nothing known; `isMeasuring` says that skew is measured and nothing done about it.
  public init(isMeasuring: Bool = false) { self.isMeasuring = isMeasuring }

  /// Whether it is time to look.
  public mutating func isDue(at now: Instant) -> Bool {
    if let nextUpdate, now < nextUpdate { return false }
    nextUpdate = now + Self.period
    return true
  }

  /// Something is known that wasn't: a sender has told its time, or a stream has begun.
  ///
  /// What is told before a stream plays is set before its first packet, so that nothing has to be stretched.
  public mutating func hurry() { nextUpdate = nil }

  /// Looks at the streams that run; returns the delays that are to be added from now on, where they change.
  public mutating func update(_ timings: [StreamTiming], at now: Instant) -> [(stream: Int, added: Interval)] {
    guard timings.count > 1 else { return [] }
    var changes: [(stream: Int, added: Interval)] = []
    for cname in Set(timings.map(\.cname)).sorted() {
      let group = timings.filter { $0.cname == cname }
      guard group.contains(where: \.isVideo), group.contains(where: { !$0.isVideo }),
        let reference = reference(of: group, cname)
      else { continue }
      for timing in group {
        var added = timing.added
        if let change = judge(timing, with: reference, at: now) {
          changes.append((timing.stream, change))
          added = change
        }
        statistics[timing.stream] = LipSyncStatistics(
          reference: reference.ssrc, skew: timing.actual - reference.actual,
          skewWithout: timing.alone - reference.alone, added: added)
      }
    }
    return changes
  }

  /// Streams of which something is remembered.
  var rememberedStreams: Set<Int> {
    Set(settled.keys).union(statistics.keys).union(wrong.keys).union(references.values)
  }

  /// Forgets all streams but these, and the senders whose reference is gone.
  ///
  /// Senders come and go, and each may call itself anything: what sessions have forgotten isn't remembered here.
  public mutating func forgetStreams(except known: Set<Int>) {
    statistics = statistics.filter { known.contains($0.key) }
    references = references.filter { known.contains($0.value) }
    wrong = wrong.filter { known.contains($0.key) }
    settled = settled.filter { known.contains($0.key) }
  }

  /// The stream that the others wait for: the one that is played last, and the same as before unless it is clear.
  private mutating func reference(of group: [StreamTiming], _ cname: String) -> StreamTiming? {
    guard let latest = group.max(by: { $0.alone < $1.alone }) else { return nil }
    if let before = group.first(where: { $0.stream == references[cname] }),
      latest.alone - before.alone <= Self.tolerance
    {
      return before
    }
    references[cname] = latest.stream
    return latest
  }

  /// The delay that a stream should have added from now on; nil when it is right enough.
  private mutating func judge(_ timing: StreamTiming, with reference: StreamTiming, at now: Instant) -> Interval? {
    guard !isMeasuring else { return nil }
    var wanted = timing.stream == reference.stream ? .zero : max(.zero, reference.alone - timing.needed)
    if wanted > Self.limit { wanted = .zero }
    let error = wanted > timing.added ? wanted - timing.added : timing.added - wanted
    guard let beginning = settled[timing.stream] else {
      settled[timing.stream] = now
      return error >= Self.smallest ? wanted : nil
    }
    guard error > Self.tolerance else {
      wrong[timing.stream] = nil
      return nil
    }
    if now - beginning < Self.learning { return wanted }
    guard let since = wrong[timing.stream] else {
      wrong[timing.stream] = now
      return nil
    }
    guard now - since >= Self.patience else { return nil }
    wrong[timing.stream] = nil
    return wanted
  }
}

extension ReceiveSession {
  /// When the media of the streams that run is played, of those whose sender has told its time.
  public func timings(at now: Instant) -> [StreamTiming] { streams.compactMap { $0.timing(at: now) } }

  /// Nothing could be played before the source was believed, and audio that adapts waits for what it may belong to.
  mutating func holdStart(_ place: Int, since proof: Instant) {
    let isAudio = VideoEncoding(streams[place].format) == nil
    streams[place].buffer.holdStart(until: proof, margin: isAudio ? configuration.startMargin : .zero)
  }

  /// Has a stream wait so much longer than its packets need; returns by how much that is more than before.
  public mutating func setAddedDelay(_ delay: Interval, of stream: Int) -> Interval {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return .zero }
    let before = streams[place].buffer.addedDelay
    streams[place].buffer.setAddedDelay(delay)
    return delay - before
  }
}

extension ReceiveStream {
  /// When its media is played; nil while its sender's time isn't known, and once nothing more is awaited.
  func timing(at now: Instant) -> StreamTiming? {
    guard case .active = phase, let cname, let senderOrigin, let base = buffer.baseTransit else { return nil }
    let alone = base + buffer.target - buffer.addedDelay - senderOrigin
    let actual = base + (buffer.playoutDelay(at: now) ?? buffer.target) - senderOrigin
    return StreamTiming(
      stream: id, ssrc: ssrc, cname: cname, isVideo: VideoEncoding(format) != nil, needed: alone, actual: actual,
      added: buffer.addedDelay)
  }
}
