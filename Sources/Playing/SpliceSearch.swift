/// Looks for the place and the lag at which audio can be spliced without being heard.
///
/// Coarsely, on a downmix thinned out to about 8 kHz, for all places (1 ms apart) and all lags; then at the full rate
/// around the best. Places and lags are compared by likeness: 2ab / (aa + bb) over the cross-fade and, with less
/// weight, over what comes before it; 1 means the same, and what is much quieter than the recent loudness counts as
/// alike. Lags are tried eight at a time.
struct SpliceSearch: Sendable {
  /// What is asked for: a splice at or after `from` by no more than `limit` (negative to repeat).
  struct Request {
    var from: Int
    var limit: Int
    var preferred: Int
    /// The least likeness that will do.
    var floor: Float
    /// Whether no other splice will be made in this frame.
    var isOnly: Bool
  }

  /// Coarse samples of a block: places are so far apart.
  static let block = 8
  /// The past that is looked at, in blocks: the longest lag of music and what comes before.
  static let pastBlocks = 26
  /// The most blocks of a frame in which places are looked for.
  static let mostBlocks = 64
  /// Zeros around the coarse samples, so that loads of eight stay within.
  static let margin = 8

  /// Full-rate units of a coarse sample.
  let factor: Int
  /// Units of the past.
  let past: Int
  var tuning = StretchTuning.speech
  /// The downmix at the full rate, and thinned out.
  var full: [Float]
  var coarse: [Float]
  var fullCount = 0
  var coarseCount = 0
  /// For each coarse sample the energy of the window that begins there.
  var energies: [Float]
  private var sums: [Float]
  var dots: [SIMD8<Float>]
  var fade = 0
  var context = 0
  /// Energy of a sample that can be dropped at once.
  static let nothing: Float = 100
  /// Energy of a sample of the downmix that doesn't matter yet.
  var masked: Float = 0
  var silent: Float = 0

  init(sampleRate: Int, longest: Int) {
    factor = max(1, sampleRate / 8000)
    past = Self.pastBlocks * Self.block * factor
    let coarseSize = (past + longest) / factor + 2 * Self.margin + 8
    full = [Float](repeating: 0, count: past + longest + 16)
    coarse = [Float](repeating: 0, count: coarseSize)
    energies = [Float](repeating: 0, count: coarseSize)
    // The context and the cross-fade are at most a frame long each.
    sums = [Float](repeating: 0, count: coarseSize + 2 * Self.mostBlocks * Self.block)
    dots = [SIMD8<Float>](repeating: .zero, count: Self.pastBlocks + Self.mostBlocks + 2)
  }

  /// Takes in the audio in which splices will be looked for: the past and behind it the frame.
  ///
  /// The first `past` units are the past.
  mutating func begin(_ samples: Span<Int16>, past: Int, channels: Int, loudness: Float, tuning: StretchTuning) {
    self.tuning = tuning
    let count = samples.count / channels
    var memory = full.mutableSpan
    Self.mix(samples, channels: channels, count: count, into: &memory)
    fullCount = count
    coarseCount = count / factor
    thin()
    let frameBlocks = (coarseCount - past / factor) / Self.block
    fade = min(tuning.fadeBlocks, max(1, frameBlocks * 2 / 5))
    context = tuning.contextBlocks
    masked = max(loudness * tuning.masking, 100)
    silent = max(loudness * tuning.silence, 100)
    weighEnergies()
  }

  /// The downmix: the middle of two channels, or their difference where that is louder.
  private static func mix(_ samples: Span<Int16>, channels: Int, count: Int, into full: inout MutableSpan<Float>) {
    samples.check(0..<count * channels)
    guard channels > 1 else {
      let whole = count & ~7
      for index in stride(from: 0, to: whole, by: 8) { full.store(samples.lanes(index), at: index) }
      for index in whole..<count { full[index] = samples.value(index) }
      return
    }
    var middle: Float = 0
    var side: Float = 0
    for index in stride(from: 0, to: count, by: 8) {
      let (left, right) = (samples.value(index * channels), samples.value(index * channels + 1))
      middle += (left + right) * (left + right)
      side += (left - right) * (left - right)
    }
    let sign: Float = side > middle ? -0.5 : 0.5
    for index in 0..<count {
      full[index] = 0.5 * samples.value(index * channels) + sign * samples.value(index * channels + 1)
    }
  }

  /// Makes the coarse samples, each the mean of `factor` full ones.
  private mutating func thin() {
    var coarse: [Float] = []
    swap(&coarse, &self.coarse)
    defer { swap(&coarse, &self.coarse) }
    let (count, margin) = (coarseCount, Self.margin)
    let full = full.span
    full.check(0..<count * factor)
    let scale = 1 / Float(factor)
    var place = 0
    for index in margin..<margin + count {
      var sum: Float = 0
      for _ in 0..<factor {
        sum += full.value(place)
        place &+= 1
      }
      coarse[index] = sum * scale
    }
    for index in 0..<margin { coarse[margin + count + index] = 0 }
  }

  private mutating func weighEnergies() {
    let (ahead, behind) = (fade * Self.block, context * Self.block)
    // Running sums, with as many zeros before them as the context takes, and after them as many repeats as a fade.
    var total: Float = 0
    for index in 0...behind { sums[index] = 0 }
    for index in 0..<coarseCount {
      let value = coarse[Self.margin + index]
      total += value * value
      sums[behind + index + 1] = total
    }
    for index in 1...ahead + 8 { sums[behind + coarseCount + index] = total }
    let weight = tuning.contextWeight
    let (count, margin) = (coarseCount, Self.margin)
    var energies: [Float] = []
    swap(&energies, &self.energies)
    defer { swap(&energies, &self.energies) }
    let sums = sums.span
    sums.check(0..<count + behind + ahead + 9)
    var target = energies.mutableSpan
    for index in stride(from: 0, to: count, by: 8) {
      let here = sums.lanes(behind + index)
      let forward = sums.lanes(behind + index + ahead) - here
      target.store(forward + (here - sums.lanes(index)) * weight, at: margin + index)
    }
  }

  /// How many units of the past it takes to look for a splice.
  func neededPast(isShrinking: Bool, tuning: StretchTuning) -> Int {
    let lag = isShrinking ? 0 : Int(tuning.longestLag.rounded(.up))
    return min((lag + tuning.contextBlocks) * Self.block * factor, past)
  }

  /// The best splice for a request, or nil when none is good enough.
  mutating func find(_ request: Request, in samples: Span<Int16>) -> Splice? {
    let channels = samples.count / fullCount
    if var splice = findSilent(request) {
      splice.likeness = likeness(of: splice, in: samples, channels: channels)
      return splice
    }
    guard let (place, jump) = findCoarse(request, favoursLength: true) else { return nil }
    var splice = refine(place: place, jump: jump, request)
    splice.likeness = likeness(of: splice, in: samples, channels: channels)
    if splice.likeness >= request.floor { return splice }
    // A long one would have been welcome; the most alike will do.
    guard let (other, nearer) = findCoarse(request, favoursLength: false), (other, nearer) != (place, jump)
    else { return nil }
    splice = refine(place: other, jump: nearer, request)
    splice.likeness = likeness(of: splice, in: samples, channels: channels)
    return splice.likeness >= request.floor ? splice : nil
  }
}
