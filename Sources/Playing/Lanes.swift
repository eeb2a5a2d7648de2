// The one file of this module that reads without looking at bounds. Its callers say which range they will read, once,
// before their loops.

extension Span<Float> {
  /// Traps unless all of `range` lies within.
  func check(_ range: Range<Int>) { precondition(range.lowerBound >= 0 && range.upperBound <= count) }

  /// One value of a range that has been checked.
  @inline(__always) func value(_ index: Int) -> Float { unsafe self[unchecked: index] }

  /// Eight values from `index` on, of a range that has been checked.
  @inline(__always) func lanes(_ index: Int) -> SIMD8<Float> {
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index << 2, as: SIMD8<Float>.self)
  }
}

extension Span<Int16> {
  /// Traps unless all of `range` lies within.
  func check(_ range: Range<Int>) { precondition(range.lowerBound >= 0 && range.upperBound <= count) }

  /// One sample of a range that has been checked.
  @inline(__always) func value(_ index: Int) -> Float { unsafe Float(self[unchecked: index]) }

  /// Eight samples from `index` on, of a range that has been checked.
  @inline(__always) func lanes(_ index: Int) -> SIMD8<Float> {
    SIMD8<Float>(
      unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index << 1, as: SIMD8<Int16>.self))
  }
}

extension MutableSpan<Float> {
  /// Writes eight values from `index` on.
  @inline(__always) mutating func store(_ lanes: SIMD8<Float>, at index: Int) {
    precondition(index >= 0 && index <= count - 8)
    var bytes = unsafe mutableBytes
    unsafe bytes.storeBytes(of: lanes, toUncheckedByteOffset: index << 2, as: SIMD8<Float>.self)
  }
}

extension MutableSpan<Int16> {
  /// Writes eight values from `index` on, rounded and limited to what 16 bits hold.
  @inline(__always) mutating func store(_ lanes: SIMD8<Float>, at index: Int) {
    precondition(index >= 0 && index <= count - 8)
    // So far up that the last bit of a Float is worth 1: the bits at its end are the rounded number.
    var lanes = lanes
    lanes.replace(with: 32_767, where: lanes .> 32_767)
    lanes.replace(with: -32_768, where: lanes .< -32_768)
    let samples = SIMD8<Int16>(truncatingIfNeeded: unsafe unsafeBitCast(lanes + 12_582_912, to: SIMD8<Int32>.self))
    var bytes = unsafe mutableBytes
    unsafe bytes.storeBytes(of: samples, toUncheckedByteOffset: index << 1, as: SIMD8<Int16>.self)
  }

  /// Copies all of `samples` to `place`.
  mutating func replace(at place: Int, with samples: Span<Int16>) {
    precondition(place >= 0 && place <= count - samples.count)
    unsafe withUnsafeMutableBufferPointer { target in
      unsafe samples.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        unsafe (to + place).update(from: from, count: source.count)
      }
    }
  }

  /// Copies `count` samples within, from `start` to `place`; the two may overlap.
  mutating func move(_ count: Int, from start: Int, to place: Int) {
    precondition(start >= 0 && place >= 0 && count >= 0 && max(start, place) <= self.count - count)
    unsafe withUnsafeMutableBufferPointer { memory in
      guard let base = memory.baseAddress else { return }
      unsafe (base + place).update(from: base + start, count: count)
    }
  }
}
