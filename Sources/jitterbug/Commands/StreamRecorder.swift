import Buffering
import Media
import Packets
import Receiving
import Statistics
import Timeline

/// Carries out playout decisions for each stream: into its output, if it has one.
///
/// A receiver has one for each output, and one for audio in any case.
final class StreamRecorder {
  private let options: ReceiveOptions
  /// What is written; nil when nothing is.
  private let target: OutputTarget?
  /// Whether everything is meant for this output: nothing else takes what doesn't fit.
  private let isAlone: Bool
  private var outputs: [Int: StreamOutput] = [:]
  /// Players of streams that nothing is written of as they are heard, where the delay adapts: what is reported doesn't
  /// depend on whether there is an output.
  private var listeners: [Int: StreamOutput] = [:]
  /// Outputs of video.
  private var pictures: [Int: PictureOutput] = [:]
  /// H.264's parameter sets of the streams, as they were told beforehand: an output may change hands.
  private var parameterSets: [Int: [[UInt8]]] = [:]
  private var frame: [UInt8] = []
  private var recorded = 0
  /// Packets after which a stream keeps the output: fewer can be a stray or a made-up source.
  private static let significant = 10
  /// Whether the output belongs to a stream that keeps it.
  private var isSettled = false
  /// Streams of a format that can't be written, while they have sent next to nothing.
  private var refused: [Int] = []
  /// What the players of streams that have ended knew.
  private var finished: [Int: ListenerAccount] = [:]
  /// Whether anything was written of a stream that has ended.
  private var hasWritten = false
  /// Why nothing could be written of the last stream of which nothing was.
  private var emptyHanded: String?
  /// Why an output couldn't be written; nothing is recorded any more.
  private(set) var failure: CommandError?
  private let interrupt: WriteInterrupt

  init(_ options: ReceiveOptions, target: OutputTarget?, isAlone: Bool, interrupt: WriteInterrupt) {
    self.options = options
    self.target = target
    self.isAlone = isAlone
    self.interrupt = interrupt
  }

  /// A stream begins: the first one gets the output, later ones a file of their own beside it.
  ///
  /// `parameterSets` are H.264's that were told beforehand.
  func begin(_ stream: ReceiveStream, parameterSets: [[UInt8]]? = nil) {
    if let parameterSets, target?.content.isVideo == true { self.parameterSets[stream.id] = parameterSets }
    do throws(CommandError) {
      try open(stream)
      guard target?.content.isVideo != true else { return }
      let isHeard = outputs[stream.id] != nil && !options.recordsAll
      guard !isHeard, options.buffer.adaptation != nil, stream.format == .opus else {
        return listeners[stream.id] = nil
      }
      listeners[stream.id] = try StreamOutput(
        path: nil, format: .raw, channels: options.channels, isElastic: true, interrupt: interrupt)
    } catch { fail(error) }
  }

  /// What the players know of the streams.
  var accounts: [Int: ListenerAccount] {
    var accounts = finished
    for id in Set(outputs.keys).union(listeners.keys) { accounts[id] = account(of: id) }
    return accounts
  }

  private func account(of id: Int) -> ListenerAccount? {
    guard options.recordsAll, let output = outputs[id] else { return (outputs[id] ?? listeners[id])?.account }
    // What is kept isn't what was heard.
    var account = listeners[id]?.account ?? ListenerAccount()
    account.undecodable = output.undecodable
    return account
  }

  private func open(_ stream: ReceiveStream) throws(CommandError) {
    guard let target, failure == nil else { return }
    guard target.content.takes(stream.format) else {
      guard isAlone else { return }
      // A stray of another format is no reason to give up on what is waited for.
      guard Self.isSignificant(stream) else { return refused.append(stream.id) }
      throw CommandError(target.refusal(of: stream.format))
    }
    if options.isEnding && isWriting { return }
    if options.isEnding { recorded = 0 }
    if target.path == "-" && isWriting { return }
    let name = recorded == 0 || target.path == "-" ? target.path : Self.numbered(target.path, recorded + 1)
    switch target.content {
    case .audio(let format):
      outputs[stream.id] = try StreamOutput(
        path: name, format: format, channels: options.channels, isElastic: options.buffer.adaptation != nil,
        interrupt: interrupt)
    case .video(let encoding):
      pictures[stream.id] = try PictureOutput(
        path: name, encoding: encoding, keepsDamaged: options.keepsDamaged == true,
        parameterSets: parameterSets[stream.id] ?? [], interrupt: interrupt)
    }
    recorded += 1
  }

