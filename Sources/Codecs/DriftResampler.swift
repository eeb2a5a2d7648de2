internal import Glibc

/// Makes audio longer or shorter by up to a thousandth, without a click and without being heard: two clocks that don't
/// agree, seen from the listener's side.
///
/// As long as no correction was ever needed, samples pass bit for bit and at once. From the first correction on they go
/// through a filter that reads between samples (a windowed sinc of 48 taps, 512 places between two samples, and straight
/// lines between these), which is 24 samples late; the audio goes on where it was, so there is no click. The rate may
/// change with every call.
///
/// libsoxr's variable rate would do as well, but it is 240 samples late and took 74 us for 20 ms in stereo where this took
/// 29 us, and what is put into a stream while it plays can't begin with 5 ms of nothing.
public struct DriftResampler: Sendable {
  /// The most that audio is made longer or shorter, as a share.
  public static let strongest = 0.001
  /// How late the output is once corrections have begun, in frames.
  public static let delay = taps / 2

  private static let taps = 48
  private static let phases = 512

  /// The interleaved channels.
  public let channels: Int
  /// By what share the audio is made longer, or shorter when it is negative; beyond ``strongest`` it is brought within.
  public var correction = 0.0 {
    didSet {
      correction = correction.isFinite ? min(max(correction, -Self.strongest), Self.strongest) : 0
      if correction != 0 { begin() }
    }
  }
  /// Whether corrections have begun, so that samples go through the filter.
  public private(set) var isEngaged = false

  /// The filter for each place between two samples, and for that of the next sample, in rows of ``lanes`` vectors.
  private static let table = makeTable()
  private static let lanes = taps / 8
  /// For each channel the last frames of the input, as many as the filter has taps, and behind them a piece of new ones.
  private var work: [Float]
  private static let piece = 1024
  private static let stride = taps + piece
  /// Where the next output frame lies, in frames after the first that the filter could reach.
  private var position = 0.0

  /// Makes a resampler for 1 to 8 interleaved channels.
  public init(channels: Int) {
    self.channels = min(max(channels, 1), 8)
    work = [Float](repeating: 0, count: Self.stride * self.channels)
  }

  /// The most frames that `frames` frames of input can become.
  public static func mostFrames(for frames: Int) -> Int { frames + frames / 900 + 2 }

  /// Resamples whole frames of `input` into `output`, and returns how many frames that are.
  ///
  /// Give an output with room for ``mostFrames(for:)``.
  public mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) -> Int {
    guard isEngaged else {
      let frames = min(input.count, output.count) / channels
      for index in 0..<frames * channels { output[index] = input[index] }
      let fresh = min(frames, Self.taps)
      keep(last: Self.taps, behind: fresh)
      take(input, from: frames - fresh, count: fresh, at: Self.taps - fresh)
      return frames
    }
    let frames = input.count / channels
    var done = 0
    var written = 0
    while done < frames {
      let count = min(frames - done, Self.piece)
      take(input, from: done, count: count, at: Self.taps)
      written = filter(count, into: &output, from: written)
      keep(last: Self.taps, behind: count)
      done += count
    }
    return written
  }

  // MARK: Private

  /// From here on through the filter: what comes out next belongs right behind what passed last.
  private mutating func begin() {
    guard !isEngaged else { return }
    isEngaged = true
    // The frame behind the last that passed lies so far behind the first that the filter could reach.
    position = Double(Self.delay)
  }

  /// Puts `count` frames of the input into the work, from `place` on.
  private mutating func take(_ input: Span<Int16>, from start: Int, count: Int, at place: Int) {
    for channel in 0..<channels {
      let base = channel * Self.stride + place
      var index = start * channels + channel
      for frame in 0..<count {
        work[base + frame] = Float(input[index])
        index += channels
      }
    }
  }

  /// Moves the `last` frames behind the first `count` to the beginning.
  private mutating func keep(last: Int, behind count: Int) {
    for channel in 0..<channels {
      let base = channel * Self.stride
      for frame in 0..<last { work[base + frame] = work[base + frame + count] }
    }
  }

  /// Makes output as long as the filter lies within the frames kept and `count` more.
  private mutating func filter(_ count: Int, into output: inout MutableSpan<Int16>, from start: Int) -> Int {
    let step = 1 / (1 + correction)
    let room = output.count / channels
    var written = start
    var place = position
    Self.table.withUnsafeBufferPointer { table in
      work.withUnsafeBytes { work in
        while place < Double(count), written < room {
          let whole = Int(place)
          let fine = (place - Double(whole)) * Double(Self.phases)
          let row = Int(fine)
          let share = Float(fine - Double(row))
          for channel in 0..<channels {
            var sum = SIMD8<Float>.zero
            let first = (channel * Self.stride + whole + 1) * 4
            for lane in 0..<Self.lanes {
              let low = table[row * Self.lanes + lane]
              let high = table[(row + 1) * Self.lanes + lane]
              let samples = work.loadUnaligned(fromByteOffset: first + lane * 32, as: SIMD8<Float>.self)
              sum += samples * (low + (high - low) * share)
            }
            output[written * channels + channel] = Int16(min(max(sum.sum().rounded(), -32_768), 32_767))
          }
          written += 1
          place += step
        }
      }
    }
    position = place - Double(count)
    return written
  }

  /// A sinc in a Kaiser window for each place between two samples, each row with a sum of 1.
  private static func makeTable() -> [SIMD8<Float>] {
    var table: [SIMD8<Float>] = []
    table.reserveCapacity((phases + 1) * lanes)
    for phase in 0...phases {
      let offset = Double(phase) / Double(phases)
      var row: [Double] = []
      for tap in 0..<taps {
        let distance = Double(tap - taps / 2 + 1) - offset
        let edge = distance / Double(taps / 2)
        let window = edge.magnitude >= 1 ? 0 : bessel(9 * (1 - edge * edge).squareRoot()) / bessel(9)
        row.append((distance == 0 ? 1 : sin(.pi * distance) / (.pi * distance)) * window)
      }
      let sum = row.reduce(0, +)
      for lane in 0..<lanes {
        var vector = SIMD8<Float>.zero
        for place in 0..<8 { vector[place] = Float(row[lane * 8 + place] / sum) }
        table.append(vector)
      }
    }
    return table
  }

  /// The modified Bessel function of order 0.
  private static func bessel(_ value: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    var count = 1.0
    while term > sum * 1e-12 {
      term *= value * value / (4 * count * count)
      sum += term
      count += 1
    }
    return sum
  }
}
