import Foundation

/// Captures for the tests: the public ones that lie beside the project, and some made here.
enum Captures {
  /// The folder of the public captures; nil where it isn't there.
  static let folder: URL? = {
    var place = URL(filePath: #filePath)
    while place.path.count > 1 {
      place.deleteLastPathComponent()
      let candidate = place.appending(path: "shared/captures")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return nil
  }()

  static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
  static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// A frame (raw IPv4) from 10.0.0.1:4000 to 10.0.0.2:5000.
  static func frame(_ payload: [UInt8]) -> [UInt8] {
    [0x45, 0] + big(UInt16(28 + payload.count)) + [0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
      + big(UInt16(4000)) + big(UInt16(5000)) + big(UInt16(8 + payload.count)) + [0, 0] + payload
  }

  static func rtp(_ number: Int, ssrc: UInt32 = 0xcafe, type: UInt8 = 0, step: Int = 160, payload: [UInt8]) -> [UInt8] {
    [0x80, type] + big(UInt16(truncatingIfNeeded: number)) + big(UInt32(number * step)) + big(ssrc) + payload
  }

  /// A pcap file of raw IP frames at these milliseconds.
  static func pcap(_ frames: [(milliseconds: Double, bytes: [UInt8])], linkType: UInt32 = 101) -> [UInt8] {
    var bytes = little(UInt32(0xa1b2_c3d4)) + [2, 0, 4, 0] + [UInt8](repeating: 0, count: 8) + little(UInt32(65_535))
    bytes += little(linkType)
    for frame in frames {
      let microseconds = Int(frame.milliseconds * 1000)
      bytes += little(UInt32(1_704_067_200 + microseconds / 1_000_000)) + little(UInt32(microseconds % 1_000_000))
      bytes += little(UInt32(frame.bytes.count)) + little(UInt32(frame.bytes.count)) + frame.bytes
    }
    return bytes
  }

  /// A call of μ-law, 20 ms a packet: what the network did to number n stands in `fates`, else it took 5 ms.
  static func call(packets: Int, fates: [Int: [Double]]) -> [UInt8] {
    var frames: [(milliseconds: Double, bytes: [UInt8])] = []
    for number in 0..<packets {
      for delay in fates[number] ?? [5] {
        let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 160)
        frames.append((Double(number) * 20 + delay, frame(rtp(number, payload: payload))))
      }
    }
    return pcap(frames.sorted { $0.milliseconds < $1.milliseconds })
  }
}
