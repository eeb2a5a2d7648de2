extension SpliceSearch {
  /// The place and the jump, in coarse samples, of the best splice within the limits; nil when nothing fits.
  mutating func findCoarse(_ request: Request) -> (place: Int, jump: Int)? {
    let room = abs(request.limit) / factor
    let shortest = Int((tuning.shortestLag * Double(Self.block)).rounded(.up))
    let longest = min(Int(tuning.longestLag * Double(Self.block)), room)
    let first = (request.from + factor - 1) / factor
    let last = coarseCount - fade * Self.block
    guard shortest <= longest, first <= last else { return nil }
    let jumps = request.limit > 0 ? shortest...longest : -longest...(-shortest)
    // Out of `self` while it is written to, so that the rest can be read.
    var dots: [SIMD8<Float>] = []
    swap(&dots, &self.dots)
    defer { swap(&dots, &self.dots) }
    let places = min((last - first) / Self.block + 1, Self.mostBlocks)
    var best = SIMD8<Float>(repeating: -1)
    var bestPlace = SIMD8<Int32>(repeating: 0)
    var bestJump = SIMD8<Int32>(repeating: 0)
    for jump in stride(from: jumps.lowerBound, through: jumps.upperBound, by: 8) {
      weigh(jump: jump, first: first, places: places, within: jumps, request, &dots) { score, place in
        let better = score .> best
        best.replace(with: score, where: better)
        bestPlace.replace(with: SIMD8(repeating: Int32(truncatingIfNeeded: place)), where: better)
        bestJump.replace(with: SIMD8(repeating: Int32(truncatingIfNeeded: jump)), where: better)
      }
    }
    var lane = 0
    for other in 1..<8 where best[other] > best[lane] { lane = other }
    guard best[lane] >= request.floor - 0.2 else { return nil }
    return (Int(bestPlace[lane]), Int(bestJump[lane]) + lane)
  }

  private static let lanes = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7)

  /// Scores the eight jumps from `jump` on at all places.
  private func weigh(
    jump: Int, first: Int, places: Int, within jumps: ClosedRange<Int>, _ request: Request,
    _ dots: inout [SIMD8<Float>],
    _ take: (SIMD8<Float>, Int) -> Void
  ) {
    // Behind the first place lies the context; of a jump back it may begin before the past does.
    let behind = min(context, first / Self.block, (first + min(jump, 0)) / Self.block)
    // Both sides of the cross-fade lie within the audio, of the first of the eight jumps at least.
    let window = fade * Self.block
    let places = min(places, (coarseCount - window - max(jump, 0) - first) / Self.block + 1)
    guard behind >= 0, places > 0, first + jump >= 0 else { return }
    let count = behind + places + fade - 1
    var products = dots.mutableSpan
    Self.multiply(
      coarse.span, jump: jump, from: first - behind * Self.block, blocks: count, into: &products)
    let steps = Self.lanes + Float(jump)
    let perStep = tuning.lengthBonus / (Float(tuning.longestLag) * Float(Self.block))
    var bonus = steps * (jump < 0 ? -perStep : perStep)
    if request.preferred > 0 {
      let distance = steps * Float(factor) - Float(request.limit > 0 ? request.preferred : -request.preferred)
      bonus.replace(
        with: bonus + tuning.preferenceBonus, where: (distance * distance) .<= Float(factor * factor))
    }
    let inside = (steps .>= Float(jumps.lowerBound)) .& (steps .<= Float(jumps.upperBound))
    let energy = unsafe energies.span.bytes
    for number in 0..<places {
      let place = first + number * Self.block
      var cross = SIMD8<Float>.zero
      for offset in 0..<fade { cross += dots[behind + number + offset] }
      var context = SIMD8<Float>.zero
      for offset in max(0, behind + number - self.context)..<behind + number { context += dots[offset] }
      cross += context * tuning.contextWeight
      let here = energies[Self.margin + place]
      let there = unsafe energy.unsafeLoadUnaligned(
        fromByteOffset: (Self.margin + place + jump) * 4, as: SIMD8<Float>.self)
      let ease = masked * Float(window) * (1 + tuning.contextWeight)
      var score = (cross * 2 + ease) / (there + (here + ease)) + bonus
      let fits = inside .& (steps .<= Float(coarseCount - window - place))
      score.replace(with: -2, where: .!fits)
      take(score, place)
    }
  }

  /// For each of `blocks` blocks from `start` on, its products with what is `jump` to `jump + 7` later.
  private static func multiply(
    _ coarse: Span<Float>, jump: Int, from start: Int, blocks: Int, into dots: inout MutableSpan<SIMD8<Float>>
  ) {
    let bytes = unsafe coarse.bytes
    for block in 0..<blocks {
      let base = margin + start + block * Self.block
      var sum = SIMD8<Float>.zero
      for offset in 0..<Self.block {
        let other = unsafe bytes.unsafeLoadUnaligned(
          fromByteOffset: (base + offset + jump) * 4, as: SIMD8<Float>.self)
        sum += other * coarse[base + offset]
      }
      dots[block] = sum
    }
  }

  /// The best jump at the full rate around a coarse one.
  func refine(place: Int, jump: Int, _ request: Request) -> Splice {
    let position = max(place * factor, request.from)
    let length = min(fade * Self.block * factor, fullCount - position)
    var lowest = jump * factor - factor
    var highest = jump * factor + factor
    if request.limit > 0 {
      lowest = max(lowest, 1)
      highest = min(highest, request.limit, fullCount - length - position)
    } else {
      lowest = max(lowest, request.limit, -position)
      highest = min(highest, -1)
    }
    var best = min(max(jump * factor, lowest), highest)
    var bestScore = -Float.infinity
    let bytes = unsafe full.span.bytes
    for start in stride(from: lowest, through: highest, by: 8) {
      var cross = SIMD8<Float>.zero
      var energy = SIMD8<Float>.zero
      for offset in 0..<length {
        let other = unsafe bytes.unsafeLoadUnaligned(
          fromByteOffset: (position + offset + start) * 4, as: SIMD8<Float>.self)
        cross += other * full[position + offset]
        energy += other * other
      }
      let score = cross / (energy + 1).squareRoot()
      for lane in 0..<8 where start + lane <= highest && score[lane] > bestScore {
        bestScore = score[lane]
        best = start + lane
      }
    }
    return Splice(position: position, jump: best, fade: length, likeness: 0)
  }

  /// How alike the two sides of a splice are, over all channels at the full rate.
  func likeness(of splice: Splice, in samples: Span<Int16>, channels: Int) -> Float {
    var cross: Float = 0
    var energy: Float = 0
    let first = splice.position * channels
    for index in first..<first + splice.fade * channels {
      let here = Float(samples[index])
      let there = Float(samples[index + splice.jump * channels])
      cross += here * there
      energy += here * here + there * there
    }
    let ease = masked * Float(splice.fade * channels)
    return (2 * cross + ease) / (energy + ease)
  }
}