  /// What to say at the end of an output that no stream went into, while others may have been received.
  var omission: String? {
    guard let target, !isAlone, recorded == 0, failure == nil else { return nil }
    return "nothing was written to \(target.path): no stream of \(target.content.implied) came"
  }

  /// What to say at the end of an output that a stream went into, and of which nothing could be written.
  var emptiness: String? { hasWritten || failure != nil ? nil : emptyHanded }

  /// Notes whether anything was written of a stream that has ended.
  private func note(_ stream: ReceiveStream, isEmpty: Bool) {
    guard isEmpty else { return hasWritten = true }
    guard let target, Self.isSignificant(stream) else { return }
    emptyHanded = "nothing was written to \(target.path): \(Self.reason(of: stream, buffer: options.buffer.target))"
  }

  /// Why nothing could be written of a stream, and what to do.
  private static func reason(of stream: ReceiveStream, buffer: Interval) -> String {
    let discarded = stream.playout.discarded.total
    if discarded > 0, stream.playout.played == 0 {
      return "the stream was taken for \(stream.format), and \(discarded) of its packets weren't: name what it is with "
        + "--format, and a file for that with --output"
    }
    if stream.pictures?.lacksParameterSets == true {
      return "no parameter sets (SPS, PPS) came, without which no frame of \(stream.format) can be decoded: give the "
        + "sender's session description with --sdp, or name what the stream is with --format"
    }
    let hasKeyFrame = stream.pictures?.keyFrames != 0
    guard let pictures = stream.pictures, pictures.late > 0 else {
      let what = hasKeyFrame ? "no frame could be shown" : "no whole key frame of the stream came"
      return "\(what); --damaged keep writes what came"
    }
    let what = hasKeyFrame ? "no frame could be shown" : "no key frame of the stream was whole in time"
    guard pictures.late >= pictures.damaged + pictures.lost else { return "\(what); --damaged keep writes what came" }
    let longer = min(max(200, Int(buffer.milliseconds) * 3), Int(BufferOptions.longest.milliseconds))
    return "\(what), and \(pictures.late) of its \(pictures.expected) frames came whole but too late: choose a longer "
      + "buffer, such as --buffer \(longer)"
  }

  /// Whether nothing could be made of any packet of audio.
  private func isEmpty(_ output: StreamOutput, _ stream: ReceiveStream) -> Bool {
    let refused = output.undecodable + stream.playout.discarded[.invalidPayload]
    return !options.recordsAll && refused > 0 && stream.playout.played <= output.undecodable
  }

  /// Whether frames of video are written, or may be.
  var takesPictures: Bool { failure == nil && target?.content.isVideo == true }

  /// Whether any stream has the output.
  private var isWriting: Bool { !outputs.isEmpty || !pictures.isEmpty }

  /// Whether the stream has sent enough to be what was listened for, and not a stray or a made-up source.
  static func isSignificant(_ stream: ReceiveStream) -> Bool { stream.statistics.unique >= significant }

  /// With one output for the first stream, gives it to another one when the first turns out to be a stray: a few
  /// packets, and then nothing for half a second while the other goes on.
  func reconsider(_ session: borrowing ReceiveSession, at now: Instant) {
    if !refused.isEmpty { refuse(session) }
    guard options.isEnding, !isSettled, let id = outputs.keys.first ?? pictures.keys.first,
      let owner = session.stream(id)
    else { return }
    isSettled = Self.isSignificant(owner)
    guard !isSettled, now - (owner.statistics.lastArrival ?? now) > .milliseconds(500),
      let place = session.streams.lastIndex(where: {
        $0.isOpen && Self.isSignificant($0) && target?.content.takes($0.format) != false
      })
    else { return }
    end(id)
    begin(session.streams[place])
  }

  /// Fails for a stream that can't be written, once it is more than a stray.
  private func refuse(_ session: borrowing ReceiveSession) {
    for id in refused {
      guard let stream = session.stream(id), Self.isSignificant(stream), !isWriting else { continue }
      refused = []
      return begin(stream)
    }
  }

  /// Carries out a decision; returns by how many units a packet has become longer, nil when nobody heard it.
  func perform(_ decision: PlayoutDecision, of id: Int, in session: borrowing ReceiveSession) -> Int64? {
    // A recording of everything that arrived has its own order.
    guard let output = options.recordsAll ? listeners[id] : outputs[id] ?? listeners[id] else { return nil }
    do throws(CommandError) { return try output.perform(decision, of: id, in: session) } catch { fail(error) }
    return nil
  }

