import Sockets
import Testing

struct SocketAddressTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1:5004"), ("::1", "[::1]:5004"), ("2001:DB8:0:0::1", "[2001:db8::1]:5004"),
    ("::ffff:10.1.2.3", "10.1.2.3:5004"), ("fe80::1%1", "[fe80::1%lo]:5004"), ("fe80::1%lo", "[fe80::1%lo]:5004"),
    ("255.255.255.255", "255.255.255.255:5004"),
  ])
  func `numeric addresses read and are shown`(host: String, shown: String) throws {
    let address = try #require(SocketAddress(host: host, port: 5004))
    #expect(address.description == shown)
    #expect(address.port == 5004)
    #expect(SocketAddress(host: address.host, port: 5004) == address)
    #expect(address.with(port: 7).port == 7)
  }

  @Test(arguments: [
    "", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4\0", "::1\0x", "::1%nosuch", "::g", "%1",
  ])
  func `what isn't numeric isn't an address`(host: String) {
    #expect(SocketAddress(host: host, port: 1) == nil)
  }

  @Test func `a mapped address is shown as IPv4 even when made by hand`() {
    let mapped = SocketAddress.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 9, scope: 0)
    #expect(mapped.description == "127.0.0.1:9")
  }

  @Test(arguments: [
    ("239.1.2.3", true), ("224.0.0.1", true), ("240.0.0.1", false), ("ff02::1", true), ("fe80::1", false),
  ])
  func `groups are told from hosts`(host: String, isGroup: Bool) throws {
    let address = try #require(SocketAddress(host: host, port: 1))
    #expect(address.isMulticast == isGroup)
  }

  @Test func `names resolve, numbers resolve to themselves, and nothing means everything`() throws {
    #expect(try Resolver.resolve(host: "localhost", port: 7, kind: .datagram).contains(.ipv4(.loopback, port: 7)))
    #expect(try Resolver.resolve(host: "::1", port: 7, kind: .stream) == [.ipv6(.loopback, port: 7, scope: 0)])
    #expect(try Resolver.resolve(host: "", port: 7, family: .ipv4, kind: .stream) == [.ipv4(.any, port: 7)])
  }

  @Test func `a name without an address gives a sentence`() {
    let error = failure { () throws(SocketError) in
      _ = try Resolver.resolve(host: "bad host!", port: 1, kind: .datagram)
    }
    #expect(error?.description.hasPrefix("can't find the address of \"bad host!\": ") == true)
    let wrong = failure { () throws(SocketError) in
      _ = try Resolver.resolve(host: "::1", port: 1, family: .ipv4, kind: .datagram)
    }
    #expect(wrong == .unresolved(host: "::1", reason: "it isn't an IPv4 address"))
  }
}
