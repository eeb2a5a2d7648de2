internal import Sockets

/// Who sends a packet to whom, read from its headers.
public struct PacketFlow: Equatable, Sendable {
  /// `udp`, `tcp`, `icmp`, `icmp6`, `ip` and the number, or `ethernet` and the type in hexadecimal.
  public private(set) var name = "ethernet"
  /// The source's address with its port, if it has one.
  public private(set) var source = ""
  /// The destination's address with its port, if it has one.
  public private(set) var destination = ""

  /// Reads a frame from its Ethernet header on; what is cut off stays empty.
  public init(_ frame: RawSpan) {
    guard frame.byteCount >= FrameKind.header else { return }
    let start = FrameKind.header
    switch frame.number(12) {
    case 0x0800 where frame.byteCount >= start + 20:
      let isFirst = frame.number(start + 6) & 0x1fff == 0
      let transport = start + Int(frame.byte(start) & 0x0f) * 4
      read(frame.byte(start + 9), frame, at: isFirst ? transport : nil) {
        IPv4Address(bits: frame.word($0)).description
      } addresses: {
        [start + 12, start + 16]
      }
    case 0x86dd where frame.byteCount >= start + 40:
      read(frame.byte(start + 6), frame, at: start + 40) { place in
        func half(_ place: Int) -> UInt64 { UInt64(frame.word(place)) << 32 | UInt64(frame.word(place + 4)) }
        return IPv6Address(high: half(place), low: half(place + 8)).description
      } addresses: {
        [start + 8, start + 24]
      }
    case let type: name = "ethernet " + String(type, radix: 16)
    }
  }

  private mutating func read(
    _ transport: UInt8, _ frame: RawSpan, at place: Int?, text: (Int) -> String, addresses: () -> [Int]
  ) {
    let names: [UInt8: String] = [1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"]
    name = names[transport] ?? "ip \(transport)"
    let ends = addresses().map(text)
    guard let place, transport == 6 || transport == 17, frame.byteCount >= place + 4 else {
      (source, destination) = (ends[0], ends[1])
      return
    }
    func end(_ address: String, _ port: UInt16) -> String {
      address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
    source = end(ends[0], frame.number(place))
    destination = end(ends[1], frame.number(place + 2))
  }
}

extension RawSpan {
  /// The 32 bits at an offset, in the order of the network.
  func word(_ offset: Int) -> UInt32 { UInt32(number(offset)) << 16 | UInt32(number(offset + 2)) }
}
