import Foundation
import Testing

/// Three seconds of a rising tone, as WAV and as Ogg Opus: every stretch of it differs from every other, so that what a
/// peer played can be held against it, place by place.
struct Chirp {
  static let rate = 48_000
  static let seconds = 3.0

  let wav: String
  let opus: String
  let samples: [Double]

  /// Makes both files in `folder`, the second with opusenc.
  init(in folder: Folder) async throws {
    wav = folder.file("chirp.wav")
    opus = folder.file("chirp.opus")
    let count = Int(Double(Self.rate) * Self.seconds)
    samples = (0..<count).map { index in
      let time = Double(index) / Double(Self.rate)
      // From 200 Hz to 2600 Hz; the phase is the integral of the frequency.
      return 0.5 * sin(2 * .pi * (200 * time + 400 * time * time))
    }
    try WAV(channels: 1, rate: Self.rate, samples: [samples]).write(to: wav)
    try await Program.run("opusenc", ["--quiet", "--bitrate", "64", wav, opus])
  }

  /// How a recording compares with the chirp.
  struct Match {
    /// Samples by which the recording begins earlier than the chirp in it.
    let lag: Int
    /// Stretches of 20 ms that were compared, and those of them that don't sound as they should at their place.
    let compared: Int
    let misplaced: Int
  }

  /// Finds the chirp in a recording and then compares them, each 20 ms by their correlation.
  func match(_ heard: [Double]) throws -> Match {
    try #require(heard.count > Self.rate)
    let scores = (0...1_000).map { correlation(20_000..<21_000, heard, $0) }
    let lag = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    let length = Self.rate / 50
    var (compared, misplaced) = (0, 0)
    // The edges are left out: an encoder needs a moment to settle.
    for start in stride(from: 2 * length, to: samples.count - 2 * length, by: length) {
      compared += 1
      if correlation(start..<start + length, heard, lag) < 0.9 { misplaced += 1 }
    }
    return Match(lag: lag, compared: compared, misplaced: misplaced)
  }

  private func correlation(_ range: Range<Int>, _ heard: [Double], _ lag: Int) -> Double {
    guard range.upperBound + lag <= heard.count else { return 0 }
    var (both, ours, theirs) = (0.0, 0.0, 0.0)
    for index in range {
      both += samples[index] * heard[index + lag]
      ours += samples[index] * samples[index]
      theirs += heard[index + lag] * heard[index + lag]
    }
    return ours * theirs > 0 ? both / (ours * theirs).squareRoot() : 0
  }
}

/// A WAV file of 16 bits a sample.
struct WAV {
  var channels: Int
  var rate: Int
  /// The samples of each channel, -1 to 1.
  var samples: [[Double]]

  init(channels: Int, rate: Int, samples: [[Double]]) {
    self.channels = channels
    self.rate = rate
    self.samples = samples
  }

  /// Reads one; what its header says of the length isn't believed, because a program that was interrupted left it open.
  init(path: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
    func number(_ place: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    try #require(bytes.count > 44 && bytes[0..<4].elementsEqual("RIFF".utf8))
    (channels, rate, samples) = (0, 0, [])
    var place = 12
    while place + 8 <= bytes.count {
      let size = number(place + 4, 4)
      if bytes[place..<place + 4].elementsEqual("fmt ".utf8) {
        (channels, rate) = (number(place + 10, 2), number(place + 12, 4))
        try #require(number(place + 22, 2) == 16)
      } else if bytes[place..<place + 4].elementsEqual("data".utf8) {
        let frames = min(size, bytes.count - place - 8) / (2 * channels)
        samples = (0..<channels).map { channel in
          (0..<frames).map { frame in
            let raw = number(place + 8 + 2 * (frame * channels + channel), 2)
            return Double(Int16(truncatingIfNeeded: raw)) / 32_768
          }
        }
        return
      }
      place += 8 + size + size % 2
    }
    Issue.record("\(path) has no samples")
  }

  func write(to path: String) throws {
    var data = Data()
    func put(_ value: Int, _ size: Int) { for byte in 0..<size { data.append(UInt8(value >> (8 * byte) & 0xFF)) } }
    let size = 2 * channels * (samples.first?.count ?? 0)
    data.append(contentsOf: "RIFF".utf8)
    put(36 + size, 4)
    data.append(contentsOf: "WAVEfmt ".utf8)
    for (value, width) in [
      (16, 4), (1, 2), (channels, 2), (rate, 4), (rate * channels * 2, 4), (channels * 2, 2), (16, 2),
    ] { put(value, width) }
    data.append(contentsOf: "data".utf8)
    put(size, 4)
    for frame in 0..<(samples.first?.count ?? 0) {
      for channel in samples { put(Int(Int16((channel[frame] * 32_767).rounded())) & 0xFFFF, 2) }
    }
    try data.write(to: URL(filePath: path))
  }
}

/// The audio packets of an Ogg Opus file of one stream, by a reader as simple as can be.
func opusPackets(_ path: String) throws -> [[UInt8]] {
  let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
  var packets: [[UInt8]] = []
  var packet: [UInt8] = []
  var place = 0
  while place + 27 <= bytes.count {
    try #require(bytes[place..<place + 4].elementsEqual("OggS".utf8))
    let lacing = bytes[place + 27..<place + 27 + Int(bytes[place + 26])]
    place += 27 + lacing.count
    for size in lacing {
      packet += bytes[place..<place + Int(size)]
      place += Int(size)
      guard size < 255 else { continue }
      packets.append(packet)
      packet = []
    }
  }
  return Array(packets.dropFirst(2))
}
