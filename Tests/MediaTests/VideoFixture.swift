import Packets
import Testing

@testable import Media

/// Reads videos made by hand.
enum VideoFixture {
  /// All pictures.
  static func frames(of source: inout VideoSource) throws(MediaError) -> [VideoFrame] {
    var result: [VideoFrame] = []
    while let frame = try source.next() { result.append(frame) }
    return result
  }

  /// The pictures before the end or what was thrown, and that.
  static func read(_ bytes: [UInt8], as encoding: VideoEncoding? = nil) -> (frames: [VideoFrame], error: MediaError?) {
    var result: [VideoFrame] = []
    do throws(MediaError) {
      let input = try Inputs.pipe(bytes)
      var source = try input.videoSource(as: encoding)
      while let frame = try source.next() { result.append(frame) }
      return (result, nil)
    } catch {
      return (result, error)
    }
  }

  static func error(_ bytes: [UInt8]) -> MediaError? { read(bytes).error }
}

/// Videos behind our payloads, for ffmpeg to judge.
enum PayloadPassage {
  /// Sends each picture through payloads, and hands on what comes out of them; all pictures.
  static func frames(
    of source: inout VideoSource, through packetizer: VideoPacketizer, to write: (VideoFrame, [UInt8]) throws -> Void
  ) throws -> [VideoFrame] {
    var packetizer = packetizer
    var depacketizer = VideoDepacketizer(source.encoding)
    var buffer = [UInt8](repeating: 0, count: 1_500)
    var frames: [VideoFrame] = []
    while let frame = try source.next() {
      var other: [UInt8] = []
      var isKey = false
      repeat {
        var span = buffer.mutableSpan
        guard let length = packetizer.next(of: frame.bytes.span.bytes, into: &span) else { break }
        let piece = depacketizer.append(buffer.span.bytes.extracting(0..<length), to: &other)
        if try #require(piece).isKey { isKey = true }
      } while !packetizer.isAtEnd
      let isCut = depacketizer.endFrame(in: &other)
      let isSame = other == frame.bytes
      #expect(isSame && !isCut && isKey == frame.isKey)
      try write(frame, other)
      frames.append(frame)
    }
    return frames
  }

  /// The checksums of the decoded pictures.
  static func checksums(_ path: String) throws -> [Substring] {
    let output = try Tool.run("ffmpeg", ["-v", "fatal", "-nostdin", "-i", path, "-f", "framemd5", "-"]).output
    let lines = output.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(!lines.isEmpty)
    return lines.map { $0.split(separator: ",").last ?? "" }
  }
}

/// IVF files made by hand, of frames whose content doesn't matter.
enum IVFFixture {
  /// Every third frame is a key frame of 320 by 240.
  static func frame(_ number: Int) -> [UInt8] {
    let start: [UInt8] =
      number % 3 == 0 ? [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00] : [0x11, 0x02, 0x00]
    return start + (0..<(20 + number)).map { UInt8($0) }
  }

  static func header(codec: String = "VP80", rate: Int64 = 25, length: Int = 32, count: Int = 0) -> [UInt8] {
    var header = IVFHeader()
    header.codec = Array(codec.utf8)
    (header.width, header.height, header.rate, header.length, header.count) = (320, 240, rate, length, count)
    return header.bytes
  }

  static func framed(_ frame: [UInt8], _ stamp: Int64) -> [UInt8] {
    IVFHeader.little(Int64(frame.count), 4) + IVFHeader.little(stamp, 8) + frame
  }

  static func file(frames count: Int, rate: Int64 = 25, stamps: [Int64]? = nil) -> [UInt8] {
    header(rate: rate, count: count) + (0..<count).flatMap { framed(frame($0), stamps?[$0] ?? Int64($0)) }
  }

  /// Where a frame of ``file(frames:rate:stamps:)`` ends.
  static func end(ofFrame number: Int) -> Int { file(frames: number + 1).count }
}

/// Transport streams made by hand.
enum TransportFixture {
  /// A packet of 188 bytes whose content tells its number; with a clock reference, in ticks of 27 MHz, where one is given.
  static func packet(_ number: Int, clock: Int64? = nil, pid: Int = 0x100, isDiscontinuous: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = [0x47, UInt8(pid >> 8), UInt8(pid & 0xff), UInt8(number & 15) | 0x10]
    if let clock {
      let (base, rest) = (clock / 300, clock % 300)
      bytes[3] |= 0x20
      bytes += [7, isDiscontinuous ? 0x90 : 0x10] + [25, 17, 9, 1].map { UInt8(truncatingIfNeeded: base >> $0) }
      bytes += [UInt8(base & 1) << 7 | 0x7e | UInt8(rest >> 8), UInt8(rest & 0xff)]
    }
    return bytes + (0..<(188 - bytes.count)).map { UInt8((number * 7 + $0) % 64) }
  }

  /// So many packets, one millisecond apart, of which every `period`th has a reference.
  static func stream(packets count: Int, period: Int, start: Int64 = 0) -> [UInt8] {
    (0..<count).flatMap { number in
      let time = (start + Int64(number) * 27_000) % TransportPacket.clockModulus
      return packet(number, clock: number % period == 0 ? time : nil)
    }
  }

  /// The pictures that end in these packets.
  static func pictures(
    in packets: [UInt8], _ monitor: inout TransportStreamMonitor
  ) -> [TransportStreamMonitor.Frame] {
    var result: [TransportStreamMonitor.Frame] = []
    for start in stride(from: 0, to: packets.count, by: TransportPacket.size) {
      let packet = packets.span.bytes.extracting(start..<(start + TransportPacket.size))
      if let ended = monitor.append(packet) { result.append(ended) }
    }
    return result
  }
}
