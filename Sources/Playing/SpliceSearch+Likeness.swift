extension SpliceSearch {
  /// The place and the jump, in coarse samples, of the best splice within the limits; nil when nothing fits.
  mutating func findCoarse(_ request: Request, favoursLength: Bool) -> (place: Int, jump: Int)? {
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
    var best = Choice()
    let lengthBonus = favoursLength ? tuning.lengthBonus : 0
    for jump in stride(from: jumps.lowerBound, through: jumps.upperBound, by: 8) {
      let steps = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) + Float(jump)
      let bonus = bonus(of: steps, within: jumps, request, length: lengthBonus)
      weigh(jump: jump, first: first, places: places, bonus: bonus, floor: request.floor, &dots, &best)
    }
    return best.score > 0 ? (best.place, best.jump) : nil
  }

  /// The best place and jump so far.
  private struct Choice {
    var score: Float = 0
    var place = 0
    var jump = 0
  }

  /// Scores the eight jumps from `jump` on at all places.
  private func weigh(
    jump: Int, first: Int, places: Int, bonus: SIMD8<Float>, floor: Float, _ dots: inout [SIMD8<Float>],
    _ best: inout Choice
  ) {
    // Behind the first place lies the context; of a jump back it may begin before the past does.
    let behind = min(context, first / Self.block, (first + min(jump, 0)) / Self.block)
    // Both sides of the cross-fade lie within the audio, of the first of the eight jumps at least.
    let window = fade * Self.block
    let places = min(places, (coarseCount - window - max(jump, 0) - first) / Self.block + 1)
    guard behind >= 0, places > 0, first + jump >= 0 else { return }
    var products = dots.mutableSpan
    Self.multiply(
      coarse.span, jump: jump, from: first - behind * Self.block, blocks: behind + places + fade - 1, into: &products)
    let energies = energies.span
    let start = Self.margin + first
    energies.check(start + min(jump, 0)..<start + max(jump, 0) + places * Self.block + 8)
    let ease = masked * Float(window) * (1 + tuning.contextWeight)
    // A little less than what is asked for: between two coarse lags there may be a better one.
    let floor = floor - 0.05
    var ahead = SIMD8<Float>.zero
    var back = SIMD8<Float>.zero
    for offset in 0..<behind { back += dots[offset] }
    for offset in behind..<behind + fade - 1 { ahead += dots[offset] }
    for number in 0..<places {
      let middle = behind + number
      ahead += dots[middle + fade - 1]
      let cross = ahead + back * tuning.contextWeight
      let place = start + number * Self.block
      var score = (cross + cross + ease) / (energies.lanes(place + jump) + (energies.value(place) + ease))
      score.replace(with: -2, where: score .< floor)
      score += bonus
      // A block further for the next place.
      ahead -= dots[middle]
      back += dots[middle]
      if middle >= context { back -= dots[middle - context] }
      if place + jump + 7 > Self.margin + coarseCount - window {
        let steps = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) + Float(jump)
        score.replace(with: -2, where: steps .> Float(coarseCount - window + Self.margin - place))
      }
      let four = score.lowHalf.replacing(with: score.highHalf, where: score.highHalf .> score.lowHalf)
      let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
      let highest = two.x > two.y ? two.x : two.y
      if highest > best.score {
        for lane in 0..<8 where score[lane] == highest {
          best = Choice(score: highest, place: place - Self.margin, jump: jump + lane)
        }
      }
    }
  }

  /// What speaks for a jump besides likeness: its length, and that it is what is preferred.
  private func bonus(
    of steps: SIMD8<Float>, within jumps: ClosedRange<Int>, _ request: Request, length: Float
  ) -> SIMD8<Float> {
    let perStep = length / (Float(tuning.longestLag) * Float(Self.block))
    var bonus = steps * (request.limit < 0 ? -perStep : perStep)
    if request.preferred > 0 {
      let distance = steps * Float(factor) - Float(request.limit > 0 ? request.preferred : -request.preferred)
      bonus.replace(
        with: length + tuning.preferenceBonus, where: (distance * distance) .<= Float(factor * factor))
    }
    bonus.replace(with: -4, where: (steps .< Float(jumps.lowerBound)) .| (steps .> Float(jumps.upperBound)))
    return bonus
  }

  /// For each of `blocks` blocks from `start` on, its products with what is `jump` to `jump + 7` later.
  private static func multiply(
    _ coarse: Span<Float>, jump: Int, from start: Int, blocks: Int, into dots: inout MutableSpan<SIMD8<Float>>
  ) {
    var place = margin + start
    coarse.check(place + min(jump, 0)..<place + max(jump, 0) + blocks * block + 8)
    for number in 0..<blocks {
      let other = place &+ jump
      var sum = coarse.lanes(other) * coarse.value(place)
      sum += coarse.lanes(other &+ 1) * coarse.value(place &+ 1)
      sum += coarse.lanes(other &+ 2) * coarse.value(place &+ 2)
      sum += coarse.lanes(other &+ 3) * coarse.value(place &+ 3)
      sum += coarse.lanes(other &+ 4) * coarse.value(place &+ 4)
      sum += coarse.lanes(other &+ 5) * coarse.value(place &+ 5)
      sum += coarse.lanes(other &+ 6) * coarse.value(place &+ 6)
      sum += coarse.lanes(other &+ 7) * coarse.value(place &+ 7)
      dots[number] = sum
      place &+= block
    }
  }
}
