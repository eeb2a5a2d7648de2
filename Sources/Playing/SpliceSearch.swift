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
    var floor: Float
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
  private var isSide = false
  /// The downmix at the full rate, and thinned out.
  var full: [Float]
  var coarse: [Float]
  var fullCount = 0
  var coarseCount = 0
  /// For each coarse sample the energy of the window that begins there.
  var energies: [Float]
  var prefix: [Double]
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
    prefix = [Double](repeating: 0, count: coarseSize + 1)
    dots = [SIMD8<Float>](repeating: .zero, count: Self.pastBlocks + Self.mostBlocks + 2)
  }

  /// Takes in the audio in which splices will be looked for: the past and behind it the frame.
  mutating func begin(_ samples: Span<Int16>, channels: Int, loudness: Float, tuning: StretchTuning) {
    self.tuning = tuning
    fullCount = samples.count / channels
    coarseCount = fullCount / factor
    mix(samples, channels: channels)
    for index in 0..<coarseCount {
      var sum: Float = 0
      for offset in 0..<factor { sum += full[index * factor + offset] }
      coarse[Self.margin + index] = sum / Float(factor)
    }
    for index in 0..<Self.margin { coarse[Self.margin + coarseCount + index] = 0 }
    let frameBlocks = (coarseCount - past / factor) / Self.block
    fade = min(tuning.fadeBlocks, max(1, frameBlocks * 2 / 5))
    context = tuning.contextBlocks
    masked = max(loudness * tuning.masking, 100)
    silent = max(loudness * tuning.silence, 100)
    weighEnergies()
  }

  /// The downmix: the middle of two channels, or their difference where that is louder.
  private mutating func mix(_ samples: Span<Int16>, channels: Int) {
    guard channels > 1 else {
      for index in 0..<fullCount { full[index] = Float(samples[index]) }
      return
    }
    var middle: Float = 0
    var side: Float = 0
    for index in stride(from: 0, to: fullCount, by: 8) {
      let left = Float(samples[index * channels])
      let right = Float(samples[index * channels + 1])
      middle += (left + right) * (left + right)
      side += (left - right) * (left - right)
    }
    let sign: Float = side > middle ? -0.5 : 0.5
    for index in 0..<fullCount {
      full[index] = 0.5 * Float(samples[index * channels]) + sign * Float(samples[index * channels + 1])
    }
  }

  private mutating func weighEnergies() {
    prefix[0] = 0
    for index in 0..<coarseCount {
      let value = Double(coarse[Self.margin + index])
      prefix[index + 1] = prefix[index] + value * value
    }
    let ahead = fade * Self.block
    let behind = context * Self.block
    let weight = Double(tuning.contextWeight)
    for index in 0..<coarseCount {
      let here = prefix[index]
      let forward = prefix[min(index + ahead, coarseCount)] - here
      energies[Self.margin + index] = Float(forward + weight * (here - prefix[max(0, index - behind)]))
    }
  }

  /// The best splice for a request, or nil when none is good enough.
  mutating func find(_ request: Request, in samples: Span<Int16>) -> Splice? {
    let channels = samples.count / fullCount
    if var splice = findSilent(request) {
      splice.likeness = likeness(of: splice, in: samples, channels: channels)
      return splice
    }
    guard let (place, jump) = findCoarse(request) else { return nil }
    var splice = refine(place: place, jump: jump, request)
    splice.likeness = likeness(of: splice, in: samples, channels: channels)
    return splice.likeness >= request.floor ? splice : nil
  }
}
