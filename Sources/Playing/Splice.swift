/// A jump in the audio: up to `position` it plays on, then a cross-fade of `fade` units leads over to what is `jump`
/// units later (audio is left out) or, when `jump` is negative, earlier (audio is repeated).
struct Splice: Equatable {
  var position: Int
  var jump: Int
  var fade: Int
  /// How alike the two sides of the cross-fade are; 1 for the same, 0 for unrelated.
  var likeness: Float
}

extension Splice {
  /// Writes the cross-fade at `place` of `output`, in samples; its last sample is that of the far side alone.
  ///
  /// Its weights are those of a smooth step. Where the two sides aren't alike their powers add up, not their amplitudes,
  /// and plain weights would leave a dip in the middle; so each pair is scaled to keep the power.
  func writeFade(from source: Span<Int16>, channels: Int, to place: Int, of output: inout MutableSpan<Int16>) {
    let count = fade * channels
    let distance = jump * channels
    var index = position * channels
    source.check(min(index, index + distance)..<max(index, index + distance) + count)
    let start = index
    let step = 1 / Float(fade)
    // Eight samples at a time, when they are whole units: the number of each one's unit, and of the units in eight.
    if channels.nonzeroBitCount == 1, channels <= 8 {
      let units = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) / Float(channels)
      var times = (units.rounded(.down) + 1) * step
      while index + 8 <= start + count {
        let (near, far) = weights(times)
        output.store(source.lanes(index) * near + source.lanes(index + distance) * far, at: place + index - start)
        times += Float(8 / channels) * step
        index += 8
      }
    }
    while index < start + count {
      let (near, far) = weights(SIMD8(repeating: Float((index - start) / channels + 1) * step))
      let value = near[0] * source.value(index) + far[0] * source.value(index + distance)
      output[place + index - start] = Int16(min(max(value, -32_768), 32_767).rounded())
      index += 1
    }
  }

  /// The weights of the near and the far side at times from 0 to 1.
  private func weights(_ times: SIMD8<Float>) -> (near: SIMD8<Float>, far: SIMD8<Float>) {
    let far = times * times * (3 - 2 * times)
    let near = 1 - far
    // With likeness r, 1 / sqrt(1 - 2 (1 - r) near far), by its series: it is off by 1 % at most.
    let lack = (near * far) * (1 - min(max(likeness, 0), 1))
    let scale = 1 + lack * (1 + lack * (1.5 + lack * (2.5 + lack * 4.375)))
    return (near * scale, far * scale)
  }
}
