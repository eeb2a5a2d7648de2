import Packets
import Sockets
import Timeline

/// How the datagrams of a stream get to its destinations: gathered, through the link, and what becomes of each.
extension Sender {
  /// Sends a datagram, or keeps it with others that are due until `flush`.
  func transmit(_ bytes: RawSpan, of stream: SendStream, isControl: Bool, at now: Instant) {
    if link != nil {
      let tag = streams.firstIndex { $0 === stream } ?? 0
      link?.send(bytes, isControl: isControl, tag: UInt32(tag), at: now)
      return deliver(at: now)
    }
    guard gathers, !isControl else {
      flush(stream)
      return send(bytes, of: stream, isControl: isControl)
    }
    if stream.batch.append(bytes) { return }
    flush(stream)
    if !stream.batch.append(bytes) { send(bytes, of: stream, isControl: isControl) }
  }

  /// Hands on what has come out of the link.
  func deliver(at now: Instant) {
    while let (item, _) = link?.receive(at: now) {
      send(item.bytes.span.bytes, of: streams[Int(item.tag)], isControl: item.isControl)
    }
  }

  private func send(_ bytes: RawSpan, of stream: SendStream, isControl: Bool) {
    var isTaken = false
    for destination in stream.destinations {
      guard destination.failure == nil else { continue }
      var outcome = destination.send(bytes, isControl: isControl)
      if outcome == .full { outcome = waitForRoom(destination, bytes, isControl) }
      isTaken = isTaken || outcome == .sent
    }
    if !isTaken, !isControl { stream.noteRefused(payloadBytes: max(bytes.byteCount - RTPHeader.size, 0)) }
  }

  /// Sends what was gathered of a stream, to every destination; each packet has a fate of its own.
  func flush(_ stream: SendStream) {
    let count = stream.batch.count
    guard count > 0 else { return }
    // A bit a datagram: whether any destination took it.
    var taken: UInt64 = 0
    for destination in stream.destinations {
      var index = 0
      while index < count, destination.failure == nil {
        let sent = destination.send(stream.batch, from: index)
        for place in index..<index + sent.taken { taken |= 1 << UInt64(place) }
        index += sent.taken
        guard index < count else { break }
        if sent.next == .full {
          let outcome = stream.batch.withBytes(at: index) { waitForRoom(destination, $0, false) }
          if outcome == .sent { taken |= 1 << UInt64(index) }
        }
        index += 1
      }
    }
    for index in 0..<count where taken & 1 << UInt64(index) == 0 {
      stream.noteRefused(payloadBytes: max(stream.batch.size(at: index) - RTPHeader.size, 0))
    }
    stream.batch.removeAll()
  }

  /// A full socket: at full speed the datagram waits, in real time it would be late and is given up.
  private func waitForRoom(
    _ destination: Destination, _ bytes: RawSpan, _ isControl: Bool
  ) -> Destination.Outcome {
    var outcome = Destination.Outcome.full
    guard options.speed == nil, var pause = try? EventLoop(),
      (try? pause.add(signals.descriptor, token: 0, read: true, write: false)) != nil
    else {
      destination.noteOverflow()
      return outcome
    }
    var woken: [ReadyEvent] = []
    // A signal ends the wait and stays to be read by the main loop.
    for _ in 0..<5_000 where outcome == .full && woken.isEmpty {
      try? pause.wait(until: MonotonicClock.now() + .milliseconds(1), into: &woken)
      outcome = destination.send(bytes, isControl: isControl)
    }
    hasSignal = hasSignal || !woken.isEmpty
    if outcome == .full { destination.noteOverflow() }
    return outcome
  }
}
