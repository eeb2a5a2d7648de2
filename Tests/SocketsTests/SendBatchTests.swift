import Glibc
import Sockets
import Testing
import Timeline

struct SendBatchTests {
  /// Datagrams of these sizes, each filled with its number, and the batch of them.
  private struct Filled: ~Copyable {
    var batch = SendBatch()
    let datagrams: [[UInt8]]
    private(set) var fits: [Bool] = []

    init(_ sizes: [Int]) {
      datagrams = sizes.enumerated().map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $1) }
      for datagram in datagrams { fits.append(batch.append(datagram.span.bytes)) }
    }
  }

  private static let patterns: [[Int]] = [
    [1_200], [1_200, 1_200, 1_200, 300], [300, 1_200, 1_200], [900, 900, 400, 900, 900], [1, 2, 3, 3, 2, 1],
    [Int](repeating: 1_000, count: 64), [Int](repeating: 12, count: 63) + [13], [40_000, 20_000],
  ]

  @Test(arguments: loopbacks, [true, false])
  func `every datagram of a batch arrives as one, in order, with and without offload`(
    address: SocketAddress, sendsRuns: Bool
  ) throws {
    let receiver = try DatagramSocket(listeningOn: address)
    var options = DatagramOptions()
    options.sendsRuns = sendsRuns
    var sender = try DatagramSocket(sendingTo: receiver.localAddress, options: options)
    for pattern in Self.patterns {
      let filled = Filled(pattern)
      let (fits, datagrams) = (filled.fits, filled.datagrams)
      #expect(fits.allSatisfy { $0 })
      let (taken, next) = try sender.send(filled.batch)
      #expect(taken == pattern.count)
      #expect(next == .sent)
      #expect(try hear(pattern.count, from: receiver).map(\.bytes) == datagrams)
    }
  }

  @Test func `a batch begins where it is told to`() throws {
    let receiver = try DatagramSocket(listeningOn: loopback4)
    var sender = try DatagramSocket(sendingTo: receiver.localAddress)
    let filled = Filled([100, 100, 100, 50])
    let datagrams = filled.datagrams
    let (taken, next) = try sender.send(filled.batch, from: 2)
    #expect(taken == 2)
    #expect(next == .sent)
    #expect(try hear(2, from: receiver).map(\.bytes) == Array(datagrams[2...]))
  }

  @Test func `a batch takes 64 datagrams and 64 KiB, and no empty one`() {
    var batch = SendBatch()
    let (small, large) = ([UInt8](repeating: 1, count: 100), [UInt8](repeating: 2, count: 60_000))
    var fits = batch.append([UInt8]().span.bytes)
    #expect(!fits)
    for _ in 0..<64 {
      fits = batch.append(small.span.bytes)
      #expect(fits)
    }
    fits = batch.append(small.span.bytes)
    #expect(!fits)
    batch.removeAll()
    fits = batch.append(large.span.bytes)
    #expect(fits)
    fits = batch.append(large.span.bytes)
    #expect(!fits)
    let (count, size) = (batch.count, batch.size(at: 0))
    #expect(count == 1)
    #expect(size == 60_000)
  }

  @Test func `an answer that nobody listens costs one datagram, not the run that it was found by`() throws {
    // A port that was free a moment ago.
    let peer = try DatagramSocket(listeningOn: loopback4).localAddress
    var sender = try DatagramSocket(sendingTo: peer)
    let first = Filled([100])
    var (taken, next) = try sender.send(first.batch)
    #expect(taken == 1)
    #expect(next == .sent)
    let filled = Filled([100, 100, 100])
    (taken, next) = try sender.send(filled.batch)
    #expect(taken == 0)
    #expect(next == .trouble(.connectionRefused))
    (taken, next) = try sender.send(filled.batch, from: 1)
    #expect(taken == 2)
    #expect(next == .sent)
  }

  @Test func `a large datagram goes as long as it fits the path, with fragments forbidden`() throws {
    let receiver = try DatagramSocket(listeningOn: loopback4)
    var options = DatagramOptions()
    options.forbidsFragments = true
    var sender = try DatagramSocket(sendingTo: receiver.localAddress, options: options)
    // Loopback takes 65,536 bytes, headers included, so this goes; UDP itself takes no more than 65,507.
    let filled = Filled([65_000])
    let datagrams = filled.datagrams
    let (taken, _) = try sender.send(filled.batch)
    #expect(taken == 1)
    #expect(try hear(1, from: receiver).map(\.bytes) == datagrams)
  }

  @Test func `a Unix socket takes a batch one by one`() throws {
    let path = "/tmp/jitterbug-batch-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let receiver = try DatagramSocket(listeningOn: .unix(path: path))
    var sender = try DatagramSocket(sendingTo: .unix(path: path))
    let filled = Filled([100, 100, 30])
    let datagrams = filled.datagrams
    let (taken, next) = try sender.send(filled.batch)
    #expect(taken == 3)
    #expect(next == .sent)
    #expect(try hear(3, from: receiver).map(\.bytes) == datagrams)
  }
}
