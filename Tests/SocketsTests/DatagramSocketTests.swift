import Glibc
import Sockets
import Testing
import Timeline

struct DatagramSocketTests {
  @Test func `a batch brings every datagram with its sender and a kernel time between sending and reading`() throws {
    let receiver = try DatagramSocket(listeningOn: loopback4)
    let sender = try DatagramSocket(sendingTo: receiver.localAddress)
    let from = sender.localAddress
    let before = MonotonicClock.now()
    for number in 0..<40 { #expect(try sender.send([UInt8(number), 1, 2]) == .sent) }
    let heard = try hear(40, from: receiver)
    let after = MonotonicClock.now()
    #expect(heard.map(\.bytes) == (0..<40).map { [$0, 1, 2] })
    #expect(heard.allSatisfy { $0.about.sender == from && $0.about.size == 3 && !$0.about.isTruncated })
    let times = heard.map(\.about.arrival)
    #expect(times == times.sorted())
    // Stamps pass through the offset of the clocks, which is known to less than this.
    #expect(times.allSatisfy { $0 >= before - .milliseconds(1) && $0 <= after })
    // Times of reading would be one and the same within each of the five batches.
    #expect(Set(times).count > 8)
  }

  @Test(arguments: loopbacks)
  func `the largest datagram arrives whole, an empty one arrives, a larger one is trouble`(
    address: SocketAddress
  ) throws {
    let receiver = try DatagramSocket(listeningOn: address)
    let sender = try DatagramSocket(sendingTo: receiver.localAddress)
    let largest = (0..<65_507).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(try sender.send(largest) == .sent)
    #expect(try sender.send([]) == .sent)
    let heard = try hear(2, from: receiver)
    #expect(heard.map(\.bytes) == [largest, []])
    #expect(heard.allSatisfy { !$0.about.isTruncated })
    #expect(try sender.send(largest + [UInt8](repeating: 0, count: 100)) == .trouble(.tooLarge))
  }

  @Test func `what a full buffer drops is counted exactly`() throws {
    var options = DatagramOptions()
    options.receiveBufferBytes = 1
    let receiver = try DatagramSocket(listeningOn: loopback4, options: options)
    let granted = receiver.receiveBufferBytes
    #expect(granted > 0 && granted < 10_000)
    let sender = try DatagramSocket(sendingTo: receiver.localAddress)
    let bytes = [UInt8](repeating: 9, count: 900)
    for _ in 0..<500 { #expect(try sender.send(bytes) == .sent) }
    var batch = try ReceiveBatch()
    var received = 0
    while case .datagrams(let count) = try batch.receive(from: receiver) { received += count }
    let dropped = try receiver.droppedDatagrams()
    #expect(dropped > 0 && received > 0)
    #expect(received + Int(dropped) == 500)
    // The next datagram carries the count along.
    #expect(try sender.send([1]) == .sent)
    #expect(try hear(1, from: receiver).map(\.about.drops) == [dropped])
  }

  @Test func `the any address hears both IP versions, shows IPv4 as IPv4, and answers both`() throws {
    let receiver = try DatagramSocket.listening(host: "", ports: 0...0)
    let port = try #require(receiver.localAddress.port)
    for address in loopbacks {
      let sender = try DatagramSocket(sendingTo: address.with(port: port))
      let from = sender.localAddress
      #expect(from.family == address.family)
      #expect(try sender.send([1]) == .sent)
      #expect(try hear(1, from: receiver).map(\.about.sender) == [from])
      #expect(try receiver.send([2], to: from) == .sent)
      #expect(try hear(1, from: sender).map(\.bytes) == [[2]])
    }
  }

  @Test func `a taken port is refused with a sentence that says so`() throws {
    let first = try DatagramSocket(listeningOn: loopback4)
    let address = first.localAddress
    let port = try #require(address.port)
    let error = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: address) }
    #expect(
      error?.description == "port \(port) on 127.0.0.1 is already in use by another program: choose another port or "
        + "stop that program")
    // The same for every address of the host.
    let everywhere = failure { () throws(SocketError) in
      _ = try DatagramSocket.listening(host: "::", ports: port...port)
    }
    #expect(everywhere?.code == EADDRINUSE)
  }

  @Test func `a range gives its first free port, and says when there is none`() throws {
    let first = try DatagramSocket(listeningOn: loopback4)
    let taken = try #require(first.localAddress.port)
    // Ports next to it may belong to others, so the range is long.
    let low = min(taken, 65_435)
    let next = try DatagramSocket.listening(host: "127.0.0.1", ports: low...(low + 100))
    let chosen = try #require(next.localAddress.port)
    #expect(chosen != taken && (low...(low + 100)).contains(chosen))

    var held: [UInt16] = []
    let pair = try twoInARow()
    held = [pair.first.localAddress, pair.second.localAddress].compactMap(\.port)
    let error = failure { () throws(SocketError) in
      _ = try DatagramSocket.listening(host: "127.0.0.1", ports: held[0]...held[1])
    }
    #expect(error == .noFreePort(host: "127.0.0.1", ports: held[0]...held[1]))
    #expect(error?.description.hasPrefix("every port from \(held[0]) to \(held[1]) on 127.0.0.1 is already") == true)
  }

  @Test func `refusals by ICMP are reported, to sender and receiver, and survived`() throws {
    let port: UInt16
    do {
      let closed = try DatagramSocket(listeningOn: loopback4)
      port = try #require(closed.localAddress.port)
    }
    let sender = try DatagramSocket(sendingTo: .ipv4(.loopback, port: port))
    for _ in 0..<2 {
      #expect(try sender.send([1]) == .sent)
      #expect(try sender.send([1]) == .trouble(.connectionRefused))
    }
    #expect(try sender.send([1]) == .sent)
    #expect(try isReady(sender.descriptor, read: true))
    var batch = try ReceiveBatch(capacity: 1)
    #expect(try batch.receive(from: sender) == .trouble(.connectionRefused))
    #expect(try batch.receive(from: sender) == .empty)
    let receiver = try DatagramSocket(listeningOn: .ipv4(.loopback, port: port))
    #expect(try sender.send([9]) == .sent)
    #expect(try hear(1, from: receiver).map(\.bytes) == [[9]])
  }

  @Test(arguments: loopbacks)
  func `options reach the socket`(address: SocketAddress) throws {
    var options = DatagramOptions()
    options.dscp = 46
    options.ttl = 7
    options.interface = "lo"
    options.receiveBufferBytes = 100_000
    let receiver = try DatagramSocket(listeningOn: address, options: options)
    let sender = try DatagramSocket(sendingTo: receiver.localAddress, options: options)
    let size = receiver.receiveBufferBytes
    #expect(size >= 200_000)
    let descriptor = sender.descriptor
    let is4 = address.family == .ipv4
    let level = CInt(is4 ? IPPROTO_IP : IPPROTO_IPV6)
    #expect(option(descriptor, level, is4 ? IP_TOS : IPV6_TCLASS) == 46 << 2)
    #expect(option(descriptor, level, is4 ? IP_TTL : IPV6_UNICAST_HOPS) == 7)
    #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(try sender.send([5]) == .sent)
    #expect(try hear(1, from: receiver).map(\.bytes) == [[5]])
  }

  @Test func `options that can't be are refused`() {
    var options = DatagramOptions()
    options.interface = "nosuch0"
    let interface = failure { () throws(SocketError) in
      _ = try DatagramSocket(listeningOn: loopback4, options: options)
    }
    #expect(interface == .noInterface("nosuch0"))
    options = DatagramOptions()
    options.dscp = 64
    let dscp = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: loopback4, options: options) }
    #expect(dscp?.code == EINVAL)
    let scopeless = SocketAddress.ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 9, scope: 0)
    let link = failure { () throws(SocketError) in _ = try DatagramSocket(sendingTo: scopeless) }
    #expect(link?.description.hasPrefix("[fe80::1]:9 is an address of one link: name its interface") == true)
  }

  @Test func `a source port is what the receiver sees`() throws {
    let receiver = try DatagramSocket(listeningOn: loopback4)
    var options = DatagramOptions()
    do {
      let free = try DatagramSocket(listeningOn: loopback4)
      options.sourcePort = free.localAddress.port
    }
    let sender = try DatagramSocket(sendingTo: receiver.localAddress, options: options)
    #expect(try sender.send([1]) == .sent)
    #expect(try hear(1, from: receiver).map(\.about.sender.port) == [options.sourcePort])
  }

  @Test(arguments: ["239.77.1.2", "ff02::7701"])
  func `two receivers of a group on one port each get a copy`(group: String) throws {
    var options = DatagramOptions()
    options.interface = "lo"
    options.ttl = 1
    let address = try #require(SocketAddress(host: group, port: 0))
    let first = try DatagramSocket(listeningOn: address, options: options)
    let port = try #require(first.localAddress.port)
    let second = try DatagramSocket(listeningOn: address.with(port: port), options: options)
    let noRoute = failure { () throws(SocketError) in
      _ = try DatagramSocket(sendingTo: address.with(port: port), options: options)
    }
    if address.family == .ipv6 && (noRoute?.code == ENETUNREACH || noRoute?.code == EADDRNOTAVAIL) {
      // Most hosts have no route for IPv6 groups on loopback; both receivers have joined all the same.
      #expect(noRoute?.description.hasPrefix("there is no route to [ff02::7701%lo]") == true)
      return
    }
    let sender = try DatagramSocket(sendingTo: address.with(port: port), options: options)
    #expect(try sender.send([4, 2]) == .sent)
    #expect(try hear(1, from: first).map(\.bytes) == [[4, 2]])
    #expect(try hear(1, from: second).map(\.bytes) == [[4, 2]])
  }
}

/// Two sockets on adjacent ports.
private struct Pair: ~Copyable {
  let first: DatagramSocket
  let second: DatagramSocket
}

private func twoInARow() throws -> Pair {
  for _ in 0..<100 {
    let first = try DatagramSocket(listeningOn: loopback4)
    guard let port = first.localAddress.port, port < 65_535 else { continue }
    guard let second = try? DatagramSocket(listeningOn: loopback4.with(port: port + 1)) else { continue }
    return Pair(first: first, second: second)
  }
  throw SocketError.noFreePort(host: "127.0.0.1", ports: 1...65_535)
}

/// An integer option of a socket.
private func option(_ descriptor: CInt, _ level: CInt, _ name: CInt) -> CInt {
  var value: CInt = -1
  var size = socklen_t(MemoryLayout<CInt>.size)
  getsockopt(descriptor, level, name, &value, &size)
  return value
}
