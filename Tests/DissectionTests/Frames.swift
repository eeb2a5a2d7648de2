import Dissection
import Packets
import Timeline

/// Frames as they stand in captures, layer by layer.
enum Frames {
  static let source = NetworkEndpoint(ipv4: 0x0a00_0001, port: 4000)
  static let destination = NetworkEndpoint(ipv4: 0x0a00_0002, port: 5000)
  static let flow = Flow(source: source, destination: destination)
  static let source6 = NetworkEndpoint(high: 0x2001_0db8_0000_0000, low: 1, port: 4000)
  static let destination6 = NetworkEndpoint(high: 0x2001_0db8_0000_0000, low: 2, port: 5000)
  static let flow6 = Flow(source: source6, destination: destination6)

  static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

  static func udp(_ payload: [UInt8], flow: Flow = flow, length: Int? = nil) -> [UInt8] {
    big(flow.source.port) + big(flow.destination.port) + big(UInt16(length ?? payload.count + 8)) + [0, 0] + payload
  }

  static func ipv4(
    _ body: [UInt8], protocol transport: UInt8 = 17, flow: Flow = flow, options: [UInt8] = [], fragment: UInt16 = 0,
    length: Int? = nil
  ) -> [UInt8] {
    let header = 20 + options.count
    return [0x40 | UInt8(header / 4), 0] + big(UInt16(length ?? header + body.count)) + [0, 1] + big(fragment)
      + [64, transport, 0, 0] + big(UInt32(truncatingIfNeeded: flow.source.low))
      + big(UInt32(truncatingIfNeeded: flow.destination.low)) + options + body
  }

  static func ipv6(_ body: [UInt8], next: UInt8 = 17, flow: Flow = flow6, length: Int? = nil) -> [UInt8] {
    [0x60, 0, 0, 0] + big(UInt16(length ?? body.count)) + [next, 64] + big(flow.source.high) + big(flow.source.low)
      + big(flow.destination.high) + big(flow.destination.low) + body
  }

  static func ethernet(_ body: [UInt8], type: UInt16 = 0x0800, tags: [UInt8] = []) -> [UInt8] {
    [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + tags + big(type) + body
  }

  /// An Ethernet frame with a UDP datagram over IPv4.
  static func frame(_ payload: [UInt8], flow: Flow = flow) -> [UInt8] {
    ethernet(ipv4(udp(payload, flow: flow), flow: flow))
  }

  static func rtp(
    _ sequence: Int, ssrc: UInt32 = 0xfeed_0001, type: UInt8 = 0, timestamp: Int? = nil, marker: Bool = false,
    payload: [UInt8] = [UInt8](repeating: 0x55, count: 160)
  ) -> [UInt8] {
    [0x80, (marker ? 0x80 : 0) | type] + big(UInt16(truncatingIfNeeded: sequence))
      + big(UInt32(truncatingIfNeeded: timestamp ?? sequence * 160)) + big(ssrc) + payload
  }

  static func rtcp(ssrc: UInt32, packets: UInt32, cname: String = "mouth", isGoodbye: Bool = false) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 500)
    var span = bytes.mutableSpan
    var writer = CompoundWriter()
    let report = SenderReport(
      ssrc: ssrc, ntp: NTPTimestamp(rawValue: 1 << 40), rtpTimestamp: RTPTimestamp(0), packetCount: packets,
      octetCount: 0)
    _ = writer.senderReport(report, into: &span)
    _ = writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, into: &span)
    if isGoodbye { _ = writer.goodbye(ssrc: ssrc, into: &span) }
    return Array(bytes[..<writer.count])
  }
}

/// Captures as files have them.
enum CaptureBytes {
  static func number<T: FixedWidthInteger>(_ value: T, isBigEndian: Bool) -> [UInt8] {
    withUnsafeBytes(of: isBigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
  }

  /// A pcap file whose n-th frame was captured n times 20 ms after 1 January 2024.
  static func pcap(
    _ frames: [[UInt8]], isBigEndian: Bool = false, isNanosecond: Bool = false, linkType: UInt32 = 1
  ) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { number(value, isBigEndian: isBigEndian) }
    func half(_ value: UInt16) -> [UInt8] { number(value, isBigEndian: isBigEndian) }
    var bytes = word(isNanosecond ? 0xa1b2_3c4d : 0xa1b2_c3d4) + half(2) + half(4) + word(0) + word(0) + word(65_535)
    bytes += word(linkType)
    for (index, frame) in frames.enumerated() {
      let fraction = UInt32(index % 50) * (isNanosecond ? 20_000_000 : 20_000)
      bytes += word(1_704_067_200 + UInt32(index / 50)) + word(fraction)
      bytes += word(UInt32(frame.count)) + word(UInt32(frame.count)) + frame
    }
    return bytes
  }

  static func block(_ type: UInt32, _ body: [UInt8], isBigEndian: Bool) -> [UInt8] {
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    let total = number(UInt32(padded.count + 12), isBigEndian: isBigEndian)
    return number(type, isBigEndian: isBigEndian) + total + padded + total
  }

  static func section(isBigEndian: Bool) -> [UInt8] {
    let order = number(UInt32(0x1a2b_3c4d), isBigEndian: isBigEndian)
    return block(
      0x0a0d_0d0a, order + number(UInt16(1), isBigEndian: isBigEndian) + [0, 0] + [UInt8](repeating: 0xff, count: 8),
      isBigEndian: isBigEndian)
  }

  static func interface(linkType: UInt16, options: [UInt8] = [], isBigEndian: Bool) -> [UInt8] {
    block(
      1,
      number(linkType, isBigEndian: isBigEndian) + [0, 0] + number(UInt32(65_535), isBigEndian: isBigEndian) + options,
      isBigEndian: isBigEndian)
  }

  /// An Enhanced Packet Block.
  static func packet(_ frame: [UInt8], interface: UInt32 = 0, ticks: UInt64, isBigEndian: Bool) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { number(value, isBigEndian: isBigEndian) }
    return block(
      6,
      word(interface) + word(UInt32(ticks >> 32)) + word(UInt32(truncatingIfNeeded: ticks)) + word(UInt32(frame.count))
        + word(UInt32(frame.count)) + frame, isBigEndian: isBigEndian)
  }

  /// A pcapng file with one Ethernet interface and stamps in microseconds.
  static func pcapng(_ frames: [[UInt8]], isBigEndian: Bool = false) -> [UInt8] {
    var bytes = section(isBigEndian: isBigEndian) + interface(linkType: 1, isBigEndian: isBigEndian)
    for (index, frame) in frames.enumerated() {
      bytes += packet(frame, ticks: 1_704_067_200_000_000 + UInt64(index) * 20_000, isBigEndian: isBigEndian)
    }
    return bytes
  }
}
