extension SpliceSearch {
  /// A splice of exactly the length asked for (or as much as there is), when all of the frame from `request.from` on
  /// is silence.
  func findSilent(_ request: Request) -> Splice? {
    let available = fullCount - request.from
    guard available > 0, isQuiet(request.from..<fullCount, below: silent) else { return nil }
    let millisecond = Self.block * factor
    let whole = 5 * millisecond
    if request.limit > 0 {
      var jump = min(request.limit, available)
      var fade = min(whole, available - jump)
      // Next to nothing may end at once; noise needs some time.
      if fade < whole / 2, !isQuiet(request.from..<fullCount, below: Self.nothing) {
        fade = min(whole / 2, available)
        jump = available - fade
      }
      guard jump > 0 else { return nil }
      return Splice(position: request.from, jump: jump, fade: fade, likeness: 0)
    }
    let fade = min(whole, available)
    var start = request.from
    while start >= millisecond, isQuiet(start - millisecond..<start, below: silent) { start -= millisecond }
    let position = fullCount - fade
    let jump = min(-request.limit, position - start)
    guard jump > 0, fade > 1 else { return nil }
    return Splice(position: position, jump: -jump, fade: fade, likeness: 0)
  }

  /// Whether each millisecond of `range` has less energy a sample than `limit`.
  private func isQuiet(_ range: Range<Int>, below limit: Float) -> Bool {
    var place = range.lowerBound / factor
    let end = min((range.upperBound + factor - 1) / factor, coarseCount)
    while place < end {
      let next = min(place + Self.block, end)
      var energy: Float = 0
      for index in place..<next { energy += coarse[Self.margin + index] * coarse[Self.margin + index] }
      if energy > limit * Float(next - place) { return false }
      place = next
    }
    return true
  }
}
