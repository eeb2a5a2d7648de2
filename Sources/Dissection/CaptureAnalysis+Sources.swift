import Packets
import Receiving
import Timeline

/// How sources are found, and how they end.
extension CaptureAnalysis {
  // MARK: Inputs

  /// The capture is over: plays out what is in the buffers, and decides on what is still undecided.
  public mutating func finish(perform: Performer? = nil) {
    for index in states.indices {
      let candidates = states[index].candidates
      states[index].candidates = []
      for candidate in candidates {
        if candidate.verdict(isClockKnown: true, isNamed: states[index].isNamed) == .isStream {
          begin(candidate, in: index, perform: perform)
        } else {
          giveUp(candidate, in: index)
        }
      }
    }
    for place in sources.indices {
      sources[place].session.stop()
      play(place, until: .distantFuture, perform: perform)
      sources[place].session.close()
      while sources[place].session.pollFate() != nil {}
    }
    // A source of which no stream came: its packets never followed each other.
    for place in sources.indices.reversed() where sources[place].session.streams.isEmpty {
      let source = sources.remove(at: place)
      counts.rtp -= source.session.datagrams.rtp
      counts.other += source.session.datagrams.rtp
      list(
        ShortStream(
          flow: source.flow, ssrc: source.ssrc, payloadType: 0, packets: source.session.datagrams.rtp,
          firstFrame: source.firstFrame))
    }
    shortStreams.sort { $0.firstFrame < $1.firstFrame }
  }

  // MARK: Candidates

  /// Takes in a packet of a source that isn't known to be a stream.
  mutating func consider(_ datagram: RawSpan, ssrc: UInt32, in index: Int, at time: Instant, perform: Performer?) {
    guard let packet = try? RTPPacket(parsing: datagram) else { return counts.other += 1 }
    guard sources.count < Self.sourceLimit else { return counts.unfollowed += 1 }
    counts.rtp += 1
    var candidate: Candidate
    if let place = states[index].candidates.firstIndex(where: { $0.ssrc == ssrc }) {
      candidate = states[index].candidates.remove(at: place)
      heldBytes -= candidate.byteCount
      let dropped = candidate.receive(packet.header, bytes: datagram, at: time, number: counts.frames)
      counts.rtp -= dropped
      counts.other += dropped
    } else {
      candidate = Candidate(packet.header, bytes: datagram, at: time, number: counts.frames)
    }
    let isFull = heldBytes > Self.heldLimit
    let isClockKnown = isFull || isLooking(candidate, in: index) || isKnown(candidate.payloadType, in: index)
    if candidate.verdict(isClockKnown: isClockKnown, isNamed: states[index].isNamed) == .isStream {
      return begin(candidate, in: index, perform: perform)
    }
    if states[index].candidates.count >= Self.candidateLimit || (isFull && !states[index].candidates.isEmpty) {
      let oldest = states[index].candidates.removeFirst()
      heldBytes -= oldest.byteCount
      giveUp(oldest, in: index)
    }
    heldBytes += candidate.byteCount
    states[index].candidates.append(candidate)
  }

  /// Whether it is Opus by its looks; what is encrypted looks like anything.
  private func isLooking(_ candidate: Candidate, in index: Int) -> Bool {
    !states[index].hasDTLS && candidate.looksLikeOpus
  }

  private func isKnown(_ type: UInt8, in index: Int) -> Bool {
    PayloadFormat.staticType(type) != nil || configuration.formats.option != nil
      || formats(of: table.flows[index])[type] != nil
  }

  private func formats(of flow: Flow) -> [UInt8: PayloadFormat] {
    texts.formats(of: flow).merging(configuration.formats.described) { $1 }
  }

  private mutating func begin(_ candidate: Candidate, in index: Int, perform: Performer?) {
    let flow = table.flows[index]
    var settings = ReceiveSession.Configuration(ssrc: 0, cname: "", seed: configuration.seed)
    settings.formats = configuration.formats
    settings.formats.described = formats(of: flow)
    if let rate = candidate.clockRate { settings.formats.measured[candidate.payloadType] = rate }
    settings.target = configuration.target
    settings.adaptation = configuration.adaptation
    settings.idleTimeout = Self.idleTimeout
    settings.arrivalLimit = configuration.arrivalLimit
    settings.keepsPayloads = configuration.keepsPayloads
    settings.keepsTimelines = configuration.keepsTimelines
    // Nobody is told: the senders are long gone.
    settings.sendsReports = false
    settings.isEncrypted = states[index].hasDTLS || texts.isEncrypted(flow)
    let place = sources.count
    sources.append(
      Source(
        flow: flow, isReverse: states[index].isReverse, ssrc: candidate.ssrc, firstFrame: candidate.first,
        isEncrypted: settings.isEncrypted, session: ReceiveSession(settings),
        now: .zero))
    work?.found.append(sources[place])
    states[index].sources.append(place)
    places[candidate.ssrc, default: []].append(place)
    states[index].lastSSRC = candidate.ssrc
    states[index].lastSource = place
    for held in candidate.held {
      if held.isControl {
        control(unsafe held.bytes.span.bytes, to: place, at: held.arrival, perform: perform)
      } else {
        deliver(unsafe held.bytes.span.bytes, to: place, at: held.arrival, perform: perform)
      }
    }
  }

