import Codecs
import Glibc
import Media
import Packets
import Racing
import Reporting
import Timeline

/// Cuts what each lane's listener heard into clips for the page.
///
/// All lanes get the same stretches of the media: the whole where it is short, and the worst moments of all lanes.
struct RaceClips {
  private let outcome: RaceOutcome
  private let deadline: RaceDeadline
  private let channels: Int
  private let place: RaceFolder

  /// Up to here the whole is a clip.
  private static let whole = Interval.seconds(60)
  /// Up to here a clip has a WAV beside its Opus, for players that know no Opus.
  private static let longestWAV = Interval.seconds(30)
  /// How long a worst moment is.
  private static let moment = Interval.seconds(6)

  init(_ outcome: RaceOutcome, _ deadline: RaceDeadline, channels: Int, in place: RaceFolder) {
    self.outcome = outcome
    self.deadline = deadline
    self.channels = channels
    self.place = place
  }

  /// Adds the clips to the lanes of a report; what can't be cut is left out.
  func add(to report: inout RaceReport) {
    guard place.isHeard else { return }
    let windows = windows(of: report)
    for (index, result) in outcome.lanes.enumerated() {
      guard let path = result.listener.files.wav, let sound = WAVSamples(path: path, channels: channels) else {
        continue
      }
      for (number, window) in windows.enumerated() {
        if let clip = clip(of: result.listener, window, from: sound, number: number) {
          report.lanes[index].clips.append(clip)
        }
      }
    }
  }

  // MARK: Where

  private struct Window {
    var title: String
    var start: Interval
    var end: Interval
  }

  private func windows(of report: RaceReport) -> [Window] {
    guard let end = report.lanes.compactMap(\.packets.last).map(\.sentAt).max().map({ $0 + report.packetInterval })
    else { return [] }
    var result: [Window] = []
    if end <= Self.whole { result.append(Window(title: "the whole", start: .zero, end: end)) }
    guard end > Self.moment * 2 else { return result }
    var taken: [Interval] = []
    for title in ["the worst moment", "the second worst"] {
      guard let start = worst(report, end: end, besides: taken) else { break }
      taken.append(start)
      result.append(Window(title: title, start: start, end: min(start + Self.moment, end)))
    }
    return result
  }

  /// Where most packets were missing, in all lanes together, in steps of half a second; nil where none were.
  private func worst(_ report: RaceReport, end: Interval, besides taken: [Interval]) -> Interval? {
    let step = Interval.milliseconds(500)
    let count = Int(end.nanoseconds / step.nanoseconds) + 1
    var missing = [Int](repeating: 0, count: count + 1)
    for lane in report.lanes where lane.transport != .control {
      for packet in lane.packets where packet.fate != .onTime {
        missing[min(Int(packet.sentAt.nanoseconds / step.nanoseconds), count)] += 1
      }
    }
    let width = Int(Self.moment.nanoseconds / step.nanoseconds)
    var best: (start: Interval, missing: Int)?
    for first in 0...max(0, count - width) {
      let start = step * Int64(first)
      guard !taken.contains(where: { start < $0 + Self.moment && $0 < start + Self.moment }) else { continue }
      let sum = missing[first..<min(first + width, missing.count)].reduce(0, +)
      if sum > best?.missing ?? 0 { best = (start, sum) }
    }
    return best?.start
  }

  // MARK: What

  private func clip(of listener: RaceListener, _ window: Window, from sound: WAVSamples, number: Int) -> AudioClip? {
    let rate = RaceStream.clockRate
    let timeline = RaceSoundline(listener)
    guard let first = timeline.position(of: window.start), let last = timeline.position(of: window.end) else {
      return nil
    }
    let start = max(0, first)
    let samples = sound.read(from: start, to: last)
    guard !samples.isEmpty else { return nil }
    var clip = AudioClip(
      title: window.title, start: window.start,
      duration: Interval(units: Int64(samples.count / channels), rate: rate))
    for gap in timeline.gaps where gap.end > start && gap.start < last {
      let begin = max(gap.start, start)
      clip.gaps.append(
        AudioClip.Gap(
          start: Interval(units: begin - start, rate: rate),
          duration: Interval(units: min(gap.end, last) - begin, rate: rate), fate: LaneFate(gap.fate)))
    }
    let floats = samples.map { Float($0) / 32_768 }
    clip.envelope = AudioClip.envelope(of: floats, pieces: 900)
    clip.oggOpus = opus(floats, name: "clip\(number)")
    if clip.duration <= Self.longestWAV { clip.wav = wav(samples) }
    return clip
  }

