public import Impairment
public import Receiving
public import Sending
public import Timeline

/// Senders, a link and a receiver on a virtual clock: a run is fixed by what it is given, down to the last bit.
///
/// `run()` plays until the senders are done, the link is empty and the receiver's streams have ended. It obeys the
/// sessions' draining rules: the receiver is polled up to the arrival of each datagram before that is handed in.
public struct World: Sendable {
  /// What a world consists of.
  public struct Configuration: Sendable {
    /// The senders.
    public var scripts: [MediaScript]
    /// The path of RTP and RTCP from the senders; each has random numbers of its own, and so has the way back.
    public var link: LinkSpec
    /// The path of RTCP, when it isn't the same.
    public var reportLink: LinkSpec?
    /// What the receiver is set up with.
    public var receiver: ReceiveSession.Configuration
    /// Datagrams from elsewhere, in order of arrival.
    public var injections: [Injection] = []
    /// When the receiver is told to stop; nil for when everything has ended by itself.
    public var stopAt: Instant?
    /// Whether each packet, arrival and decision is kept; an hour of stream takes about 50 MB.
    public var keepsRecord = true
    /// The seed of the senders.
    public var seed: UInt64

    /// One sender or several, a link, and a receiver with the usual limits that gives up after 5 s without a packet.
    public init(_ scripts: [MediaScript], link: LinkSpec = .perfect, seed: UInt64 = 1) {
      self.scripts = scripts
      self.link = link
      self.seed = seed
      receiver = ReceiveSession.Configuration(ssrc: 0x0bad_cafe, cname: "receiver@simulation", seed: seed &+ 1)
      receiver.idleTimeout = .seconds(5)
      receiver.isTracing = true
    }
  }

  /// A datagram that no sender of ours sent.
  public struct Injection: Sendable {
    /// When it arrives.
    public var arrival: Instant
    /// Its bytes.
    public var bytes: [UInt8]
    /// Where it comes from.
    public var peer: Peer
    /// Whether it arrives on the RTCP side.
    public var isRTCP: Bool

    /// Describes a datagram.
    public init(_ bytes: [UInt8], at arrival: Instant, from peer: Peer = Peer(id: 666), isRTCP: Bool = false) {
      self.bytes = bytes
      self.arrival = arrival
      self.peer = peer
      self.isRTCP = isRTCP
    }
  }

  /// A datagram on its way.
  private struct Parcel: Sendable {
    var bytes: [UInt8]
    var sender: Int
    var sentIndex: Int
  }

  /// The receiver.
  public private(set) var receiver: ReceiveSession
  /// What truly happened.
  public private(set) var record = WorldRecord()
  /// The time now.
  public private(set) var now = Instant.zero

  private let configuration: Configuration
  private var senders: [ScriptedSender]
  private var media: Link<Parcel>
  private var reports: Link<Parcel>
  private var back: Link<Parcel>
  private var darkUntil = Instant.zero
  private var nextInjection = 0
  private var hasStopped = false
  private var buffer = [UInt8](repeating: 0, count: 1500)