  /// Writes the frames of a stream whose time has come.
  func showFrames(of id: Int, in session: inout ReceiveSession) {
    guard let output = pictures[id] else { return }
    do throws(CommandError) {
      while let due = session.pollFrame(of: id, into: &frame) { try output.write(due, frame.span.bytes) }
    } catch { fail(error) }
  }

  /// The same of all streams.
  func showFrames(in session: inout ReceiveSession) {
    for id in pictures.keys { showFrames(of: id, in: &session) }
  }

  /// From now on a stream is played so much later, or earlier; who listens behind a pipe has to be kept waiting, or less.
  ///
  /// Where the buffer adapts it sees to that itself. A file has no time but that of its media.
  func wait(for delay: Interval, _ id: Int, in session: borrowing ReceiveSession) {
    guard delay != .zero, options.buffer.adaptation == nil, let output = outputs[id] else { return }
    do throws(CommandError) { try output.wait(for: delay.units(rate: 48_000)) } catch { fail(error) }
  }

  /// Writes what has come and has its turn; of a stream that has ended (`isLastOf`, or all with `isLast`) everything.
  func recordAll(_ session: inout ReceiveSession, at now: Instant, isLastOf ended: Int? = nil, isLast: Bool = false) {
    for (id, output) in outputs where ended == nil || ended == id {
      do throws(CommandError) {
        while let entry = session.pollRecording(of: id, at: now, isLast: isLast || ended == id) {
          try session.withRecordedPayload(of: id, in: entry.slot) { (payload) throws(CommandError) in
            try output.record(payload, entry)
          }
        }
      } catch { fail(error) }
    }
  }

  /// A stream's output ends, after the stream has; or without it, when another one gets the output.
  func end(_ id: Int, after stream: ReceiveStream? = nil) {
    refused.removeAll { $0 == id }
    if stream != nil { parameterSets[id] = nil }
    let (output, listener) = (outputs[id], listeners[id])
    let unheard = stream?.playout.samples?.end.total
    do throws(CommandError) {
      try output?.finish(without: unheard)
      try listener?.finish(without: unheard)
    } catch { fail(error) }
    if let output, let stream { note(stream, isEmpty: isEmpty(output, stream)) }
    if let picture = pictures.removeValue(forKey: id) {
      do throws(CommandError) { try picture.finish() } catch { fail(error) }
      if let stream { note(stream, isEmpty: picture.isEmpty) }
    }
    if output != nil || listener != nil { finished[id] = account(of: id) }
    outputs[id] = nil
    listeners[id] = nil
  }

  func endAll(_ session: borrowing ReceiveSession) {
    for id in Set(outputs.keys).union(listeners.keys).union(pictures.keys).sorted() {
      if let stream = session.stream(id) { end(id, after: stream) }
    }
  }

  /// What can't be written any more is closed as it is.
  private func fail(_ error: CommandError) {
    failure = failure ?? error
    outputs.removeAll()
    listeners.removeAll()
    pictures.removeAll()
  }

  /// `heard.wav` becomes `heard-2.wav`.
  private static func numbered(_ path: String, _ number: Int) -> String {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "\(path)-\(number)" }
    return "\(path[..<dot])-\(number)\(path[dot...])"
  }
}

extension StreamOutput {
  /// Carries out a decision; returns by how many units a packet has become longer, nil when it was about none.
  func perform(
    _ decision: PlayoutDecision, of id: Int, in session: borrowing ReceiveSession
  ) throws(CommandError) -> Int64? {
    switch decision {
    case .play(let packet, let slot, let skip):
      let stretch = session.stretch(of: id)
      driftCorrection = session.driftCorrection(of: id)
      return try session.withPayload(of: id, in: slot) { (payload) throws(CommandError) in
        try play(payload, of: packet, skip: skip, stretch: stretch)
      }
    case .recover(let slot, let duration):
      try session.withPayload(of: id, in: slot) { (payload) throws(CommandError) in
        try recover(from: payload, duration: duration)
      }
    case .conceal(let duration): try fill(concealing: duration)
    case .silence(let duration): try fill(silent: duration)
    case .discard: leaveOut()
    case .wait, .ended: break
    }
    return nil
  }
}
