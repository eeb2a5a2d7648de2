import Buffering
import Codecs
import Media
import Packets
import Racing
import Receiving
import Reporting
import Statistics
import Timeline

/// Who listens at the end of a lane: the real receiver, and the files with what it hears.
///
/// With a waiting player the receiver still keeps its account, but what is heard is the waiting player's.
final class RaceListener {
  /// Where a lane's sound goes.
  struct Files {
    var wav: String?
    var opus: String?
  }

  let kind: RaceLaneKind
  private(set) var receiver: LaneReceiver
  private(set) var waiting: WaitingPlayer?
  /// Where in the WAV file each packet's sound begins, in samples; nil for one that wasn't played.
  private(set) var places: [Int64?]
  let files: Files
  /// What the player knows, once it is closed.
  private(set) var account = ListenerAccount()
  private(set) var failure: CommandError?

  private var sound: StreamOutput?
  private var packets: StreamOutput?
  private var position: Int64 = 0
  /// Where the last packet played ends: in the media, and in what was heard.
  private var lastEnd: (time: Int64, position: Int64)?
  /// What was concealed behind the last packet that came for packets that were due and never did, beyond what the
  /// receiver counts, in ticks.
  private(set) var concealedAtEnd: Int64 = 0
  /// What the player made up behind the end of the media, in ticks: it belongs to nothing.
  private var unheard: Int64 = 0
  /// The packet that the waiting player plays next.
  private var next = 0
  /// Packets that came before their turn, for the waiting player.
  private var early: [Int: [UInt8]] = [:]

  init(
    _ kind: RaceLaneKind, receiver: LaneReceiver, waitsWith buffer: Interval?, files: Files, channels: Int,
    isElastic: Bool, interrupt: WriteInterrupt
  ) throws(CommandError) {
    self.kind = kind
    self.receiver = receiver
    self.files = files
    waiting = buffer.map(WaitingPlayer.init)
    places = Array(repeating: nil, count: receiver.packets.count)
    sound = try files.wav.map { (path) throws(CommandError) in
      try StreamOutput(
        path: path, format: .wav, channels: channels, isElastic: isElastic && buffer == nil, interrupt: interrupt)
    }
    packets = try files.opus.map { (path) throws(CommandError) in
      try StreamOutput(path: path, format: .opus, channels: channels, isElastic: false, interrupt: interrupt)
    }
  }

  /// Plays up to `limit`, everything that arrived by then having been taken in.
  func play(until limit: Instant) {
    while let (id, decision) = receiver.pollPlayout(until: limit) {
      if let change = perform(decision, of: id, in: receiver) { receiver.settleStretch(of: id, by: change) }
    }
  }

  /// Takes in a datagram, after playing up to its arrival.
  func take(_ datagram: [UInt8], at arrival: Instant) {
    play(until: arrival)
    guard let index = receiver.receive(datagram.span.bytes, at: arrival), waiting != nil else { return }
    early[index] = Array(datagram.dropFirst(RTPHeader.size))
    while let payload = early.removeValue(forKey: next) {
      wait(for: next, payload)
      next += 1
    }
  }

  /// Nothing more comes: plays the rest, conceals up to the end of the first `due` packets, and closes the files.
  func finish(at end: Instant, due: Int) {
    play(until: end)
    receiver.stop()
    play(until: .distantFuture)
    concealEnd(due: due)
    close()
  }

  /// Plays a lane of the virtual clock to its end.
  func play(_ lane: consuming VirtualLane) -> VirtualLane {
    var lane = lane
    while let (id, decision) = lane.pollPlayout() {
      if let change = perform(decision, of: id, in: lane.receiver) { lane.settleStretch(of: id, by: change) }
    }
    receiver = lane.receiver
    concealEnd(due: receiver.packets.count)
    close()
    return lane
  }

  // MARK: Private

  /// Carries out a decision; returns by how much a packet has become longer.
  private func perform(_ decision: PlayoutDecision, of id: Int, in receiver: borrowing LaneReceiver) -> Int64? {
    guard waiting == nil else { return nil }
    do throws(CommandError) {
      _ = try packets?.perform(decision, of: id, in: receiver.session)
      let change = try sound?.perform(decision, of: id, in: receiver.session) ?? nil
      switch decision {
      case .play(let packet, _, let skip):
        let index = receiver.lastPlayed
        if let index { places[index] = position }
        position += packet.duration - skip + (change ?? 0)
        if let frame = index.map({ receiver.stream.frames[$0] }) {
          lastEnd = (frame.time + frame.duration, position)
        }
      case .recover(_, let duration), .conceal(let duration), .silence(let duration): position += duration
      case .discard, .wait, .ended: break
      }
      return change
    } catch { fail(error) }
    return nil
  }

  private func wait(for index: Int, _ payload: [UInt8]) {
    let frame = receiver.stream.frames[index]
    let rate = RaceStream.clockRate
    let before = index > 0 ? receiver.stream.frames[index - 1] : frame
    let gap = index > 0 ? max(0, frame.time - before.time - before.duration) : 0
    guard let arrival = receiver.packets[index].arrival,
      let pause = waiting?.take(
        time: Interval(units: frame.time, rate: rate), duration: Interval(units: frame.duration, rate: rate),
        arrival: arrival)
    else { return }
    let silence = pause.units(rate: rate) + gap
    let packet = BufferedPacket(
      sequence: Int64(index), timestamp: frame.time, duration: frame.duration, arrival: arrival)
    do throws(CommandError) {
      if silence > 0 {
        try sound?.fill(silent: silence)
        try packets?.fill(silent: silence)
      }
      position += silence
      places[index] = position
      _ = try sound?.play(payload.span.bytes, of: packet, skip: 0, stretch: .none)
      _ = try packets?.play(payload.span.bytes, of: packet, skip: 0, stretch: .none)
      position += frame.duration
    } catch { fail(error) }
  }

  /// The receiver can't know of packets that were sent after the last that came; who listens hears them missing.
  private func concealEnd(due: Int) {
    guard waiting == nil, let lastEnd, due > 0, due <= receiver.stream.frames.count else { return }
    let last = receiver.stream.frames[due - 1]
    let missing = last.time + last.duration - lastEnd.time - (position - lastEnd.position)
    // The receiver doesn't count what it made up after the last packet that came.
    let uncounted = receiver.session.streams.first?.playout.samples?.end.total ?? 0
    concealedAtEnd = max(0, missing + Int64(uncounted))
    unheard = max(0, -missing)
    guard missing > 0 else { return }
    do throws(CommandError) {
      for start in stride(from: 0, to: missing, by: 960) {
        let duration = min(960, missing - start)
        try sound?.fill(concealing: duration)
        try packets?.fill(concealing: duration)
      }
      position += missing
    } catch { fail(error) }
  }

  private func close() {
    do throws(CommandError) {
      account = sound?.account ?? ListenerAccount()
      // Where nothing is known of the end, what was made up behind the last packet is left out.
      try sound?.finish(without: lastEnd == nil ? nil : Int(unheard))
      try packets?.finish()
    } catch { fail(error) }
    sound = nil
    packets = nil
  }

  private func fail(_ error: CommandError) {
    failure = failure ?? error
    sound = nil
    packets = nil
  }
}
