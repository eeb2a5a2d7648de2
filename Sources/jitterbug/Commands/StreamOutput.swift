import Buffering
import Codecs
import Media
import Packets
import Playing
import Statistics

/// Makes of one stream's packets what a listener hears, and writes it; without a path for the sake of the figures alone,
/// because what an adaptive buffer does next depends on what could be made of the audio before.
///
/// With an adaptive buffer (`isElastic`) audio is stretched as the buffer wishes, and fades where it breaks off and
/// comes back. With a fixed one every sample is the decoder's.
final class StreamOutput {
  private let sink: StreamSink
  private var decoder: OpusDecoder
  private var audio: PlayoutAudio?
  private let channels: Int
  private var samples: [Int16]
  /// Packets that the decoder refused; their time was concealed.
  private(set) var undecodable = 0
  /// The playout's position in samples at 48 kHz since the first packet.
  private var position: Int64 = 0

  /// Where the next packet begins, as a timestamp, if none is lost; nil when that isn't known.
  private var expected: Int64?
  /// What was concealed since the last packet, in frames; the decoder was marked before.
  private var concealed: Int64 = 0
  /// Concealment that would have come next.
  private var continuation: [Int16] = []

  /// The last packet of a recording of everything: its timestamp, and where it was put.
  private var recorded: (timestamp: Int64, place: Int64) = (0, 0)

  /// Whether silence followed what was concealed.
  private var isSilent = false

  /// What a listener behind a pipe waits too long since lip sync needs less.
  private var surplus = PlayoutSurplus()

  /// How long concealment fades over to what is rebuilt of the packet that it stood in for, in frames: 8 ms.
  private static let crossFade = 384
  /// Room behind a packet for what is put in, in frames: 60 ms.
  private static let stretchRoom = 2880

  init(
    path: String?, format: ReceiveOptions.Format, channels: Int, isElastic: Bool, interrupt: WriteInterrupt
  ) throws(CommandError) {
    sink = try StreamSink(
      path: path, format: format, channels: channels, isElastic: isElastic, interrupt: interrupt)
    self.channels = channels
    samples = [Int16](repeating: 0, count: (OpusDecoder.maximumFrames + Self.stretchRoom) * channels)
    do { decoder = try OpusDecoder(channels: channels) } catch { throw CommandError(error.description) }
    guard isElastic, !sink.takesPackets else { return }
    let audio = PlayoutAudio(sampleRate: 48_000, channels: channels)
    continuation = [Int16](repeating: 0, count: audio.longestJoin * channels)
    self.audio = audio
  }

  /// What is known here of what was heard.
  var account: ListenerAccount {
    ListenerAccount(
      listener: sink.takesPackets ? .packets : .decoded, undecodable: undecodable, resampled: sink.resampledFrames,
      hearsEnd: sink.isLive && !sink.takesPackets)
  }

  /// By what share audio is made longer, because the sender's clock isn't ours.
  var driftCorrection: Double {
    get { sink.driftCorrection }
    set { sink.driftCorrection = newValue }
  }

  /// Plays a packet, without its first `skip` samples; returns by how many samples it has become longer.
  ///
  /// Packets that are written as they are can't be stretched.
  func play(
    _ payload: RawSpan, of packet: BufferedPacket, skip: Int64, stretch: Stretch
  ) throws(CommandError) -> Int64 {
    let duration = packet.duration
    let ahead = endStall(before: packet.timestamp + skip)
    expected = packet.timestamp + duration
    if sink.takesPackets {
      if try !sink.write(packet: payload, at: position - skip) { undecodable += 1 }
      position += duration - skip
      return 0
    }
    var span = samples.mutableSpan
    guard let frames = try? decoder.decode(packet: payload, into: &span) else {
      undecodable += 1
      try conceal(duration - skip)
      try write(from: 0, to: 0)
      return 0
    }
    guard audio != nil else {
      try write(from: Int(skip), to: frames)
      return 0
    }
    if let mode = OpusPacket(parsing: payload)?.mode { audio?.content = mode == .celt ? .music : .speech }
    return try shape(from: Int(skip), to: frames, stretch, after: ahead)
  }

  /// Rebuilds what was lost from the copy in the packet that follows it.
  func recover(from next: RawSpan, duration: Int64) throws(CommandError) {
    position += duration
    guard !sink.takesPackets else { return }
    // The library gives the copy of a whole packet or none; what was filled before it was known is left out.
    let whole = max(duration, Int64(OpusPacket(parsing: next)?.duration ?? 0))
    let fading = endConcealment(before: whole - duration)
    var span = samples.mutableSpan
    guard let frames = try? decoder.decodeFEC(from: next, frames: Int(whole), into: &span) else {
      return try conceal(duration)
    }
    expected = nil
    _ = try shape(from: frames - Int(duration), to: frames, .none, after: fading)
  }

  /// Conceals a gap.
  func fill(concealing duration: Int64) throws(CommandError) {
    position += duration
    guard !sink.takesPackets else { return }
    if audio != nil, concealed == 0 { decoder.mark() }
    concealed += duration
    try conceal(duration)
  }

  /// Leaves a pause.
  func fill(silent duration: Int64) throws(CommandError) {
    position += duration
    guard !sink.takesPackets else { return }
    isSilent = true
    let faded = fade(into: duration)
    try keep(faded)
    let silence = duration - Int64(faded)
    try sink.keep(silence: silence - surplus.take(ofSilence: silence))
  }

  /// Keeps a listener behind a pipe waiting, once there is one; when `duration` is negative what it waited for is left
  /// out of pauses.
  func wait(for duration: Int64) throws(CommandError) {
    guard sink.isLive, !sink.takesPackets, position > 0 || expected != nil else { return }
    try sink.keep(silence: surplus.change(by: duration))
  }

