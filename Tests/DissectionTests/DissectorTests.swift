import Testing

@testable import Dissection

@Suite struct `A frame is taken apart` {
  private static let payload: [UInt8] = Array(1...20)

  private func dissect(_ frame: [UInt8], _ link: LinkLayer) -> Dissected {
    Dissector.dissect(frame.span.bytes, link: link)
  }

  private func expectDatagram(
    _ frame: [UInt8], _ link: LinkLayer, flow: Flow = Frames.flow, payload: [UInt8] = payload, length: Int? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .datagram(let datagram) = dissect(frame, link) else {
      Issue.record("no datagram: \(dissect(frame, link))", sourceLocation: sourceLocation)
      return
    }
    #expect(datagram.flow == flow, sourceLocation: sourceLocation)
    #expect(Array(frame[datagram.payload]) == payload, sourceLocation: sourceLocation)
    #expect(datagram.length == length ?? payload.count, sourceLocation: sourceLocation)
  }

  private let four = Frames.ipv4(Frames.udp(payload))
  private let six = Frames.ipv6(Frames.udp(payload, flow: Frames.flow6))

  @Test func `from every link layer`() {
    expectDatagram(Frames.ethernet(four), .ethernet)
    expectDatagram(Frames.ethernet(six, type: 0x86dd), .ethernet, flow: Frames.flow6)
    expectDatagram(four, .raw)
    expectDatagram(six, .raw, flow: Frames.flow6)
    expectDatagram([2, 0, 0, 0] + four, .loopback)
    expectDatagram([0, 0, 0, 2] + four, .loopback)
    for family: UInt8 in [10, 24, 28, 30] { expectDatagram([family, 0, 0, 0] + six, .loopback, flow: Frames.flow6) }
    expectDatagram([UInt8](repeating: 0, count: 14) + [8, 0] + four, .cooked)
    expectDatagram([0x86, 0xdd] + [UInt8](repeating: 0, count: 18) + six, .cooked2, flow: Frames.flow6)
    expectDatagram([0xff, 0x03, 0x00, 0x21] + four, .ppp)
    expectDatagram([0x21] + four, .ppp)
    expectDatagram([0x00, 0x57] + six, .ppp, flow: Frames.flow6)
  }

  @Test func `the short way as the long one, whatever bit is changed and wherever it is cut`() {
    let frame = Frames.ethernet(four)
    var found = 0
    func compare(_ frame: [UInt8]) {
      guard let datagram = Dissector.usual(frame.span.bytes, link: .ethernet) else { return }
      found += 1
      #expect(dissect(frame, .ethernet) == .datagram(datagram))
    }
    for bit in 0..<(frame.count * 8) {
      var changed = frame
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      compare(changed)
    }
    for length in 0...frame.count { compare(Array(frame.prefix(length))) }
    compare(frame + [0, 0])
    #expect(found > 400)
    #expect(Dissector.usual(frame.span.bytes, link: .raw) == nil)
  }

  @Test func `through tags, labels and tunnels`() {
    expectDatagram(Frames.ethernet(four, tags: [0x81, 0, 0, 5]), .ethernet)
    expectDatagram(Frames.ethernet(four, tags: [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6]), .ethernet)
    expectDatagram([UInt8](repeating: 0, count: 14) + [0x81, 0, 0, 7, 8, 0] + four, .cooked)
    expectDatagram(Frames.ethernet([0x11, 0, 0, 1, 0, 48, 0, 0x21] + four, type: 0x8864), .ethernet)
    expectDatagram(Frames.ethernet([0, 0, 0, 64, 0, 0, 1, 64] + four, type: 0x8847), .ethernet)
    expectDatagram(Frames.ethernet(Frames.ipv4(four, protocol: 4)), .ethernet)
    expectDatagram(Frames.ethernet(Frames.ipv4(six, protocol: 41)), .ethernet, flow: Frames.flow6)
    // More of them than anybody stacks are given up.
    let tags = (0..<9).flatMap { _ in [UInt8]([0x81, 0, 0, 5]) }
    #expect(dissect(Frames.ethernet(four, tags: tags), .ethernet) == .other)
    var nested = four
    for _ in 0..<4 { nested = Frames.ipv4(nested, protocol: 4) }
    #expect(dissect(nested, .raw) == .other)
  }

  @Test func `with options and extension headers`() {
    expectDatagram(Frames.ipv4(Frames.udp(Self.payload), options: [7, 4, 0, 0, 0, 0, 0, 0]), .raw)
    let udp = Frames.udp(Self.payload, flow: Frames.flow6)
    let hop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
    let options: [UInt8] = [17, 1] + [UInt8](repeating: 0, count: 14)
    expectDatagram(Frames.ipv6(hop + options + udp, next: 0), .raw, flow: Frames.flow6)
    let authentication: [UInt8] = [17, 4] + [UInt8](repeating: 0, count: 22)
    expectDatagram(Frames.ipv6(authentication + udp, next: 51), .raw, flow: Frames.flow6)
    let endless = (0..<20).flatMap { _ in [UInt8]([0, 0, 1, 4, 0, 0, 0, 0]) }
    #expect(dissect(Frames.ipv6(endless + udp, next: 0), .raw) == .malformed)
  }

