/// What neighbouring elements of a `CoarseningSeries` can be merged into.
protocol Coarsenable: Sendable {
  /// Takes in the element that follows this one.
  mutating func absorb(_ later: Self)
}

/// Elements for equal stretches of an axis (time, sequence numbers) in memory that doesn't grow with the axis.
///
/// When an element is needed beyond the last place, neighbours are merged in pairs and the stretches become twice as
/// long. So a run of any length costs the same memory, and each entry costs constant time on average.
struct CoarseningSeries<Element: Coarsenable>: Sendable {
  /// One element a stretch, from the axis' origin on.
  var elements: [Element] = []
  /// The length of a stretch, in the axis' unit.
  private(set) var width: Int64

  private let limit: Int

  /// Starts empty, with stretches of `width`, of which there will be at most `limit`.
  init(width: Int64, limit: Int) {
    self.width = max(width, 1)
    self.limit = max(limit, 2)
  }

  /// The place of the element for `offset` from the origin; elements up to it are made as copies of `filler`.
  ///
  /// Places found before are no longer valid: the series may have become coarser.
  mutating func place(of offset: Int64, filler: Element) -> Int {
    let offset = max(offset, 0)
    while offset / width >= Int64(limit) { coarsen() }
    let place = Int(offset / width)
    while elements.count <= place { elements.append(filler) }
    return place
  }

  /// Merges pairs until at most `count` elements are left.
  mutating func coarsen(toAtMost count: Int) {
    while elements.count > max(count, 1) { coarsen() }
  }

  private mutating func coarsen() {
    let kept = (elements.count + 1) / 2
    for place in 0..<kept {
      var merged = elements[2 * place]
      if 2 * place + 1 < elements.count { merged.absorb(elements[2 * place + 1]) }
      elements[place] = merged
    }
    elements.removeLast(elements.count - kept)
    let (doubled, overflow) = width.multipliedReportingOverflow(by: 2)
    width = overflow ? .max : doubled
  }
}
