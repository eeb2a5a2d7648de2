import Glibc
import Testing

/// Media made here, so that the tests need no files and the command's own writers don't judge themselves.
enum Made {
  /// An Opus packet of 20 ms (CELT, full band, stereo): noise to a decoder, and different for each number.
  static func packet(_ number: Int, size: Int = 60) -> [UInt8] {
    var state = UInt32(truncatingIfNeeded: number &* 2_654_435_761 &+ 12_345)
    return [0xFC]
      + (1..<size).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
      }
  }

  /// An Ogg Opus file of packets of 20 ms.
  static func opus(packets: Int, from first: Int = 0, serial: UInt32 = 7) -> [UInt8] {
    var pages = OggPages(serial: serial)
    var bytes = pages.headers()
    for start in stride(from: 0, to: packets, by: 25) {
      let end = min(packets, start + 25)
      bytes += pages.page(
        (start..<end).map { packet(first + $0) }, granule: Int64(end * 960), flags: end == packets ? 4 : 0)
    }
    return bytes
  }

  /// A WAV file (16 bit) with a tone of 440 Hz.
  static func wav(
    seconds: Double, rate: Int = 48_000, channels: Int = 2, silentFrom: Double? = nil, silentTo: Double = 0
  )
    -> [UInt8]
  {
    let data = raw(seconds: seconds, rate: rate, channels: channels, silentFrom: silentFrom, silentTo: silentTo)
    var format = little(1, 2) + little(channels, 2) + little(rate, 4)
    format += little(rate * channels * 2, 4) + little(channels * 2, 2) + little(16, 2)
    let body = Array("WAVEfmt ".utf8) + little(16, 4) + format + Array("data".utf8) + little(data.count, 4) + data
    return Array("RIFF".utf8) + little(body.count, 4) + body
  }

  /// The samples alone, `s16le`.
  static func raw(seconds: Double, rate: Int, channels: Int, silentFrom: Double? = nil, silentTo: Double = 0) -> [UInt8]
  {
    (0..<Int(seconds * Double(rate))).flatMap { frame -> [UInt8] in
      let time = Double(frame) / Double(rate)
      let isSilent = silentFrom.map { time >= $0 && time < silentTo } ?? false
      let sample = isSilent ? 0 : Int(8_000 * sin(2 * Double.pi * 440 * time))
      return (0..<channels).flatMap { _ in little(sample, 2) }
    }
  }

  /// Raw samples, 16 kHz and mono, that the encoder takes for a voice: harmonics that come and go.
  static func voice(seconds: Double) -> [UInt8] {
    (0..<Int(seconds * 16_000)).flatMap { frame -> [UInt8] in
      let time = 2 * Double.pi * Double(frame) / 16_000
      let harmonics = (1..<8).reduce(0.0) { $0 + sin(time * 150 * Double($1)) / Double($1) }
      return little(Int(2_000 * (1 + sin(time * 4)) * harmonics), 2)
    }
  }

  /// IVF with frames that look like VP8, of these sizes at 25 a second; every tenth is a key frame (RFC 6386 section 9.1).
  static func ivf(frames sizes: [Int]) -> [UInt8] {
    var bytes = [UInt8]("DKIF".utf8) + little(0, 2) + little(32, 2) + [UInt8]("VP80".utf8) + little(320, 2)
    bytes += little(240, 2) + little(25, 4) + little(1, 4) + little(sizes.count, 4) + little(0, 4)
    for (number, size) in sizes.enumerated() {
      var frame = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(size, 10))
      let isKey = number % 10 == 0
      frame.replaceSubrange(0..<3, with: [isKey ? 0x10 : 0x11, 2, 0])
      if isKey { frame.replaceSubrange(3..<10, with: [0x9d, 0x01, 0x2a] + little(320, 2) + little(240, 2)) }
      bytes += little(frame.count, 4) + little(number, 8) + frame
    }
    return bytes
  }

  static func little(_ value: some BinaryInteger, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// Ogg pages made without libogg.
struct OggPages {
  var serial: UInt32 = 7
  private var sequence: UInt32 = 0

  init(serial: UInt32 = 7) { self.serial = serial }

  /// The two header pages (RFC 7845 section 5).
  mutating func headers(version: UInt8 = 1, channels: UInt8 = 2, mapping: [UInt8] = [0]) -> [UInt8] {
    let head = Array("OpusHead".utf8) + [version, channels, 0, 0, 0x80, 0xBB, 0, 0, 0, 0] + mapping
    return page([head], granule: 0, flags: 2)
      + page([Array("OpusTags".utf8) + [0, 0, 0, 0, 0, 0, 0, 0]], granule: 0)
  }

  /// A page of whole packets.
  mutating func page(_ packets: [[UInt8]], granule: Int64, flags: UInt8 = 0) -> [UInt8] {
    let lengths = packets.flatMap { [UInt8](repeating: 255, count: $0.count / 255) + [UInt8($0.count % 255)] }
    var page = Array("OggS".utf8) + [0, flags] + Made.little(granule, 8) + Made.little(serial, 4)
    page += Made.little(sequence, 4) + [0, 0, 0, 0, UInt8(lengths.count)] + lengths + packets.flatMap { $0 }
    var sum: UInt32 = 0
    for byte in page {
      sum ^= UInt32(byte) << 24
      for _ in 0..<8 { sum = sum & 0x8000_0000 != 0 ? sum << 1 ^ 0x04C1_1DB7 : sum << 1 }
    }
    page.replaceSubrange(22..<26, with: Made.little(sum, 4))
    sequence &+= 1
    return page
  }
}

/// The audio packets of an Ogg Opus file, and the position at which the file says that it ends.
struct OggPackets {
  var payloads: [[UInt8]] = []
  var end: Int64 = 0

  init(_ file: [UInt8]) throws {
    var place = 0
    var all: [[UInt8]] = []
    var open: [UInt8] = []
    while place + 27 <= file.count {
      try #require(file[place..<(place + 4)].elementsEqual("OggS".utf8))
      let granule = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[place + 6 + $1]) << UInt64(8 * $1) }
      let count = Int(file[place + 26])
      guard place + 27 + count <= file.count else { break }
      let lacing = file[(place + 27)..<(place + 27 + count)]
      place += 27 + count
      for length in lacing {
        guard place + Int(length) <= file.count else { break }
        open += file[place..<(place + Int(length))]
        place += Int(length)
        if length < 255 {
          all.append(open)
          open = []
        }
      }
      if granule != .max { end = Int64(bitPattern: granule) }
    }
    try #require(all.count >= 2 && all[0].starts(with: "OpusHead".utf8) && all[1].starts(with: "OpusTags".utf8))
    payloads = Array(all.dropFirst(2))
  }
}

