import Glibc
import Sockets
import Testing

@testable import Emulation

/// What is written for the commands of a world, and read from the kernel about them.
@Suite struct TextTests {
  @Test func `the names come before what /etc/hosts says`() {
    let names = [
      (name: "peer", addresses: SideAddresses(.peer, lane: 0)),
      (name: "here", addresses: SideAddresses(.here, lane: 0)),
    ]
    let text = HostNames.text(names, before: Array("127.0.0.1 localhost\n".utf8))
    #expect(
      String(decoding: text, as: UTF8.self) == """
        10.77.0.2\tpeer
        fd6a:6200::2\tpeer6
        10.77.0.1\there
        fd6a:6200::1\there6
        127.0.0.1 localhost

        """)
  }

  @Test func `each lane has addresses of its own`() {
    let all = (0..<16).flatMap { lane in Side.allCases.map { SideAddresses($0, lane: lane) } }
    #expect(Set(all.map(\.v4)).count == 32 && Set(all.map(\.v6)).count == 32)
    #expect(SideAddresses(.peer, lane: 3).v4.description == "10.77.3.2")
    #expect(SideAddresses(.peer, lane: 3).v6.description == "fd6a:6200:0:3::2")
    #expect(SideAddresses(.here, lane: 3).v4.bytes == [10, 77, 3, 1])
    #expect(SideAddresses(.here, lane: 3).v6.bytes == [0xfd, 0x6a, 0x62, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test func `a process's parent is found whatever its name`() {
    func parent(_ text: String) -> Int32? { NamespaceCommand.parent(inStat: Array(text.utf8)) }
    #expect(parent("12 (sh) S 7 12 12 0") == 7)
    #expect(parent("12 (a b) (c) R 9) S 8 12 12 0") == 8)
    #expect(parent("12 (sh") == nil && parent("") == nil && parent("12 (sh)") == nil)
  }

  @Test func `somebody who listens is found in the kernel's tables`() {
    let head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
    func listens(_ state: String, isUDP: Bool) -> Bool {
      NamespaceCommand.listens(
        inTable: head + "   0: 00000000:1451 00000000:0000 \(state) 00000000:00000000\n", isUDP: isUDP)
    }
    #expect(listens("0A", isUDP: false) && !listens("01", isUDP: false))
    #expect(listens("07", isUDP: true) && !listens("01", isUDP: true))
    #expect(!NamespaceCommand.listens(inTable: head, isUDP: false))
    #expect(!NamespaceCommand.listens(inTable: "", isUDP: true))
  }

  @Test func `a refusal names its reason and what to do`() {
    typealias Circumstances = Isolation.Circumstances
    func sentence(_ code: Int32, isRoot: Bool = false, filtered: Bool = false, _ settings: [String: Int]) -> String {
      Isolation.refusal(code, isRoot: isRoot, Circumstances(settings: settings, isFiltered: filtered)).description
    }
    #expect(
      sentence(ENOSPC, [Circumstances.limit: 0])
        == "an emulated link needs a user namespace, and this system refuses one: the limit user.max_user_namespaces (0) "
        + "is reached; run it as root, or raise it with `sysctl -w user.max_user_namespaces=10000`")
    #expect(sentence(EPERM, [Circumstances.unprivileged: 0]).contains("sysctl -w kernel.unprivileged_userns_clone=1"))
    #expect(
      sentence(EPERM, [Circumstances.apparmor: 1, Circumstances.unprivileged: 1])
        .contains("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"))
    #expect(sentence(EPERM, filtered: true, [:]).contains("--security-opt seccomp=unconfined"))
    #expect(sentence(EINVAL, [:]).contains("more than one thread"))
    #expect(sentence(EPERM, [:]).contains("run it as root"))
    #expect(!sentence(EPERM, isRoot: true, [:]).contains("run it as root"))
  }

  @Test func `a capture is made of whole blocks with their lengths at both ends`() {
    var blocks = CaptureBlocks(application: "test", interfaces: [("here", "one"), ("peer", "the other")])
    for size in 0...9 {
      let frame = [UInt8](repeating: 7, count: size)
      blocks.frame(
        frame.span.bytes, interface: 1, unixNanoseconds: 1_700_000_000_123_456_789, isInbound: true,
        comment: size == 3 ? "dropped" : nil)
    }
    blocks.settle(before: .max)
    func word(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(blocks.bytes[place + $1]) << (8 * $1) } }
    var types: [Int] = []
    var place = 0
    while place < blocks.bytes.count {
      let length = word(place + 4)
      types.append(word(place))
      #expect(length.isMultiple(of: 4) && word(place + length - 4) == length)
      place += length
    }
    #expect(place == blocks.bytes.count)
    #expect(types == [0x0a0d_0d0a, 1, 1] + [Int](repeating: 6, count: 10))
    blocks.removeAll()
    #expect(blocks.bytes.isEmpty)
  }

  @Test func `a capture's frames are in the order of their times, and of their coming where these are the same`() {
    var blocks = CaptureBlocks(application: "test", interfaces: [])
    blocks.removeAll()
    for (number, time) in [50, 20, 40, 20, 10, 60].enumerated() {
      let frame = [UInt8](repeating: UInt8(number), count: 4)
      blocks.frame(frame.span.bytes, interface: 0, unixNanoseconds: Int64(time), isInbound: false, comment: nil)
    }
    /// The first byte of each frame.
    func frames() -> [UInt8] { stride(from: 28, to: blocks.bytes.count, by: 48).map { blocks.bytes[$0] } }
    blocks.settle(before: 50)
    #expect(frames() == [4, 1, 3, 2] && blocks.waitingCount == 2)
    blocks.settle(before: .max)
    #expect(frames() == [4, 1, 3, 2, 0, 5] && blocks.waitingCount == 0)
  }
}
