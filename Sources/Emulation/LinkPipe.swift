internal import CLinux
import Glibc
import Impairment
import Sockets
import Statistics
import Timeline

/// One direction of a lane: frames are read on one interface, judged by the link, and handed over on the other.
///
/// For one thread, the forwarder's.
final class LinkPipe {
  let lane: Int
  let direction: LinkDirection
  /// The socket on the interface where packets come in.
  let input: OpenFile
  private let output: OpenFile
  private var link: Link<Int32>
  private var control: Link<Int32>
  /// Says when outages begin; nil where they do with the first packet, or have been told.
  private var outageClock: OutageClock?
  private let controlPorts: [UInt16]
  private var record = DirectionRecord()

  private let pool: FramePool
  private let incoming: UnsafeMutablePointer<clinux_frame>
  private var incomingSlots: [Int32]
  private let outgoing: UnsafeMutablePointer<clinux_frame>
  private var departures: [Departure] = []

  /// A copy that is handed over in this turn.
  private struct Departure {
    var slot: Int32
    var kind: FrameKind
    var index: UInt64 = 0
    var copy = 0
    var due: Instant
  }

  private static let batch = Int(CLINUX_FRAMES)

  init(
    _ spec: LaneSpec, lane: Int, _ direction: LinkDirection, from input: OpenFile, to output: OpenFile, pool: FramePool,
    outageClock: OutageClock?
  ) {
    self.lane = lane
    self.direction = direction
    self.input = input
    self.output = output
    self.pool = pool
    controlPorts = spec.controlPorts
    // Of each lane the same numbers, so that equal specs have equal weather.
    let stream: UInt64 = direction == .down ? 0 : 2
    link = Link(spec.spec(direction), stream: stream)
    control = Link(spec.spec(direction).withoutReplay, stream: stream + 1)
    self.outageClock = outageClock
    if outageClock != nil {
      link.beginOutages(at: .distantFuture)
      control.beginOutages(at: .distantFuture)
    }
    incoming = .allocate(capacity: Self.batch)
    outgoing = .allocate(capacity: Self.batch)
    incomingSlots = (0..<Self.batch).map { _ in pool.take() }
    for (index, slot) in incomingSlots.enumerated() {
      incoming[index] = clinux_frame(
        bytes: pool.bytes(of: slot), size: UInt32(FramePool.slotSize), has_time: 0, realtime: 0)
      outgoing[index] = clinux_frame()
    }
    departures.reserveCapacity(Self.batch)
  }

  deinit {
    incoming.deallocate()
    outgoing.deallocate()
  }

  /// When the next copy is due.
  var nextDelivery: Instant? { Instant.earliest(link.nextDelivery, control.nextDelivery) }

  /// Copies that are under way.
  var inFlight: Int { Int(link.record.inFlight + control.record.inFlight) }

  /// Hands over what is due by `now`, and returns how much that was.
  func deliver(at now: Instant, _ pen: inout JournalPen?) -> Int {
    var count = 0
    while count < 4 * Self.batch, let next = nextDelivery, next <= now {
      let isControl = (control.nextDelivery ?? .distantFuture) < (link.nextDelivery ?? .distantFuture)
      guard let delivery = isControl ? control.receive(at: now) : link.receive(at: now) else { break }
      depart(
        Departure(
          slot: delivery.payload, kind: isControl ? .control : .judged, index: delivery.sentIndex, copy: delivery.copy,
          due: delivery.deliveredAt), &pen)
      count += 1
    }
    flush(&pen)
    return count
  }

  /// Takes in what has come, and returns how much that was.
  func read(at now: Instant, by clock: ClockOffset, _ pen: inout JournalPen?) -> Int {
    var total = 0
    while total < 4 * Self.batch {
      let count = Int(clinux_frames_read(input.raw, incoming, CInt(Self.batch)))
      guard count > 0 else { break }
      for index in 0..<count {
        let frame = incoming[index]
        let arrival = frame.has_time != 0 ? clock.instant(unixNanoseconds: frame.realtime) : now
        take(index, size: Int(frame.size), arrival: arrival, &pen)
        incoming[index].size = UInt32(FramePool.slotSize)
      }
      total += count
      if count < Self.batch { break }
    }
    flush(&pen)
    return total
  }

