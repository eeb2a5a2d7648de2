import Glibc

/// What is done with a frame: judged by the link, by the link of control packets, or passed on as it is.
enum FrameKind: Equatable {
  case judged
  case control
  /// Neither IPv4 nor IPv6, to a group or to all, or about neighbours: what the kernel sends of itself must draw no
  /// random numbers, or the n-th packet of a stream would meet another fate each time.
  case passed

  /// The bytes before the packet.
  static let header = 14

  /// Looks at a frame of at least 0 bytes; never beyond its end.
  init(_ frame: borrowing RawSpan, controlPorts: [UInt16]) {
    self = .passed
    guard frame.byteCount > Self.header, frame.byte(0) & 1 == 0 else { return }
    switch frame.number(12) {
    case 0x0800:
      self = .judged
      guard !controlPorts.isEmpty, frame.byteCount > Self.header + 9, frame.byte(Self.header + 9) == 17,
        frame.number(Self.header + 6) & 0x1fff == 0
      else { return }
      let transport = Self.header + Int(frame.byte(Self.header) & 0x0f) * 4
      if Self.hasPort(of: controlPorts, frame, at: transport) { self = .control }
    case 0x86dd:
      guard frame.byteCount >= Self.header + 40 else { return }
      let next = frame.byte(Self.header + 6)
      if next == 58, frame.byteCount > Self.header + 40, (133...137).contains(frame.byte(Self.header + 40)) { return }
      self = .judged
      if next == 17, !controlPorts.isEmpty, Self.hasPort(of: controlPorts, frame, at: Self.header + 40) {
        self = .control
      }
    default: return
    }
  }

  private static func hasPort(of ports: [UInt16], _ frame: borrowing RawSpan, at transport: Int) -> Bool {
    guard frame.byteCount >= transport + 4 else { return false }
    return ports.contains(frame.number(transport)) || ports.contains(frame.number(transport + 2))
  }
}

extension RawSpan {
  /// The byte at an offset below `byteCount`.
  func byte(_ offset: Int) -> UInt8 { unsafeLoad(fromUncheckedByteOffset: checkedOffset(offset, 1), as: UInt8.self) }

  /// The 16 bits at an offset, in the order of the network.
  func number(_ offset: Int) -> UInt16 { UInt16(byte(offset)) << 8 | UInt16(byte(offset + 1)) }

  private func checkedOffset(_ offset: Int, _ size: Int) -> Int {
    precondition(offset >= 0 && offset + size <= byteCount, "every caller looks at the size first")
    return offset
  }
}
