public import Timeline

/// What a receiver shows of one stream while it runs.
public struct LiveStream: Sendable {
  /// A short name: the source identifier, or where it comes from.
  public var name: String
  /// Time since the stream's first packet.
  public var elapsed = Interval.zero
  /// Sequence numbers expected so far.
  public var expected = 0
  /// Sequence numbers received so far.
  public var unique = 0
  /// Sequence numbers lost so far.
  public var lost = 0
  /// Packets too late to play.
  public var late = 0
  /// Packets that came again.
  public var duplicates = 0
  /// Packets out of order.
  public var reordered = 0
  /// The interarrival jitter in milliseconds.
  public var jitter = 0.0
  /// The buffer's level in milliseconds.
  public var bufferLevel = 0.0
  /// The delay that the buffer aims at, in milliseconds; nil where it is fixed.
  public var target: Double?
  /// Milliseconds of audio inserted and removed in the last second.
  public var stretched = (longer: 0.0, shorter: 0.0)
  /// Times that there was nothing to play.
  public var underruns = 0
  /// Frames shown and expected, and how often the picture froze; nil where there are no frames.
  public var frames: (shown: Int, expected: Int, freezes: Int)?
  /// Bits a second over the last second.
  public var bitrate = 0.0
  /// The loss of the last seconds.
  public var history = LossHistory()

  /// Starts with nothing received.
  public init(name: String) { self.name = name }
}

/// What a sender shows while it runs.
public struct LiveSender: Sendable {
  /// A short name: the destination, or the file being sent.
  public var name: String
  /// Time since the first packet.
  public var elapsed = Interval.zero
  /// The length of all the media; nil when it isn't known.
  public var total: Interval?
  /// Packets sent so far.
  public var packets = 0
  /// Bits a second over the last second.
  public var bitrate = 0.0
  /// The share lost by what the far end reports; nil before its first report.
  public var farEndLoss: Double?
  /// The round-trip time in milliseconds; nil before it is known.
  public var roundTrip: Double?
  /// Socket errors so far.
  public var errors = 0

  /// Starts with nothing sent.
  public init(name: String) { self.name = name }
}

/// One line of the live view, as text without control characters.
public enum LiveLine {
  /// A stream's line in at most `width` columns: the figures, then the bar of the last seconds of loss.
  ///
  /// Where the words don't fit they are shortened; where that isn't enough, figures are left out.
  public static func text(_ stream: LiveStream, width: Int) -> String {
    let bar = min(stream.history.count, 8)
    let long = words(of: stream)
    var (fields, gap) = (long, "  ")
    if joined(long, gap: 2) + bar + 2 > width { (fields, gap) = (abbreviations(of: stream), " ") }
    while joined(fields, gap: gap.count) + bar + 1 > width, fields.count > 2, let worst = fields.map(\.rank).max() {
      fields.removeAll { $0.rank == worst }
    }
    let line = fields.map(\.text).joined(separator: gap)
    let strip = stream.history.bar(columns: width - Printable.columns(line) - gap.count)
    return Printable.truncated(strip.isEmpty ? line : line + gap + strip, columns: width)
  }

  /// The figures in the order of reading, each with its rank: the highest rank is left out first.
  private static func words(of stream: LiveStream) -> [(rank: Int, text: String)] {
    [
      (1, Printable.cleaned(stream.name, limit: 24)),
      (0, Figures.clock(stream.elapsed)),
      (5, "\(Figures.grouped(stream.unique)) received"),
      (0, "\(lossText(stream)) lost"),
      (3, "\(Figures.grouped(stream.late)) late"),
      (6, "\(Figures.grouped(stream.duplicates)) dup"),
      (7, "\(Figures.grouped(stream.reordered)) reord"),
      (2, "jitter \(Figures.milliseconds(stream.jitter))"),
      (4, "buffer \(Figures.fixed(stream.bufferLevel, decimals: 0)) ms"),
    ] + frames(of: stream) + adaptation(of: stream) + [
      (8, Figures.bitrate(stream.bitrate))
    ]
  }

  /// What a viewer sees.
  private static func frames(of stream: LiveStream) -> [(rank: Int, text: String)] {
    guard let frames = stream.frames else { return [] }
    return [
      (1, "\(Figures.grouped(frames.shown)) of \(Figures.grouped(frames.expected)) frames"),
      (4, "\(Figures.grouped(frames.freezes)) frozen"),
    ]
  }

