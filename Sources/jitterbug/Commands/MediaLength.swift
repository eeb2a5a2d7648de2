import Media
import Timeline

/// How long the inputs last, for the progress bar.
enum MediaLength {
  /// The length of all audio within `--start` and `--duration`; nil when one doesn't tell, as standard input can't, and
  /// video doesn't.
  static func total(of options: SendOptions, _ inputs: SendInputs) -> Interval? {
    guard !options.isLooping, !inputs.audio.isEmpty else { return options.duration }
    var total = Interval.zero
    for file in inputs.audio {
      guard file != "-", options.raw == nil, let length = length(of: file) else { return options.duration }
      total += length
    }
    total = max(.zero, total - options.start)
    return options.duration.map { min($0, total) } ?? total
  }

  private static func length(of file: String) -> Interval? {
    // Opening a pipe would take its first bytes away.
    guard InputFile.isRegular(file), let input = try? MediaInput(path: file), input.isSeekable else { return nil }
    if input.format == .oggOpus {
      guard var reader = try? input.oggOpusReader() else { return nil }
      return reader.remainingDuration()
    }
    return (try? input.audioSource())?.duration
  }
}

extension OggOpusReader {
  /// Reads to the end and adds up the packets: about a millisecond for a minute of media.
  fileprivate mutating func remainingDuration() -> Interval {
    var units: Int64 = 0
    var payload: [UInt8] = []
    while let packet = try? next(into: &payload) { units += Int64(packet.duration) + max(0, packet.gapBefore) }
    return Interval(units: units, rate: 48_000)
  }
}