/// A WAV file of 16-bit samples, read by its header.
struct WAVFile {
  let rate: Int
  let channels: Int
  let samples: [Int16]
  /// Whether the sizes in the header are those of the file.
  let isWhole: Bool

  init(_ file: [UInt8]) throws {
    func number(_ place: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) } }
    try #require(file.count >= 44 && file.starts(with: "RIFF".utf8) && file[8..<12].elementsEqual("WAVE".utf8))
    var place = 12
    var format: (channels: Int, rate: Int)?
    while place + 8 <= file.count {
      let size = number(place + 4, 4)
      if file[place..<(place + 4)].elementsEqual("fmt ".utf8) {
        format = (number(place + 10, 2), number(place + 12, 4))
      }
      if file[place..<(place + 4)].elementsEqual("data".utf8) {
        let bytes = file[(place + 8)..<min(file.count, place + 8 + size)]
        (channels, rate) = try #require(format)
        let start = place + 8
        samples = (0..<(bytes.count / 2)).map { Int16(truncatingIfNeeded: number(start + 2 * $0, 2)) }
        isWhole = place + 8 + size == file.count && number(4, 4) == file.count - 8
        return
      }
      place += 8 + size + size % 2
    }
    throw MissingData()
  }

  /// The number of frames, each a sample for every channel.
  var frames: Int { samples.count / channels }

  private struct MissingData: Error {}
}
