/// Mixes three to eight channels to two, as ITU-R BS.775 does.
///
/// The front channels keep their side; centre channels go to both sides at −3 dB, side and rear ones to their own side
/// at −3 dB; the low-frequency channel is left out. All of it is then scaled so that full scale on every channel at
/// once doesn't clip.
struct StereoDownmix {
  /// Where a loudspeaker stands, as far as the mix cares.
  enum Place {
    case frontLeft, frontRight, centre, rearLeft, rearRight, lowFrequency
  }

  /// The weight of each channel in the left and in the right output.
  private let weights: [(left: Float, right: Float)]

  /// The most channels that are mixed.
  static let maximumChannels = 8

  init(_ places: [Place]) {
    let side = Float(0.5).squareRoot()
    let raw = places.map { place -> (left: Float, right: Float) in
      switch place {
      case .frontLeft: (1, 0)
      case .frontRight: (0, 1)
      case .centre: (side, side)
      case .rearLeft: (side, 0)
      case .rearRight: (0, side)
      case .lowFrequency: (0, 0)
      }
    }
    let loudest = max(raw.reduce(0) { $0 + $1.left }, raw.reduce(0) { $0 + $1.right }, 1)
    weights = raw.map { ($0.left / loudest, $0.right / loudest) }
  }

  /// The order in which WAV and FLAC store their channels when the file says nothing else; nil when it needs no mix
  /// or has more than ``maximumChannels``.
  static func defaultPlaces(channels: Int) -> [Place]? {
    switch channels {
    case 3: [.frontLeft, .frontRight, .centre]
    case 4: [.frontLeft, .frontRight, .rearLeft, .rearRight]
    case 5: [.frontLeft, .frontRight, .centre, .rearLeft, .rearRight]
    case 6: [.frontLeft, .frontRight, .centre, .lowFrequency, .rearLeft, .rearRight]
    case 7: [.frontLeft, .frontRight, .centre, .lowFrequency, .centre, .rearLeft, .rearRight]
    case 8: [.frontLeft, .frontRight, .centre, .lowFrequency, .rearLeft, .rearRight, .rearLeft, .rearRight]
    default: nil
    }
  }

  /// Appends two samples for each frame of `samples`, which are interleaved.
  func mix(_ samples: ArraySlice<Float>, appendingTo output: inout [Float]) {
    var index = samples.startIndex
    while samples.endIndex - index >= weights.count {
      var left: Float = 0
      var right: Float = 0
      for (channel, weight) in weights.enumerated() {
        left += weight.left * samples[index + channel]
        right += weight.right * samples[index + channel]
      }
      output.append(left)
      output.append(right)
      index += weights.count
    }
  }
}
