extension SpliceSearch {
  /// The best jump at the full rate around a coarse one.
  func refine(place: Int, jump: Int, _ request: Request) -> Splice {
    let position = max(place * factor, request.from)
    let furthest = position + max(0, min((jump + 1) * factor, request.limit))
    // Where another splice will follow, it needs its room.
    let rest = abs(request.limit) - abs(jump) * factor
    let isLast = request.isOnly || rest < Int(tuning.shortestLag * Double(Self.block)) * factor
    let blocks = isLast ? max(tuning.longestFade, fade) : fade
    let length = min(blocks * Self.block * factor, fullCount - furthest)
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
    let full = full.span
    full.check(position + min(lowest, 0)..<position + max(highest, 0) + length + 8)
    for start in stride(from: lowest, through: highest, by: 8) {
      var cross = SIMD8<Float>.zero
      var energy = SIMD8<Float>.zero
      for place in position..<position + length {
        let other = full.lanes(place &+ start)
        cross += other * full.value(place)
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
    let first = splice.position * channels
    let distance = splice.jump * channels
    let end = first + splice.fade * channels
    samples.check(first + min(distance, 0)..<end + max(distance, 0))
    var cross: Float = 0
    var energy: Float = 0
    var crosses = SIMD8<Float>.zero
    var energies = SIMD8<Float>.zero
    var index = first
    while index <= end - 8 {
      let (here, there) = (samples.lanes(index), samples.lanes(index &+ distance))
      crosses += here * there
      energies += here * here + there * there
      index &+= 8
    }
    while index < end {
      let (here, there) = (samples.value(index), samples.value(index &+ distance))
      cross += here * there
      energy += here * here + there * there
      index &+= 1
    }
    cross += crosses.sum()
    energy += energies.sum()
    let ease = masked * Float(splice.fade * channels)
    return (2 * cross + ease) / (energy + ease)
  }
}