  /// Media is left out: what was heard flows over into what comes next.
  func leaveOut() {
    guard !sink.takesPackets else { return }
    makeTail(for: .jump)
  }

  /// Ends the file; of what was filled in behind the last packet the last `unheard` samples belong to nothing.
  func finish(without unheard: Int? = nil) throws(CommandError) { try sink.finish(without: unheard.map(Int64.init)) }

  /// Writes a packet of a recording of everything, at the place that its timestamp names.
  func record(_ payload: RawSpan, _ entry: RecordingQueue.Entry) throws(CommandError) {
    // What overlaps what is written goes behind it: nothing is left out.
    if !entry.beginsTimeline {
      position = max(position, recorded.place + (entry.packet.timestamp - recorded.timestamp))
    }
    if try !sink.write(packet: payload, at: position) { undecodable += 1 }
    recorded = (entry.packet.timestamp, position)
    position += entry.packet.duration
  }

  // MARK: Private

  /// Writes the frames from `start` to `end`, stretched; returns by how much they have become longer.
  private func shape(
    from start: Int, to end: Int, _ stretch: Stretch, after ahead: Int = 0
  ) throws(CommandError) -> Int64 {
    guard audio != nil, start < end else {
      try write(from: start, to: end)
      return 0
    }
    if start > 0 { for index in 0..<(end - start) * channels { samples[index] = samples[index + start * channels] } }
    let units = end - start
    var span = samples.mutableSpan
    let wish: StretchWish =
      stretch.most > 0
      ? .expand(atMost: Int(stretch.most)) : stretch.most < 0 ? .shrink(atMost: Int(-stretch.most)) : .keep
    let joined = audio?.join(&span, units: units, to: continuation.span.extracting(0..<ahead * channels)) ?? 0
    let change =
      audio?.take(
        &span, units: units + joined, wish: wish, urgency: stretch.isUrgent ? .urgent : .calm,
        preferred: Int(stretch.preferred.magnitude)) ?? 0
    try write(from: 0, to: units + joined + change)
    return Int64(joined + change)
  }

  /// Goes back to before concealment when the packet at `timestamp` was only waited for, and conceals what was really lost.
  ///
  /// Returns how many frames of `continuation` lead over to the packet.
  private func endStall(before timestamp: Int64) -> Int {
    defer { (concealed, isSilent) = (0, false) }
    guard audio != nil, concealed > 0, let expected else { return 0 }
    let lost = timestamp - expected
    guard lost >= 0, lost < concealed else { return 0 }
    var ahead = audio?.joinLength ?? 0
    if ahead > 0 {
      var span = continuation.mutableSpan
      if (try? decoder.conceal(frames: ahead, into: &span)) == nil { ahead = 0 }
    }
    decoder.rewind()
    if lost > 0, lost <= Int64(OpusDecoder.maximumFrames) {
      var span = samples.mutableSpan
      _ = try? decoder.conceal(frames: Int(lost), into: &span)
    }
    return ahead
  }

  /// Goes back to before concealment when a packet is rebuilt of which so many frames were concealed, and conceals what was
  /// really lost before it.
  ///
  /// Returns how many frames of `continuation` lead over to the rest of the packet, and none more: its place is fixed.
  private func endConcealment(before already: Int64) -> Int {
    defer { (concealed, isSilent) = (0, false) }
    let lost = concealed - already
    guard audio != nil, already > 0, lost >= 0, !isSilent else { return 0 }
    var span = continuation.mutableSpan
    let isMade = (try? decoder.conceal(frames: Self.crossFade, into: &span)) != nil
    decoder.rewind()
    if lost > 0, lost <= Int64(OpusDecoder.maximumFrames) {
      var span = samples.mutableSpan
      _ = try? decoder.conceal(frames: Int(lost), into: &span)
    }
    return isMade ? Self.crossFade : 0
  }

  private func conceal(_ duration: Int64) throws(CommandError) {
    var remaining = duration
    while remaining > 0 {
      let frames = Int(min(remaining, Int64(OpusDecoder.maximumFrames)))
      remaining -= Int64(frames)
      var span = samples.mutableSpan
      guard (try? decoder.conceal(frames: frames, into: &span)) != nil else {
        try sink.keep(silence: Int64(frames))
        continue
      }
      _ = audio?.take(&span, units: frames)
      try keep(frames)
    }
  }

  /// Prepares for `duration` of silence; returns how many frames at its beginning still fade out, in `samples`.
  private func fade(into duration: Int64) -> Int {
    guard audio != nil else { return 0 }
    makeTail(for: .silence)
    var span = samples.mutableSpan
    return audio?.silence(&span, units: duration) ?? 0
  }

  /// What would have come next, as the decoder imagines it, fades out.
  private func makeTail(for edge: PlayoutAudio.Edge) {
    guard let frames = audio?.tailLength(for: edge), frames > 0 else { return }
    var span = samples.mutableSpan
    let isMade = (try? decoder.conceal(frames: frames, into: &span)) != nil
    let kept = samples
    audio?.end(with: kept.span.extracting(0..<(isMade ? frames * channels : 0)), at: edge)
  }

  private func keep(_ frames: Int) throws(CommandError) {
    guard frames > 0 else { return }
    let kept = samples
    try sink.keep(kept.span.extracting(0..<frames * channels))
  }

  private func write(from start: Int, to end: Int) throws(CommandError) {
    let kept = samples
    let first = min(start, end)
    let left = surplus.take(of: kept.span.extracting(first * channels..<end * channels), channels: channels)
    try sink.write(kept.span.extracting((first + left) * channels..<end * channels))
  }
}
