import Glibc
import Sockets
import Testing

/// A path in a directory of its own, which is removed with the value.
private final class Place {
  let directory: String
  var path: String { directory + "/socket" }
  var address: SocketAddress { .unix(path: path) }

  init() throws {
    var template = Array("/tmp/jitterbug-XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit {
    unlink(path)
    rmdir(directory)
  }
}

struct UnixDatagramTests {
  @Test func `datagrams arrive, and the file goes with the socket`() throws {
    let place = try Place()
    do {
      let receiver = try DatagramSocket(listeningOn: place.address)
      let sender = try DatagramSocket(sendingTo: place.address)
      let bytes = [UInt8](repeating: 7, count: 60_000)
      #expect(try sender.send(bytes) == .sent)
      let heard = try hear(1, from: receiver)
      #expect(heard.map(\.bytes) == [bytes])
      #expect(heard.map(\.about.sender) == [.unix(path: "")])
      #expect(access(place.path, F_OK) == 0)
    }
    #expect(access(place.path, F_OK) != 0)
  }

  @Test func `a datagram longer than a buffer of the batch is marked as cut`() throws {
    let place = try Place()
    let receiver = try DatagramSocket(listeningOn: place.address)
    let sender = try DatagramSocket(sendingTo: place.address)
    #expect(try sender.send([UInt8](repeating: 7, count: 65_537)) == .sent)
    let heard = try hear(1, from: receiver)
    #expect(heard.map(\.about.isTruncated) == [true])
    #expect(heard.map(\.bytes.count) == [65_536])
  }

  @Test func `a stale file is replaced, a live one and a plain file are refused`() throws {
    let place = try Place()
    // A receiver that was killed leaves its file behind.
    let dead = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
    var raw = sockaddr_un()
    raw.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: place.path.utf8) }
    let bound = withUnsafePointer(to: raw) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    let alive = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: place.address) }
    #expect(alive?.description.hasPrefix("unix:\(place.path) is already in use by another program") == true)
    close(dead)
    do {
      let receiver = try DatagramSocket(listeningOn: place.address)
      let sender = try DatagramSocket(sendingTo: place.address)
      #expect(try sender.send([3]) == .sent)
      #expect(try hear(1, from: receiver).map(\.bytes) == [[3]])
    }
    close(open(place.path, O_CREAT | O_WRONLY, 0o600))
    let plain = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: place.address) }
    #expect(plain == .notASocket(path: place.path))
    #expect(access(place.path, F_OK) == 0)
  }

  @Test func `a full receiver makes the sender wait, and a receiver that comes back is found`() throws {
    let place = try Place()
    let receiver = try DatagramSocket(listeningOn: place.address)
    let sender = try DatagramSocket(sendingTo: place.address)
    var sent = 0
    while sent < 100_000, try sender.send([1]) == .sent { sent += 1 }
    #expect(sent > 0 && sent < 100_000)
    #expect(try sender.send([1]) == .wouldBlock)
    #expect(try hear(sent, from: receiver).count == sent)
    _ = consume receiver
    #expect(try sender.send([1]) == .trouble(.connectionRefused))
    let again = try DatagramSocket(listeningOn: place.address)
    #expect(try sender.send([2]) == .sent)
    #expect(try hear(1, from: again).map(\.bytes) == [[2]])
  }

  @Test func `paths that can't be are refused with a sentence`() throws {
    let long = "/tmp/" + String(repeating: "x", count: 103)
    let listening = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: .unix(path: long)) }
    #expect(listening == .pathTooLong(path: long))
    let sending = failure { () throws(SocketError) in _ = try DatagramSocket(sendingTo: .unix(path: long)) }
    #expect(sending == .pathTooLong(path: long))
    let path = "/nonexistent/dir/socket"
    let nowhere = failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: .unix(path: path)) }
    #expect(nowhere?.description.hasPrefix("there is no directory for unix:\(path)") == true)
    let nobody = failure { () throws(SocketError) in _ = try DatagramSocket(sendingTo: .unix(path: path)) }
    #expect(nobody?.description.hasPrefix("nobody receives at unix:\(path)") == true)
  }
}
