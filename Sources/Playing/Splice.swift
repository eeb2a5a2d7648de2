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
    let correlation = 2 * min(max(likeness, 0), 1)
    let step = 1 / Float(fade)
    var index = position * channels
    var target = place
    let distance = jump * channels
    source.check(min(index, index + distance)..<max(index, index + distance) + fade * channels)
    for number in 0..<fade {
      let time = Float(number + 1) * step
      let rise = time * time * (3 - 2 * time)
      let fall = 1 - rise
      let scale = 1 / (rise * rise + fall * fall + correlation * rise * fall).squareRoot()
      let (first, second) = (fall * scale, rise * scale)
      for _ in 0..<channels {
        let value = first * source.value(index) + second * source.value(index + distance)
        // So far up that the last bit of a Float is worth 1: the bits at its end are the rounded number.
        output[target] = Int16(truncatingIfNeeded: (min(max(value, -32_768), 32_767) + 12_582_912).bitPattern)
        index &+= 1
        target &+= 1
      }
    }
  }
}
