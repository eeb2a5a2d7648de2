import Testing

@testable import Emulation

/// Which frames draw random numbers.
@Suite struct FrameKindTests {
  @Test func `nothing traps, however short the frame`() {
    for size in 0...60 {
      for type: (UInt8, UInt8) in [(8, 0), (0x86, 0xdd), (8, 6)] {
        var frame = [UInt8](repeating: 0x45, count: size)
        if size > 0 { frame[0] = 2 }
        if size > 13 { (frame[12], frame[13]) = type }
        _ = FrameKind(frame.span.bytes, controlPorts: [5005])
      }
    }
  }
}