  /// What was done so far.
  func currentRecord() -> DirectionRecord {
    record.link = link.record
    record.control = control.record
    var drops: UInt32 = 0
    if clinux_packet_drops(input.raw, &drops) == 0 { record.missed += Int(drops) }
    return record
  }

  private func take(_ index: Int, size: Int, arrival: Instant, _ pen: inout JournalPen?) {
    guard size <= FramePool.slotSize else {
      record.oversized += 1
      return
    }
    let slot = incomingSlots[index]
    let bytes = UnsafeBufferPointer(start: pool.bytes(of: slot), count: size)
    let kind = FrameKind(bytes.span.bytes, controlPorts: controlPorts)
    let packetSize = max(0, size - FrameKind.header)
    if let begin = outageClock?.instant {
      link.beginOutages(at: begin)
      control.beginOutages(at: begin)
      outageClock = nil
    }
    var event = PacketEvent(
      lane: lane, direction: direction, isControl: kind == .control, kind: .passed, time: arrival, index: 0,
      bytes: packetSize)
    var copies = 1
    if kind == .passed {
      record.passed += 1
      pen?.write(event, bytes)
    } else {
      let fate =
        kind == .control
        ? control.send(slot, bytes: packetSize, at: arrival) : link.send(slot, bytes: packetSize, at: arrival)
      event.kind = .offered(fate)
      event.index = fate.index
      pen?.write(event, bytes)
      guard fate.copies > 0 else { return }
      copies = fate.copies
      if let bit = fate.corruptedBit { pool.bytes(of: slot)[FrameKind.header + bit / 8] ^= 0x80 >> UInt8(bit % 8) }
    }
    pool.hold(slot, size: size, copies: copies)
    incomingSlots[index] = pool.take()
    incoming[index].bytes = pool.bytes(of: incomingSlots[index])
    if kind == .passed { depart(Departure(slot: slot, kind: .passed, due: arrival), &pen) }
  }

  private func depart(_ departure: Departure, _ pen: inout JournalPen?) {
    outgoing[departures.count].bytes = pool.bytes(of: departure.slot)
    outgoing[departures.count].size = UInt32(pool.size(of: departure.slot))
    departures.append(departure)
    if departures.count == Self.batch { flush(&pen) }
  }

  private func flush(_ pen: inout JournalPen?) {
    guard !departures.isEmpty else { return }
    let now = MonotonicClock.now()
    send()
    for departure in departures {
      let size = pool.size(of: departure.slot)
      if departure.kind != .passed {
        record.lateness.record(now - departure.due)
        let event = PacketEvent(
          lane: lane, direction: direction, isControl: departure.kind == .control,
          kind: .delivered(copy: departure.copy, due: departure.due), time: now, index: departure.index,
          bytes: size - FrameKind.header)
        pen?.write(event, UnsafeBufferPointer(start: pool.bytes(of: departure.slot), count: size))
      }
      pool.release(departure.slot)
    }
    departures.removeAll(keepingCapacity: true)
  }

  private func send() {
    var sent = 0
    var tries = 0
    while sent < departures.count {
      let result = Int(clinux_frames_write(output.raw, outgoing + sent, CInt(departures.count - sent)))
      if result > 0 {
        sent += result
      } else if result < 0 {
        // The first of them is refused for good.
        record.refused += 1
        sent += 1
      } else {
        tries += 1
        guard tries < 20 else {
          record.refused += departures.count - sent
          return
        }
        var wanted = pollfd(fd: output.raw, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, 1)
      }
    }
  }
}

/// A descriptor that several hold; it is closed when the last of them lets it go.
final class OpenFile: Sendable {
  let raw: CInt

  init(owning raw: CInt) { self.raw = raw }

  deinit { close(raw) }
}
