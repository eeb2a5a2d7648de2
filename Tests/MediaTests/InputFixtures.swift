import Glibc

@testable import Media

/// WAV files made by hand, and pipes that hold them.
enum WAVFixture {
  /// A tone at half of full scale, the same in every channel.
  static func tone(rate: Int, channels: Int, frames: Int, frequency: Double = 440) -> [Float] {
    (0..<frames).flatMap { frame in
      [Float](repeating: Float(0.5 * sin(2 * Double.pi * frequency * Double(frame) / Double(rate))), count: channels)
    }
  }

  /// The bytes of samples as they are stored.
  static func store(_ samples: [Float], _ encoding: RawPCMFormat.Encoding) -> [UInt8] {
    samples.flatMap { sample -> [UInt8] in
      let bits =
        encoding == .f32le
        ? sample.bitPattern : UInt32(bitPattern: Int32(max(-1, min(Double(sample), 0.9999999)) * 0x1p31))
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(8 * $0)) }
      return Array(bytes.suffix(encoding.bytes))
    }
  }

  /// A whole file.
  ///
  /// `dataSize` is what the header says, if not the truth; `chunks` come before the samples.
  static func file(
    _ samples: [Float], _ encoding: RawPCMFormat.Encoding, rate: Int, channels: Int, isExtensible: Bool = false,
    dataSize: UInt32? = nil, chunks: [UInt8] = []
  ) -> [UInt8] {
    let data = store(samples, encoding)
    let tag: UInt16 = encoding == .f32le ? 3 : 1
    var format = little(isExtensible ? 0xFFFE : tag, 2) + little(channels, 2) + little(rate, 4)
    format += little(rate * channels * encoding.bytes, 4) + little(channels * encoding.bytes, 2)
    format += little(encoding.bytes * 8, 2)
    if isExtensible {
      format += little(22, 2) + little(encoding.bytes * 8, 2) + little((1 << channels) - 1, 4) + little(tag, 2)
      format += [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    }
    var body = Array("WAVEfmt ".utf8) + little(format.count, 4) + format + chunks
    body += Array("data".utf8) + little(dataSize ?? UInt32(data.count), 4) + data
    return Array("RIFF".utf8) + little(body.count, 4) + body
  }

  static func little(_ value: some BinaryInteger, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

enum Inputs {
  /// An input whose descriptor is a pipe that holds `bytes`, less than a MiB, and then ends.
  static func pipe(_ bytes: [UInt8]) throws(MediaError) -> MediaInput {
    var ends: [CInt] = [0, 0]
    _ = Glibc.pipe(&ends)
    let setPipeSize: CInt = 1031
    _ = fcntl(ends[1], setPipeSize, 1 << 20)
    _ = write(ends[1], bytes, bytes.count)
    _ = close(ends[1])
    return try MediaInput(InputDescriptor(ends[0]), name: "-")
  }

  /// All samples, in pieces of `step` frames.
  static func samples(_ source: inout AudioSource, step: Int = 960) throws(MediaError) -> [Float] {
    var result: [Float] = []
    while try source.read(frames: step, into: &result) > 0 {}
    return result
  }

  static func samples(path: String) throws(MediaError) -> [Float] {
    let input = try MediaInput(path: path)
    var source = try input.audioSource()
    return try samples(&source)
  }

  /// What was thrown while opening a file and reading all of it.
  static func error(path: String) -> MediaError? {
    do throws(MediaError) {
      _ = try samples(path: path)
      return nil
    } catch {
      return error
    }
  }

  static func error(pipe bytes: [UInt8]) -> MediaError? {
    do throws(MediaError) {
      let input = try pipe(bytes)
      var source = try input.audioSource()
      _ = try samples(&source)
      return nil
    } catch {
      return error
    }
  }

  /// The greatest difference between two signals.
  static func difference(_ left: [Float], _ right: [Float]) -> Float {
    zip(left, right).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