  /// What an adaptive buffer does: target, stretching in the last second, underruns.
  private static func adaptation(of stream: LiveStream) -> [(rank: Int, text: String)] {
    guard let target = stream.target else { return [] }
    return [
      (4, "target \(Figures.fixed(target, decimals: 0)) ms"),
      (
        9,
        "stretch +\(Figures.fixed(stream.stretched.longer, decimals: 0)) "
          + "-\(Figures.fixed(stream.stretched.shorter, decimals: 0)) ms/s"
      ),
      (6, "\(Figures.grouped(stream.underruns)) dry"),
    ]
  }

  /// The same figures for 80 columns.
  private static func abbreviations(of stream: LiveStream) -> [(rank: Int, text: String)] {
    let loss = Figures.percent(stream.lost, of: stream.expected).filter { $0 != " " }
    return [
      (7, Printable.cleaned(stream.name, limit: 10)),
      (0, Figures.clock(stream.elapsed)),
      (5, "rx \(stream.unique)"),
      (0, "lost \(loss)"),
      (3, "late \(stream.late)"),
      (6, "dup \(stream.duplicates)"),
      (6, "ooo \(stream.reordered)"),
      (2, "jit \(Figures.fixed(stream.jitter, decimals: 1))"),
      (
        4,
        "buf \(Figures.fixed(stream.bufferLevel, decimals: 0))"
          + (stream.target.map { "/\(Figures.fixed($0, decimals: 0))" } ?? "")
      ),
      (8, Figures.fixed(stream.bitrate / 1000, decimals: 0) + "k"),
    ] + (stream.frames.map { [(1, "fr \($0.shown)/\($0.expected)")] } ?? [])
  }

  /// The same figures in words, for output that isn't a terminal.
  public static func plain(_ stream: LiveStream) -> String {
    let figures =
      [
        Figures.clock(stream.elapsed), Printable.cleaned(stream.name),
        "\(Figures.grouped(stream.unique)) of \(Figures.count(stream.expected, "packet")) received",
        "\(Figures.grouped(stream.lost)) lost (\(lossText(stream)))", "\(Figures.grouped(stream.late)) late",
        Figures.count(stream.duplicates, "duplicate"), "\(Figures.grouped(stream.reordered)) reordered",
        "jitter \(Figures.milliseconds(stream.jitter))", "buffer \(Figures.milliseconds(stream.bufferLevel))",
      ] + frames(of: stream).map(\.text) + adaptation(of: stream).map(\.text) + [Figures.bitrate(stream.bitrate)]
    return figures.joined(separator: "  ")
  }

  /// A sender's line in at most `width` columns, with a bar of its progress when the length is known.
  ///
  /// Figures from the end of the line make room for a bar of five columns.
  public static func text(_ sender: LiveSender, width: Int) -> String {
    var fields = figures(of: sender)
    guard let total = sender.total, total > .zero else {
      return Printable.truncated(fields.joined(separator: "  "), columns: width)
    }
    func room() -> Int { min(width - Printable.columns(fields.joined(separator: "  ")) - 4, 40) }
    while room() < 5, fields.count > 3 { fields.removeLast() }
    let line = fields.joined(separator: "  ")
    let left = room()
    guard left >= 5 else { return Printable.truncated(line, columns: width) }
    let share = min(max(sender.elapsed.seconds / total.seconds, 0), 1)
    let done = Int((share * Double(left)).rounded(.down))
    return line + "  [" + String(repeating: "█", count: done) + String(repeating: "·", count: left - done) + "]"
  }

  /// The same figures without a bar, for output that isn't a terminal.
  public static func plain(_ sender: LiveSender) -> String { figures(of: sender).joined(separator: "  ") }

  private static func figures(of sender: LiveSender) -> [String] {
    var clock = Figures.clock(sender.elapsed)
    if let total = sender.total { clock += " of " + Figures.clock(total) }
    var fields = [
      Printable.cleaned(sender.name, limit: 40), clock, Figures.count(sender.packets, "packet") + " sent",
      Figures.bitrate(sender.bitrate),
    ]
    if let loss = sender.farEndLoss { fields.append("far end lost \(Figures.trimmed(loss * 100, decimals: 1)) %") }
    if let roundTrip = sender.roundTrip { fields.append("round trip \(Figures.milliseconds(roundTrip))") }
    if sender.errors > 0 { fields.append(Figures.count(sender.errors, "error")) }
    return fields
  }

  private static func lossText(_ stream: LiveStream) -> String { Figures.percent(stream.lost, of: stream.expected) }

  private static func joined(_ fields: [(rank: Int, text: String)], gap: Int) -> Int {
    fields.reduce(-gap) { $0 + Printable.columns($1.text) + gap }
  }
}