  @Test func `the first fragment for its header, the others as fragments`() {
    let whole = Frames.udp([UInt8](repeating: 9, count: 2000))
    let first = Frames.ipv4(Array(whole[..<1480]), fragment: 0x2000)
    expectDatagram(first, .raw, payload: [UInt8](repeating: 9, count: 1472), length: 2000)
    #expect(dissect(Frames.ipv4(Array(whole[1480...]), fragment: 185), .raw) == .fragment)
    let six = Frames.udp([UInt8](repeating: 9, count: 2000), flow: Frames.flow6)
    let header: [UInt8] = [17, 0, 0, 1, 0, 0, 0, 7]
    expectDatagram(
      Frames.ipv6(header + six[..<1440], next: 44), .raw, flow: Frames.flow6,
      payload: [UInt8](repeating: 9, count: 1432),
      length: 2000)
    let later: [UInt8] = [17, 0, 0x05, 0xa8, 0, 0, 0, 7]
    #expect(dissect(Frames.ipv6(later + six[1440...], next: 44), .raw) == .fragment)
  }

  @Test func `with lengths that are held against each other`() {
    // Ethernet pads short frames; IP says where the packet ends.
    expectDatagram(Frames.ethernet(four + [0, 0, 0, 0]), .ethernet)
    #expect(dissect(Frames.ipv4(Frames.udp(Self.payload, length: 29)), .raw) == .malformed)
    #expect(dissect(Frames.ipv4(Frames.udp(Self.payload, length: 7)), .raw) == .malformed)
    #expect(dissect(Frames.ipv4(Frames.udp(Self.payload), length: 12), .raw) == .malformed)
    // Cut by a short snapshot length: what is there, and how much there was.
    expectDatagram(Array(four[..<40]), .raw, payload: Array(1...12), length: 20)
    // Left open by segmentation offload.
    expectDatagram(Frames.ipv4(Frames.udp(Self.payload), length: 0), .raw)
  }

  @Test func `into a segment of TCP, or as another protocol`() {
    let tcp: [UInt8] = [0, 80, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x18, 0, 9, 0, 0, 0, 0, 1, 1, 1, 1, 65, 66]
    #expect(dissect(Frames.ipv4(tcp, protocol: 6), .raw) == .segment(44..<46))
    #expect(dissect(Frames.ipv4([8, 0, 0, 0], protocol: 1), .raw) == .other)
    #expect(dissect(Frames.ethernet([0, 1, 8, 0], type: 0x0806), .ethernet) == .other)
  }

  /// Frames with everything in them.
  static let samples: [(frame: [UInt8], link: LinkLayer)] = {
    let six = Frames.udp(payload, flow: Frames.flow6)
    return [
      (Frames.ethernet(Frames.ipv4(Frames.udp(payload), options: [1, 1, 1, 0]), tags: [0x81, 0, 0, 5]), .ethernet),
      (Frames.ethernet([0x11, 0, 0, 1, 0, 48, 0, 0x21] + Frames.ipv4(Frames.udp(payload)), type: 0x8864), .ethernet),
      (Frames.ipv6([60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0] + six, next: 0), .raw),
      (Frames.ipv6([17, 0, 0, 1, 0, 0, 0, 7] + six, next: 44), .raw),
      ([0x86, 0xdd] + [UInt8](repeating: 0, count: 18) + Frames.ipv6(six), .cooked2),
      ([2, 0, 0, 0] + Frames.ipv4(Frames.ipv4(Frames.udp(payload)), protocol: 4), .loopback),
    ]
  }()

  @Test func `at any length, and with any bit changed, without a trap`() {
    for sample in Self.samples {
      for length in 0...sample.frame.count {
        let cut = Array(sample.frame[..<length])
        if case .datagram(let datagram) = dissect(cut, sample.link) {
          #expect(datagram.payload.upperBound <= length && datagram.length >= datagram.payload.count)
        }
      }
      for bit in 0..<(sample.frame.count * 8) {
        var changed = sample.frame
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        for length in [changed.count, changed.count / 2] {
          if case .datagram(let datagram) = dissect(Array(changed[..<length]), sample.link) {
            #expect(datagram.payload.upperBound <= length && datagram.length >= datagram.payload.count)
          }
        }
      }
    }
  }

  @Test(
    arguments: [
      (NetworkEndpoint(ipv4: 0xc0a8_0114, port: 5004), "192.168.1.20:5004"),
      (NetworkEndpoint(high: 0x2001_0db8_0000_0000, low: 1, port: 9), "[2001:db8::1]:9"),
      (NetworkEndpoint(high: 0, low: 1, port: 9), "[::1]:9"), (NetworkEndpoint(high: 0, low: 0, port: 9), "[::]:9"),
      (NetworkEndpoint(high: 0xfe80_0000_0000_0000, low: 0, port: 9), "[fe80::]:9"),
      (NetworkEndpoint(high: 0x0001_0000_0002_0003, low: 0x0004_0005_0006_0007, port: 9), "[1:0:2:3:4:5:6:7]:9"),
    ])
  func `between addresses that people can read`(endpoint: NetworkEndpoint, text: String) throws {
    #expect(endpoint.description == text)
    #expect(NetworkEndpoint(address: endpoint.address, port: endpoint.port) == endpoint)
  }
}