  /// A source that never became a stream: worth a line when what else its flow carried doesn't speak against it.
  private mutating func giveUp(_ candidate: Candidate, in index: Int) {
    counts.rtp -= candidate.packets
    counts.other += candidate.packets
    let state = states[index]
    let isAlone = state.alike * 2 > state.datagrams && state.candidates.count < 2
    guard state.isNamed || (isAlone && candidate.isPlain) || !state.sources.isEmpty else { return }
    list(
      ShortStream(
        flow: table.flows[index], ssrc: candidate.ssrc, payloadType: candidate.payloadType,
        packets: candidate.packets, firstFrame: candidate.first))
  }

  private mutating func list(_ stream: ShortStream) {
    shortCount += 1
    if shortStreams.count < Self.shortLimit { shortStreams.append(stream) }
  }

  /// Forgets all flows without a stream: they are too many.
  mutating func forgetFlows() {
    var kept: [FlowState] = []
    var table = FlowTable(seed: configuration.seed)
    for index in states.indices {
      if states[index].sources.isEmpty {
        let candidates = states[index].candidates
        states[index].candidates = []
        for candidate in candidates { giveUp(candidate, in: index) }
      } else {
        _ = table.add(self.table.flows[index])
        kept.append(states[index])
      }
    }
    self.table = table
    states = kept
    heldBytes = states.reduce(0) { $0 + $1.candidates.reduce(0) { $0 + $1.byteCount } }
  }

  // MARK: Beside RTP

  /// Hands RTCP to the sessions of the sources that it speaks of: on the same ports, or on those below.
  mutating func handleRTCP(_ datagram: RawSpan, of flow: Flow, at time: Instant, perform: Performer?) {
    guard var cursor = try? CompoundCursor(validating: datagram) else { return counts.other += 1 }
    counts.rtcp += 1
    var spoken: [UInt32] = []
    while spoken.count < 32, let part = cursor.next(in: datagram) {
      switch try? RTCPPacket(parsing: part, in: datagram) {
      case .senderReport(let report)?: spoken.append(report.ssrc)
      case .sourceDescription(let description)?:
        var items = description.items
        while spoken.count < 32, let item = items.next(in: datagram) {
          if spoken.last != item.ssrc { spoken.append(item.ssrc) }
        }
      case .goodbye(let goodbye)?:
        for index in 0..<goodbye.sourceCount {
          if let ssrc = goodbye.source(index, in: datagram) { spoken.append(ssrc) }
        }
      default: break
      }
    }
    guard !spoken.isEmpty else { return }
    var isDelivered = false
    for media in Self.media(beside: flow) {
      guard let index = table.find(media) else { continue }
      for place in states[index].sources where spoken.contains(sources[place].ssrc) {
        control(datagram, to: place, at: time, perform: perform)
        isDelivered = true
      }
      for place in states[index].candidates.indices where spoken.contains(states[index].candidates[place].ssrc) {
        states[index].candidates[place].receiveControl(datagram, at: time)
        heldBytes += datagram.byteCount
      }
    }
    guard !isDelivered else { return }
    // From a port of its own: between the same hosts the SSRC is enough.
    for ssrc in Set(spoken) {
      for place in places[ssrc] ?? [] where sources[place].flow.isBetweenHosts(of: flow) {
        control(datagram, to: place, at: time, perform: perform)
      }
    }
  }

  private mutating func control(_ datagram: RawSpan, to place: Int, at time: Instant, perform: Performer?) {
    if work != nil { return work?.add(datagram, for: place, isControl: true, at: time) ?? () }
    guard let perform else { return sources[place].takeControl(datagram, at: time) }
    let now = sources[place].advance(to: time)
    play(place, until: now, perform: perform)
    sources[place].session.handleRTCP(datagram, from: Peer(id: 0), at: now)
  }

  /// The flow itself (RFC 5761), and the one with the ports below (RFC 3550 section 11).
  private static func media(beside flow: Flow) -> [Flow] {
    guard flow.source.port > 0, flow.destination.port > 0 else { return [flow] }
    let (source, destination) = (flow.source, flow.destination)
    return [
      flow, Flow(source: source.with(port: source.port - 1), destination: destination.with(port: destination.port - 1)),
    ]
  }

  /// DTLS between the same ends: what they exchange as RTP is SRTP, both ways.
  mutating func noteEncryption(of flow: Flow) {
    for direction in [flow, flow.reversed] {
      // The handshake comes first: the flow has carried nothing else as yet.
      let index = table.find(direction) ?? addFlow(direction)
      states[index].hasDTLS = true
      for place in states[index].sources { sources[place].isEncrypted = true }
    }
  }
}