  /// The samples as an Ogg Opus file.
  private func opus(_ samples: [Float], name: String) -> [UInt8]? {
    guard let path = place.temporary(name) else { return nil }
    defer { unlink(path) }
    var settings = OpusSettings()
    settings.channels = channels
    settings.bitrate = 32_000 * channels
    do {
      var pipeline = try EncodingPipeline(settings, rate: 48_000, channels: channels)
      let head = OpusHead(channels: channels, preSkip: pipeline.lookahead, inputSampleRate: 48_000)
      var writer = try OggOpusWriter(output: try OutputFile(path: path), head: head, serial: 0x6a62_7261)
      try pipeline.push(samples.span)
      try pipeline.finish()
      var bytes = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
      var time: Int64 = 0
      var span = bytes.mutableSpan
      while let packet = try pipeline.pop(into: &span) {
        _ = try writer.write(span.bytes.extracting(first: packet.byteCount), at: time)
        time += Int64(packet.frames)
      }
      try writer.finish(discardAtEnd: max(0, Int(time) - pipeline.lookahead - samples.count / channels))
      return try InputFile.read(path: path, limit: 64 << 20)
    } catch { return nil }
  }

  /// The samples as a small WAV file, one channel at 16 kHz, for players that know no Opus.
  private func wav(_ samples: [Int16]) -> [UInt8] {
    let step = 3 * channels
    let count = samples.count / step
    var bytes: [UInt8] = []
    func add(_ value: Int, _ size: Int) { for place in 0..<size { bytes.append(UInt8(value >> (8 * place) & 0xff)) } }
    bytes += Array("RIFF".utf8)
    add(36 + count * 2, 4)
    bytes += Array("WAVEfmt ".utf8)
    add(16, 4)
    add(1, 2)
    add(1, 2)
    add(16_000, 4)
    add(32_000, 4)
    add(2, 2)
    add(16, 2)
    bytes += Array("data".utf8)
    add(count * 2, 4)
    for index in 0..<count {
      let sum = samples[index * step..<(index + 1) * step].reduce(0) { $0 + Int($1) }
      add(sum / step, 2)
    }
    return bytes
  }
}

/// Where the media lies in what a listener heard.
struct RaceSoundline {
  /// A stretch of it that isn't the sender's sound, in samples.
  struct Gap {
    var start: Int64
    var end: Int64
    var fate: RaceFate
  }

  private let listener: RaceListener
  private let frames: [RaceStream.Frame]

  init(_ listener: RaceListener) {
    self.listener = listener
    frames = listener.receiver.stream.frames
  }

  /// Where the media of an instant is, in samples, by the last packet before it that was played; before the first one
  /// by that; nil when nothing was.
  func position(of time: Interval) -> Int64? {
    let media = time.units(rate: RaceStream.clockRate)
    var known: (place: Int64, time: Int64)?
    for (index, place) in listener.places.enumerated() {
      guard let place else { continue }
      if known != nil, frames[index].time > media { break }
      known = (place, frames[index].time)
    }
    return known.map { $0.place + media - $0.time }
  }

  /// What was concealed or rebuilt; of a waiting player where it stood still.
  var gaps: [Gap] {
    var result: [Gap] = []
    var next: Int64?
    for (index, frame) in frames.enumerated() {
      let place = listener.places[index]
      if listener.waiting != nil {
        if let place, let next, place > next { result.append(Gap(start: next, end: place, fate: .late)) }
        next = place.map { $0 + frame.duration } ?? next
        continue
      }
      let start = place ?? next ?? 0
      next = start + frame.duration
      // What was heard decides here: a lane's player has its own clock, set by its own first packet.
      let fate = listener.receiver.fate(of: index, by: .playout)
      guard fate != .onTime, place != nil || index > 0 else { continue }
      if let last = result.last, last.end == start, last.fate == fate {
        result[result.count - 1].end = start + frame.duration
      } else {
        result.append(Gap(start: start, end: start + frame.duration, fate: fate))
      }
    }
    return result
  }
}

/// The samples of a WAV file of ours: 16 bits, after a header of 44 bytes.
struct WAVSamples {
  private let bytes: [UInt8]
  private let channels: Int
  private static let header = 44

  init?(path: String, channels: Int) {
    // An hour of stereo.
    guard let bytes = try? InputFile.read(path: path, limit: 700 << 20), bytes.count > Self.header else { return nil }
    self.bytes = bytes
    self.channels = channels
  }

  /// The samples of a range of frames, as far as there are any.
  func read(from start: Int64, to end: Int64) -> [Int16] {
    let size = 2 * channels
    let count = (bytes.count - Self.header) / size
    let first = min(max(Int(start), 0), count)
    let last = min(max(Int(end), first), count)
    return (first * channels..<last * channels).map { index in
      let place = Self.header + 2 * index
      return Int16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8)
    }
  }
}
