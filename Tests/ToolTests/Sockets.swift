import Glibc
import Testing

/// A socket of the test's own, which plays the other end of a stream.
final class TestSocket {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Connects to `tcp://127.0.0.1:PORT`.
  static func connected(to address: String) throws -> TestSocket {
    let socket = try stream()
    var name = try loopback(port: port(of: address))
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
    return socket
  }

  /// Listens for TCP on a port of loopback that the system chooses, with a small receive buffer.
  static func listening() throws -> TestSocket {
    let socket = try stream()
    var size: Int32 = 4096
    setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    var on: Int32 = 1
    setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    try socket.bind(port: 0)
    try #require(listen(socket.descriptor, 4) == 0)
    return socket
  }

  /// Holds a UDP port of loopback that the system chooses.
  static func datagrams(port: UInt16 = 0) throws -> TestSocket {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(descriptor >= 0)
    let socket = TestSocket(descriptor)
    try socket.bind(port: port)
    return socket
  }

  /// Talks with `rtp://127.0.0.1:PORT` alone from now on.
  func connectDatagrams(to address: String) throws {
    var name = try Self.loopback(port: Self.port(of: address))
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
  }

  /// The port it has.
  func port() throws -> UInt16 {
    var name = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    try #require(result == 0)
    return UInt16(bigEndian: name.sin_port)
  }

  /// The next connection; nil while there is none.
  func accepted() -> TestSocket? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 0) == 1 else { return nil }
    let connection = accept(descriptor, nil, nil)
    guard connection >= 0 else { return nil }
    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
    return TestSocket(connection)
  }

  /// Sends all of it.
  func send(_ bytes: [UInt8]) throws {
    try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
  }

  /// What there is to read now, at most `limit` bytes; nil while there is nothing, empty at the end.
  func read(limit: Int) -> [UInt8]? {
    var block = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &block, limit, Int32(MSG_DONTWAIT))
    if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : [] }
    return Array(block[..<count])
  }

  /// Ends it with a reset instead of an orderly end.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  private static func stream() throws -> TestSocket {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(descriptor >= 0)
    return TestSocket(descriptor)
  }

  private func bind(port: UInt16) throws {
    var name = Self.loopback(port: port)
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
  }

  private static func port(of address: String) throws -> UInt16 {
    try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return name
  }
}

/// Packets written by hand.
enum Wire {
  /// An RTP packet of Opus (RFC 3550 section 5.1).
  static func rtp(_ number: Int, ssrc: UInt32, payloadType: UInt8 = 111) -> [UInt8] {
    let timestamp = UInt32(truncatingIfNeeded: number * 960)
    return [0x80, payloadType] + big(UInt32(number), 2) + big(timestamp, 4) + big(ssrc, 4) + Made.packet(number)
  }

  /// A datagram in a frame (RFC 4571 section 2).
  static func frame(_ datagram: [UInt8]) -> [UInt8] { big(UInt32(datagram.count), 2) + datagram }

  /// Cuts a stream of frames; what is left over is an unfinished frame.
  static func frames(_ bytes: [UInt8]) -> (datagrams: [[UInt8]], rest: Int) {
    var datagrams: [[UInt8]] = []
    var place = 0
    while place + 2 <= bytes.count {
      let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
      guard place + 2 + length <= bytes.count else { break }
      datagrams.append(Array(bytes[(place + 2)..<(place + 2 + length)]))
      place += 2 + length
    }
    return (datagrams, bytes.count - place)
  }

  /// A sender's report and its goodbye (RFC 3550 sections 6.5 and 6.6), as one compound packet.
  static func goodbye(ssrc: UInt32) -> [UInt8] {
    // An empty receiver report comes first, as section 6.1 demands.
    [0x80, 201, 0, 1] + big(ssrc, 4) + [0x81, 202, 0, 2] + big(ssrc, 4) + [1, 1, 0x78, 0] + [0x81, 203, 0, 1]
      + big(ssrc, 4)
  }

  private static func big(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
  }
}
