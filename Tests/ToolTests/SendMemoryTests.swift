import Glibc
import Testing

/// What a sender holds of media that isn't due yet.
@Suite(.fewAtOnce) struct SendMemoryTests {
  private static let code: [UInt8] = [0, 0, 0, 1]

  /// A picture parameter set of 4 kB with this number and some contents.
  private static func pictureSet(_ number: Int, contents: Int) -> [UInt8] {
    let digits = String(number + 1, radix: 2)
    var bits = String(repeating: "0", count: digits.count - 1) + digits + "1"
    bits += String(repeating: "1", count: (8 - bits.count % 8) % 8)
    var bytes: [UInt8] = [0x68]
    while !bits.isEmpty {
      bytes.append(UInt8(bits.prefix(8), radix: 2) ?? 0)
      bits.removeFirst(8)
    }
    return code + bytes + [UInt8(1 + contents % 200), UInt8(1 + contents / 200)]
      + [UInt8](repeating: 0x55, count: 4_000)
  }

  /// Small pictures, each of which changes one of 250 parameter sets: with each of them a megabyte has to be known.
  private static func flood(pictures: Int) -> [UInt8] {
    var bytes = code + [0x67, 0x42, 0x00, 0x1e, 0xda, 0x05, 0x07, 0xe4]
    for number in 0..<250 { bytes += pictureSet(number, contents: 0) }
    bytes += code + [0x65, 0x88, 0x84, 0x33, 0x80]
    for number in 1..<pictures {
      bytes += pictureSet(number % 250, contents: number) + code + [0x41, 0x9a, 0x22, 0x33, 0x80]
    }
    return bytes
  }

  /// The most memory that a process has had, in kB.
  private static func peak(of process: pid_t) throws -> Int {
    let status = String(decoding: contents("/proc/\(process)/status"), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
    return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
  }

  @Test func `what waits to be sent is bounded by its bytes, not only by its packets`() async throws {
    let folder = try TemporaryFolder()
    let film = folder.file("flood.h264", holding: Self.flood(pictures: 400))
    let socket = try TestSocket.datagrams()
    // A picture a second: the reader has all the time in the world to read too much.
    // The address sanitizer, where there is one, would keep 256 MB of what is freed.
    let sender = try Jitterbug(
      ["send", film, "--fps", "1", "--quiet", "rtp://127.0.0.1:\(try socket.port())"],
      wrapper: ["env", "ASAN_OPTIONS=quarantine_size_mb=1"])
    var frames = 0
    try await sender.wait(for: "four pictures") {
      while let datagram = socket.read(limit: 2_000) {
        if datagram.count > 12, datagram[1] & 0x80 != 0, datagram[1] & 0x7F == 96 { frames += 1 }
      }
      return frames >= 4 ? () : nil
    }
    // 4 MiB wait, and the program itself has some 25 MB; without the limit a megabyte comes on top for each picture read.
    #expect(try Self.peak(of: sender.process) < 80_000)
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0, "\(sender.errors)")
  }
}