  /// Sets everything up; nothing has been sent.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    senders = configuration.scripts.enumerated().map { index, script in
      ScriptedSender(script, seed: configuration.seed &+ UInt64(index) &* 1000)
    }
    media = Link(configuration.link, stream: 0)
    reports = Link(configuration.reportLink ?? configuration.link, stream: 1)
    back = Link(configuration.reportLink ?? configuration.link, stream: 2)
    receiver = ReceiveSession(configuration.receiver)
  }

  /// The record of the RTP path.
  public var linkRecord: LinkRecord { media.record }

  /// The last session of a sender.
  public func sender(_ index: Int) -> SendSession { senders[index].session }

  /// The last schedule of a sender.
  public func schedule(_ index: Int) -> SendSchedule { senders[index].schedule }

  /// Plays to the end, or until `limit`.
  public mutating func run(until limit: Instant = .distantFuture) {
    while let next = nextInstant, next <= limit {
      now = max(now, next)
      sendDue()
      deliverDue()
      drain()
      if let stop = configuration.stopAt, stop <= now, !hasStopped {
        hasStopped = true
        receiver.stop()
        drain()
      }
      if isOver { break }
    }
    if !receiver.hasOpenStreams { finish() }
  }

  // MARK: Private

  private var isOver: Bool {
    senders.allSatisfy(\.isDone) && media.nextDelivery == nil && reports.nextDelivery == nil
      && nextInjection == configuration.injections.count && !receiver.hasOpenStreams
      && (configuration.stopAt == nil || hasStopped)
  }

  private var nextInstant: Instant? {
    var next: Instant?
    func consider(_ instant: Instant?) {
      if let instant { next = next.map { min($0, instant) } ?? instant }
    }
    for index in senders.indices { consider(senders[index].wake.map { realTime($0, of: index) }) }
    consider(media.nextDelivery)
    consider(reports.nextDelivery)
    consider(back.nextDelivery)
    consider(receiver.nextWake)
    if !hasStopped { consider(configuration.stopAt) }
    if nextInjection < configuration.injections.count { consider(configuration.injections[nextInjection].arrival) }
    return next
  }

  /// When the sender's clock shows `instant`, rounded up.
  private func realTime(_ instant: Instant, of sender: Int) -> Instant {
    let script = configuration.scripts[sender]
    guard script.driftPPM != 0 else { return instant }
    let local = Int128((instant - script.start).nanoseconds)
    let rate = Int128(1_000_000 + script.driftPPM)
    return script.start + .nanoseconds(Int64((local * 1_000_000 + rate - 1) / rate))
  }

  /// What the sender's clock shows now.
  private func localTime(of sender: Int) -> Instant {
    let script = configuration.scripts[sender]
    guard script.driftPPM != 0 else { return now }
    let real = Int128((now - script.start).nanoseconds)
    return script.start + .nanoseconds(Int64(real * Int128(1_000_000 + script.driftPPM) / 1_000_000))
  }

  private mutating func sendDue() {
    // Taken out while it is written to, so that the rest of the world stays accessible.
    var scratch = buffer
    buffer = []
    defer { buffer = scratch }
    for index in senders.indices {
      while let wake = senders[index].wake, realTime(wake, of: index) <= now {
        let local = max(localTime(of: index), wake)
        var span = scratch.mutableSpan
        let output = senders[index].advance(at: local, into: &span)
        switch output {
        case .rtp(let count, let sequence, let timestamp, let duration):
          sendMedia(
            Array(scratch[..<count]), of: index, sequence: sequence, timestamp: timestamp, duration: duration)
        case .rtcp(let count):
          guard darkUntil <= now else { continue }
          let parcel = Parcel(bytes: Array(scratch[..<count]), sender: index, sentIndex: -1)
          reports.send(parcel, bytes: count + 28, at: now)
        case .blackout(let end): darkUntil = max(darkUntil, end)
        case .nothing: break
        }
      }
    }
  }

  private mutating func sendMedia(
    _ bytes: [UInt8], of sender: Int, sequence: UInt16, timestamp: UInt32, duration: Int64
  ) {
    let index = record.sentCount
    var fate: LinkFate?
    if darkUntil <= now {
      let parcel = Parcel(bytes: bytes, sender: sender, sentIndex: index)
      fate = media.send(parcel, bytes: bytes.count + 28, at: now)
    }
    record.sentCount += 1
    guard configuration.keepsRecord else { return }
    record.sent.append(
      WorldRecord.Sent(
        sender: sender, at: now, sequence: sequence, timestamp: timestamp, duration: duration, fate: fate))
  }

  private mutating func deliverDue() {
    while nextInjection < configuration.injections.count, configuration.injections[nextInjection].arrival <= now {
      let injection = configuration.injections[nextInjection]
      nextInjection += 1
      pollPlayout()
      if injection.isRTCP {
        unsafe receiver.handleRTCP(injection.bytes.span.bytes, from: injection.peer, at: now)
      } else {
        record.handedIn += 1
        unsafe receiver.handleRTP(injection.bytes.span.bytes, from: injection.peer, at: now)
      }
      drain()
    }
    while let delivery = media.receive(at: now) {
      var bytes = delivery.payload.bytes
      delivery.corrupt(&bytes)
      pollPlayout()
      if configuration.keepsRecord {
        record.arrivals.append(
          WorldRecord.Arrival(
            sentIndex: delivery.payload.sentIndex, copy: delivery.copy, at: now, handedIn: record.handedIn))
      }
      record.handedIn += 1
      unsafe receiver.handleRTP(bytes.span.bytes, from: Peer(id: UInt32(delivery.payload.sender)), at: now)
      drain()
    }
    while let delivery = reports.receive(at: now) {
      var bytes = delivery.payload.bytes
      delivery.corrupt(&bytes)
      pollPlayout()
      let peer = Peer(id: UInt32(1000 + delivery.payload.sender))
      unsafe receiver.handleRTCP(bytes.span.bytes, from: peer, at: now)
      drain()
    }
    while let delivery = back.receive(at: now) {
      var bytes = delivery.payload.bytes
      delivery.corrupt(&bytes)
      for index in senders.indices { unsafe senders[index].handleRTCP(bytes.span.bytes, at: localTime(of: index)) }
    }
  }

  private mutating func drain() {
    pollPlayout()
    while let (stream, event) = receiver.pollEvent() { record.events.append((stream, event, now)) }
    while let fate = receiver.pollFate() {
      record.fateCount += 1
      if configuration.keepsRecord { record.fates.append(fate) }
    }
    while let due = receiver.nextReport, due <= now {
      var bytes = [UInt8](repeating: 0, count: 1500)
      var span = bytes.mutableSpan
      guard let count = receiver.pollReport(into: &span, at: now) else { break }
      record.receiverReports += 1
      record.longestReceiverReport = max(record.longestReceiverReport, count)
      back.send(Parcel(bytes: Array(bytes[..<count]), sender: 0, sentIndex: -1), bytes: count + 28, at: now)
    }
  }

  private mutating func pollPlayout() {
    while let (stream, decision) = receiver.pollPlayout(at: now) {
      record.decisionCount += 1
      if configuration.keepsRecord { record.playout.append((stream, decision, now)) }
    }
  }

  /// The receiver leaves, and what is on its way back still arrives.
  private mutating func finish() {
    receiver.stop()
    receiver.leave(at: now)
    drain()
    receiver.close()
    drain()
    while let next = back.nextDelivery {
      now = max(now, next)
      deliverDue()
    }
  }
}
