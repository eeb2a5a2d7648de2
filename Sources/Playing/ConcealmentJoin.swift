/// The way back from concealment to audio that only came late: concealment ends anywhere within a period of the voice,
/// and the audio begins where it had broken off, so it goes on for up to a period until the two are alike, and fades over.
struct ConcealmentJoin: Sendable {
  /// The most concealment that is added, in units: a period of the lowest voices.
  let reach: Int
  /// How long the cross-fade is, in units.
  let fade: Int

  /// Samples that are averaged to find the place coarsely: about 12 kHz remain.
  private let factor: Int
  /// What likeness the longest addition must bring: it costs as much delay.
  private static let price: Float = 0.1
  /// Mean energy of a sample below which nothing is worth a search.
  private static let silence: Float = 100

  init(sampleRate: Int) {
    factor = max(1, sampleRate / 12_000)
    reach = sampleRate / 80 / factor * factor
    fade = sampleRate / 125 / factor * factor
  }

  /// Puts as much of `concealment` before the first `units` units of `audio` as makes them alike, and fades over;
  /// returns how much that is.
  func lead(_ concealment: Span<Int16>, over audio: inout MutableSpan<Int16>, units: Int, channels: Int) -> Int {
    let length = min(fade, units, concealment.count / channels)
    guard length > factor else { return 0 }
    let room = min(concealment.count / channels - length, audio.count / channels - units, reach)
    let (lead, likeness) = place(in: concealment, for: audio.span, length: length, room: room, channels: channels)
    audio.move(units * channels, from: 0, to: lead * channels)
    audio.replace(at: 0, with: concealment.extracting(0..<lead * channels))
    for unit in 0..<length {
      let time = Float(unit + 1) / Float(length + 1)
      let far = time * time * (3 - 2 * time)
      // What isn't alike adds up in power.
      let scale = 1 / (1 - 2 * (1 - max(likeness, 0)) * far * (1 - far)).squareRoot()
      for index in (lead + unit) * channels..<(lead + unit + 1) * channels {
        let sum = Float(concealment[index]) * (1 - far) + Float(audio[index]) * far
        audio[index] = Int16(min(max((sum * scale).rounded(), -32_768), 32_767))
      }
    }
    return lead
  }

  /// Where the concealment is most like the audio's beginning, and how alike they are.
  private func place(
    in concealment: Span<Int16>, for audio: Span<Int16>, length: Int, room: Int, channels: Int
  ) -> (place: Int, likeness: Float) {
    let ahead = mix(concealment, count: room + length, channels: channels)
    let begin = mix(audio, count: length, channels: channels)
    let (thinAhead, thinBegin) = (thin(ahead), thin(begin))
    guard energy(begin) > Self.silence * Float(begin.count) else { return (0, 1) }
    var best = (place: 0, score: -Float.infinity)
    for place in 0...max(0, thinAhead.count - thinBegin.count) {
      let score = likeness(thinAhead, thinBegin, at: place) - Self.price * Float(place * factor) / Float(reach)
      if score > best.score { best = (place, score) }
    }
    var fine = (place: best.place * factor, likeness: -Float.infinity)
    for place in max(0, fine.place - factor)...min(max(0, room), fine.place + factor) {
      let found = likeness(ahead, begin, at: place)
      if found > fine.likeness { fine = (place, found) }
    }
    return fine
  }

  private func mix(_ samples: Span<Int16>, count: Int, channels: Int) -> [Float] {
    (0..<count).map { unit in
      var sum: Float = 0
      for channel in 0..<channels { sum += Float(samples[unit * channels + channel]) }
      return sum / Float(channels)
    }
  }

  private func thin(_ samples: [Float]) -> [Float] {
    (0..<samples.count / factor).map { index in
      var sum: Float = 0
      for place in index * factor..<(index + 1) * factor { sum += samples[place] }
      return sum / Float(factor)
    }
  }

  private func energy(_ samples: [Float]) -> Float {
    var sum: Float = 0
    for value in samples { sum += value * value }
    return sum
  }

  /// The normalised correlation of `begin` with what lies at `place` of `ahead`.
  private func likeness(_ ahead: [Float], _ begin: [Float], at place: Int) -> Float {
    var (product, first, second): (Float, Float, Float) = (0, 1, 1)
    for index in begin.indices {
      product += ahead[place + index] * begin[index]
      first += ahead[place + index] * ahead[place + index]
      second += begin[index] * begin[index]
    }
    return product / (first * second).squareRoot()
  }
}
