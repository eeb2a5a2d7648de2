import Codecs
import Packets

/// Encodes and decodes whole signals for the tests.
enum OpusCoding {
  static func encodeOne(_ samples: [Float], room: Int, _ encoder: inout OpusEncoder) throws(OpusError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: room)
    var output = buffer.mutableSpan
    let count = try encoder.encode(samples.span, into: &output)
    return Array(buffer[..<count])
  }

  static func encode(_ samples: [Float], _ settings: OpusSettings) throws -> (packets: [[UInt8]], lookahead: Int) {
    var encoder = try OpusEncoder(settings)
    let step = settings.frameSize * settings.channels
    var packets: [[UInt8]] = []
    var buffer = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
    for start in stride(from: 0, through: samples.count - step, by: step) {
      var output = buffer.mutableSpan
      let count = try encoder.encode(samples.span.extracting(start..<start + step), into: &output)
      packets.append(Array(buffer[..<count]))
    }
    return (packets, encoder.lookahead)
  }

  static func decode(_ packets: [[UInt8]], channels: Int) throws -> [Float] {
    var decoder = try OpusDecoder(channels: channels)
    var result: [Float] = []
    for packet in packets { result += try decode(packet, &decoder) }
    return result
  }

  static func decode(
    _ packet: [UInt8], room: Int = OpusDecoder.maximumFrames * 2, _ decoder: inout OpusDecoder
  ) throws(OpusError) -> [Float] {
    var samples = [Int16](repeating: 0, count: room)
    var output = samples.mutableSpan
    let frames = try decoder.decode(packet: packet.span.bytes, into: &output)
    return floats(samples[..<(frames * decoder.channels)])
  }

  /// The output behind the frames that were asked for is `background`, and shows when it was written.
  static func conceal(
    _ frames: Int, room: Int, background: Int16 = 0, _ decoder: inout OpusDecoder
  ) throws(OpusError) -> [Int16] {
    var samples = [Int16](repeating: background, count: room)
    var output = samples.mutableSpan
    let done = try decoder.conceal(frames: frames, into: &output)
    return done == frames ? samples : []
  }

  static func recover(
    _ frames: Int, from next: [UInt8], room: Int, background: Int16 = 0, _ decoder: inout OpusDecoder
  ) throws(OpusError) -> [Int16] {
    var samples = [Int16](repeating: background, count: room)
    var output = samples.mutableSpan
    let done = try decoder.decodeFEC(from: next.span.bytes, frames: frames, into: &output)
    return done == frames ? samples : []
  }

  static func hasFEC(_ packet: [UInt8]) -> Bool { OpusPacket.carriesFEC(packet.span.bytes) }

  static func floats(_ samples: ArraySlice<Int16>) -> [Float] { samples.map { Float($0) / 32_768 } }
}
