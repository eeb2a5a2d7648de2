/// Makes decoded audio a little shorter or longer without changing its pitch, frame by frame.
///
/// It cuts out, or repeats, one period of the voice (any piece that is like its neighbour) and joins the ends with a
/// cross-fade, as WSOLA and PSOLA do. Silence is cut or lengthened by exactly what is asked.
///
/// It needs no look-ahead beyond the frame: what a call returns ends with the frame's own last sample, so the next frame
/// joins it bit for bit. To take out a period of P with a cross-fade of L, P + L must lie within the frame: of a 20 ms
/// frame up to 15 ms can be taken with a cross-fade of 5 ms, of a 10 ms frame up to 7 ms. To put in a period only L must
/// lie within the frame, the period comes from the past. So hand in at once what is decoded at once.
///
/// All audio that is played goes through it, in order, concealment too (with the wish `keep`): it is the past that later
/// frames are compared with.
public struct TimeStretcher: Sendable {
  /// The longest frame that is stretched, in milliseconds; longer ones are kept.
  public static let longestFrame = 120

  /// Samples a second of each channel.
  public let sampleRate: Int
  /// Channels, interleaved; all are cut at the same place, so they stay in phase.
  public let channels: Int
  /// What the audio holds.
  public var content: StretchContent {
    didSet { tuning = content == .music ? .music : .speech }
  }
  /// The units taken out so far.
  public private(set) var removed = 0
  /// The units put in so far.
  public private(set) var inserted = 0
  /// The number of cross-fades so far.
  public private(set) var splices = 0

  var tuning: StretchTuning
  private var search: SpliceSearch
  /// The past, and behind it room for a frame, in interleaved samples.
  private var work: [Int16]
  /// Units of the past that are kept.
  private let past: Int
  private let longest: Int
  /// The recent loudness: mean energy of a sample, falling slowly.
  private var loudness: Float = 0
  /// Units since the last calm splice.
  private var rested = Int.max / 2

  /// Makes a stretcher; a rate below 8 kHz or above 192 kHz, or a number of channels below 1 or above 8, is brought
  /// within.
  public init(sampleRate: Int = 48_000, channels: Int = 1, content: StretchContent = .speech) {
    let rate = min(max(sampleRate, 8000), 192_000)
    self.sampleRate = rate
    self.channels = min(max(channels, 1), 8)
    self.content = content
    tuning = content == .music ? .music : .speech
    longest = rate * Self.longestFrame / 1000
    search = SpliceSearch(sampleRate: rate, longest: longest)
    past = search.past
    work = [Int16](repeating: 0, count: (past + longest) * self.channels)
  }

  /// Forgets the past, as after a change of source.
  public mutating func reset() {
    for index in work.indices { work[index] = 0 }
    loudness = 0
    rested = Int.max / 2
  }

  /// Stretches the first `units` units of `audio` in place and returns by how many units they have become longer, or
  /// shorter when it is negative; 0 when nothing good was found.
  ///
  /// What is behind them in `audio` is room to become longer; it is overwritten. `preferred` is a number of units that
  /// is taken when it sounds nearly as good as the best, 0 for none.
  public mutating func stretch(
    _ audio: inout MutableSpan<Int16>, units: Int, wish: StretchWish, urgency: StretchUrgency = .calm,
    preferred: Int = 0
  ) -> Int {
    let units = min(max(units, 0), audio.count / channels)
    guard units > 0 else { return 0 }
    listen(to: audio.span.extracting(0..<units * channels))
    defer { rested = min(rested + units, Int.max / 2) }
    let limit: Int
    switch wish {
    case .keep: limit = 0
    case .shrink(let most): limit = min(max(most, 0), units)
    case .expand(let most): limit = -min(max(most, 0), audio.count / channels - units)
    }
    guard limit != 0, units <= longest, urgency == .urgent || rested >= restingUnits else {
      remember(audio.span.extracting(0..<units * channels))
      return 0
    }
    let (kept, size) = (past * channels, units * channels)
    var memory = work.mutableSpan
    memory.replace(at: kept, with: audio.span.extracting(0..<size))
    let change = edit(&audio, units: units, limit: limit, urgency: urgency, preferred: preferred)
    if change != 0, urgency == .calm { rested = -units }
    // The past's end moves on by the frame, as it came in.
    memory = work.mutableSpan
    memory.move(kept, from: size, to: 0)
    return change
  }

  private var restingUnits: Int { Int(tuning.rest * Double(sampleRate) / 1000) }

  /// Finds splices one after the other and writes the outcome to `audio`.
  private mutating func edit(
    _ audio: inout MutableSpan<Int16>, units: Int, limit: Int, urgency: StretchUrgency, preferred: Int
  ) -> Int {
    // Out of `self` while the search, which is within, is at work.
    var work: [Int16] = []
    swap(&work, &self.work)
    defer { swap(&work, &self.work) }
    // Of the past only as much as this takes; what is behind it is the frame.
    let needed = search.neededPast(isShrinking: limit > 0, tuning: tuning)
    let source = work.span.extracting((past - needed) * channels..<(past + units) * channels)
    search.begin(source, past: needed, channels: channels, loudness: loudness, tuning: tuning)
    let floor = urgency == .urgent ? tuning.urgentLikeness : tuning.calmLikeness
    var left = limit
    var read = needed
    var write = 0
    while left != 0 {
      let wanted = SpliceSearch.Request(
        from: read, limit: left, preferred: preferred - abs(limit - left), floor: floor, isOnly: urgency == .calm)
      guard let splice = search.find(wanted, in: source) else { break }
      audio.replace(at: write, with: source.extracting(read * channels..<splice.position * channels))
      write += (splice.position - read) * channels
      splice.writeFade(from: source, channels: channels, to: write, of: &audio)
      write += splice.fade * channels
      read = splice.position + splice.jump + splice.fade
      left -= splice.jump
      splices += 1
      if urgency == .calm { break }
    }
    guard left != limit else { return 0 }
    audio.replace(at: write, with: source.extracting(read * channels..<source.count))
    removed += max(0, limit - left)
    inserted += max(0, left - limit)
    return left - limit
  }

  // MARK: The past

  /// Keeps the end of `samples` as the past.
  private mutating func remember(_ samples: Span<Int16>) {
    let size = past * channels
    let fresh = min(samples.count, size)
    var memory = work.mutableSpan
    if fresh < size { memory.move(size - fresh, from: fresh, to: 0) }
    memory.replace(at: size - fresh, with: samples.extracting(last: fresh))
  }

  /// Follows the loudness: up at once, down in seconds; one sample in four will do.
  private mutating func listen(to samples: Span<Int16>) {
    var sums = SIMD8<Float>.zero
    let blocks = samples.count / 32
    samples.check(0..<blocks * 32)
    for block in 0..<blocks {
      let values = samples.lanes(block * 32)
      sums += values * values
    }
    guard blocks > 0 else { return }
    let energy = sums.sum() / Float(8 * blocks)
    let time = min(1, Float(samples.count / channels) / Float(3 * sampleRate))
    loudness = max(energy, loudness - loudness * time)
  }
}
