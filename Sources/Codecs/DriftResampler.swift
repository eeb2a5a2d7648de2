internal import Glibc

/// Makes audio longer or shorter by up to a thousandth, without a click and without being heard: two clocks that don't
/// agree, seen from the listener's side.
///
/// As long as no correction was ever needed, samples pass bit for bit and at once. From the first correction on they go
/// through a filter that reads between samples (a windowed sinc of 48 taps, 512 places between two samples, and straight
/// lines between these), which is 24 samples late; the audio goes on where it was, so there is no click. The rate may
/// change with every call.
///
/// libsoxr's variable rate would do as well, but is 240 samples late and costs four times as much, and a filter that is
/// put into a stream while it plays can't begin with 5 ms of nothing.
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

  /// The filter for each place between two samples, and for that of the next sample.
  private static let table = makeTable()
  /// The filter for one place.
  private var row = [Float](repeating: 0, count: taps)
  /// The last frames of the input, as much as the filter looks at.
  private var history: [Float]
  /// Input behind which output was made, in interleaved samples: the history and a piece.
  private var work: [Float]
  /// Where the next output frame lies, in frames after the history's first `taps / 2` frames.
  private var position = 0.0
  private static let piece = 1024

  /// Makes a resampler for 1 to 8 interleaved channels.
  public init(channels: Int) {
    self.channels = min(max(channels, 1), 8)
    history = [Float](repeating: 0, count: Self.taps * self.channels)
    work = [Float](repeating: 0, count: (Self.taps + Self.piece) * self.channels)
  }

  /// The most frames that `frames` frames of input can become.
  public static func mostFrames(for frames: Int) -> Int { frames + frames / 900 + 2 }

  /// Resamples whole frames of `input` into `output`, and returns how many frames that are.
  ///
  /// Give an output with room for ``mostFrames(for:)``.
  public mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) -> Int {
    let frames = min(input.count, output.count) / channels
    guard isEngaged else {
      for index in 0..<frames * channels { output[index] = input[index] }
      remember(input, frames: frames)
      return frames
    }
    var done = 0
    var written = 0
    while done < input.count / channels {
      let count = min(input.count / channels - done, Self.piece)
      for index in history.indices { work[index] = history[index] }
      for index in 0..<count * channels { work[Self.taps * channels + index] = Float(input[done * channels + index]) }
      written = filter(count, into: &output, from: written)
      for index in history.indices { history[index] = work[count * channels + index] }
      done += count
    }
    return written
  }

  // MARK: Private

  /// From here on through the filter: what comes out next belongs right behind what passed last.
  private mutating func begin() {
    guard !isEngaged else { return }
    isEngaged = true
    // The frame behind the history's last lies `taps / 2` frames behind the middle.
    position = Double(Self.delay)
  }

  private mutating func remember(_ input: Span<Int16>, frames: Int) {
    let fresh = min(frames, Self.taps)
    let kept = (Self.taps - fresh) * channels
    for index in 0..<kept { history[index] = history[index + fresh * channels] }
    for index in 0..<fresh * channels { history[kept + index] = Float(input[(frames - fresh) * channels + index]) }
  }

  /// Makes output as long as the filter lies within `work`, which holds the history and `count` more frames.
  private mutating func filter(_ count: Int, into output: inout MutableSpan<Int16>, from start: Int) -> Int {
    let table = Self.table
    let step = 1 / (1 + correction)
    let room = output.count / channels
    var written = start
    while position < Double(count), written < room {
      let whole = Int(position)
      let place = (position - Double(whole)) * Double(Self.phases)
      let base = Int(place) * Self.taps
      let share = Float(place - place.rounded(.down))
      for tap in 0..<Self.taps {
        let low = table[base + tap]
        row[tap] = low + (table[base + Self.taps + tap] - low) * share
      }
      for channel in 0..<channels {
        let value = weigh(from: (whole + 1) * channels + channel)
        output[written * channels + channel] = Int16(min(max(value.rounded(), -32_768), 32_767))
      }
      written += 1
      position += step
    }
    position -= Double(count)
    return written
  }

  private func weigh(from first: Int) -> Float {
    var sum: Float = 0
    var index = first
    for tap in 0..<Self.taps {
      sum += work[index] * row[tap]
      index += channels
    }
    return sum
  }

  /// A sinc in a Kaiser window for each place between two samples, each row with a sum of 1.
  private static func makeTable() -> [Float] {
    var table: [Float] = []
    table.reserveCapacity((phases + 1) * taps)
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
      table += row.map { Float($0 / sum) }
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
