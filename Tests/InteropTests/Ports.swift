import Foundation
import Synchronization
import Testing

/// UDP ports for a test: a pair, even and odd, as RTP and RTCP want it.
enum Ports {
  private static let taken = Mutex<Set<Int>>([])

  /// A free pair that no other test here gets; where to look first is random, so that two test runs seldom meet.
  static func pair() throws -> Int {
    let first = Int.random(in: 0..<500)
    for step in 0..<500 {
      let port = 21_000 + (first + step) % 500 * 2
      guard taken.withLock({ $0.insert(port).inserted }) else { continue }
      if try !isBound(port), try !isBound(port + 1) { return port }
    }
    throw NoPort()
  }

  private struct NoPort: Error {}

  /// Whether any socket of this machine has this UDP port, from the kernel's own tables.
  static func isBound(_ port: Int) throws -> Bool {
    let ending = ":" + String(format: "%04X", port)
    for table in ["/proc/net/udp", "/proc/net/udp6"] {
      guard let data = FileManager.default.contents(atPath: table) else { continue }
      for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst() {
        let columns = line.split(separator: " ")
        if columns.count > 1, columns[1].hasSuffix(ending) { return true }
      }
    }
    return false
  }
}

/// Sends datagrams to a port of this machine.
final class Datagrams {
  private let descriptor: Int32
  private var address = sockaddr_in()

  init(to port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    try #require(descriptor >= 0)
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var address = address
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        _ = sendto(descriptor, bytes, bytes.count, 0, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
