import Sockets
import Testing

@testable import Emulation

/// Frames made by hand, from the Ethernet header on.
enum Frames {
  /// An IPv4 packet with these first bytes of its payload.
  static func v4(_ transport: UInt8, _ payload: [UInt8], options: Int = 0, fragment: UInt16 = 0, to mac: UInt8 = 2)
    -> [UInt8]
  {
    ethernet(0x0800, to: mac)
      + [UInt8(0x45 + options), 0, 0, 0, 0, 0, UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, transport, 0, 0]
      + [10, 77, 0, 1, 10, 77, 0, 2] + [UInt8](repeating: 0, count: options * 4) + payload
  }

  /// An IPv6 packet with these first bytes of its payload.
  static func v6(_ transport: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let prefix: [UInt8] = [0xfd, 0x6a, 0x62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    return ethernet(0x86dd, to: 2) + [0x60, 0, 0, 0, 0, UInt8(payload.count), transport, 64] + prefix + [1] + prefix
      + [2] + payload
  }

  static func ethernet(_ type: UInt16, to mac: UInt8) -> [UInt8] {
    [mac, 0x6a, 0x62, 0, 0, 2, 2, 0x6a, 0x62, 0, 0, 1, UInt8(type >> 8), UInt8(type & 0xff)]
  }

  /// UDP ports and length.
  static func udp(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
    [UInt8(source >> 8), UInt8(source & 0xff), UInt8(destination >> 8), UInt8(destination & 0xff), 0, 8, 0, 0]
  }
}

/// Which frames draw random numbers, and whose.
@Suite struct FrameKindTests {
  private func kind(_ frame: [UInt8], _ ports: [UInt16] = []) -> FrameKind {
    FrameKind(frame.span.bytes, controlPorts: ports)
  }

  @Test func `packets from one host to another are judged, by IPv4 and IPv6`() {
    #expect(kind(Frames.v4(17, Frames.udp(5004, 5004))) == .judged)
    #expect(kind(Frames.v4(6, Frames.udp(80, 4000))) == .judged)
    #expect(kind(Frames.v4(1, [8, 0])) == .judged)
    #expect(kind(Frames.v6(17, Frames.udp(5004, 5004))) == .judged)
    #expect(kind(Frames.v6(58, [128, 0])) == .judged)
  }

  @Test func `what the kernel sends of itself is passed`() {
    #expect(kind(Frames.ethernet(0x0806, to: 2) + [UInt8](repeating: 0, count: 28)) == .passed)
    #expect(kind(Frames.v4(17, Frames.udp(1, 2), to: 0xff)) == .passed)
    #expect(kind(Frames.v4(2, [0x16], to: 1)) == .passed)
    for type: UInt8 in 133...137 { #expect(kind(Frames.v6(58, [type, 0])) == .passed) }
  }

  @Test func `UDP from or to a control port has a link of its own`() {
    #expect(kind(Frames.v4(17, Frames.udp(5005, 40_000)), [5005]) == .control)
    #expect(kind(Frames.v4(17, Frames.udp(40_000, 5005)), [5005]) == .control)
    #expect(kind(Frames.v4(17, Frames.udp(40_000, 5005), options: 3), [5005]) == .control)
    #expect(kind(Frames.v6(17, Frames.udp(40_000, 5005)), [7, 5005]) == .control)
    #expect(kind(Frames.v4(17, Frames.udp(5004, 5004)), [5005]) == .judged)
    #expect(kind(Frames.v4(6, Frames.udp(5005, 5005)), [5005]) == .judged)
    // A later fragment has no ports.
    #expect(kind(Frames.v4(17, Frames.udp(5005, 5005), fragment: 100), [5005]) == .judged)
  }

  @Test func `nothing traps, however short the frame and whichever bit is wrong`() {
    for frame in [
      Frames.v4(17, Frames.udp(1, 5005), options: 10), Frames.v6(17, Frames.udp(1, 5005)), Frames.v6(58, [135]),
    ] {
      for size in 0...frame.count {
        _ = kind(Array(frame[..<size]), [5005])
        _ = PacketFlow(Array(frame[..<size]).span.bytes)
      }
      for bit in 0..<frame.count * 8 {
        var wrong = frame
        wrong[bit / 8] ^= 1 << UInt8(bit % 8)
        _ = kind(wrong, [5005])
        _ = PacketFlow(wrong.span.bytes)
      }
    }
  }

  @Test func `a flow says who sends to whom`() {
    func text(_ frame: [UInt8]) -> String {
      let flow = PacketFlow(frame.span.bytes)
      return "\(flow.name) \(flow.source) \(flow.destination)"
    }
    #expect(text(Frames.v4(17, Frames.udp(5004, 80), options: 2)) == "udp 10.77.0.1:5004 10.77.0.2:80")
    #expect(text(Frames.v6(6, Frames.udp(5004, 80))) == "tcp [fd6a:6200::1]:5004 [fd6a:6200::2]:80")
    #expect(text(Frames.v4(1, [8, 0])) == "icmp 10.77.0.1 10.77.0.2")
    #expect(text(Frames.v4(17, Frames.udp(5004, 80), fragment: 9)) == "udp 10.77.0.1 10.77.0.2")
    #expect(text(Frames.v4(132, [])) == "ip 132 10.77.0.1 10.77.0.2")
    #expect(text(Frames.ethernet(0x0806, to: 2)) == "ethernet 806  ")
  }
}
