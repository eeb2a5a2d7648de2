internal import CLinux
import Glibc
import Sockets
import Synchronization

/// One lane of a world: two network namespaces, and two veth pairs that lead into the emulator's own.
struct Wiring {
  /// The namespaces of the two sides.
  let here: OpenFile
  let peer: OpenFile
  /// Packet sockets on the emulator's ends.
  let hereSocket: OpenFile
  let peerSocket: OpenFile

  /// How many veth pairs this process has made.
  private static let cables = Atomic<UInt32>(0)

  /// The interface's name on either side.
  static let interface = "eth0"
  /// The most lanes of a world.
  static let laneLimit = 16

  /// Makes a lane; the calling thread is in the emulator's namespace, and stays there.
  init(lane: Int, emulator: OpenFile) throws(EmulationError) {
    here = try Self.namespace(besides: emulator)
    peer = try Self.namespace(besides: emulator)
    hereSocket = try Self.cable(to: here, .here, lane: lane, emulator: emulator)
    peerSocket = try Self.cable(to: peer, .peer, lane: lane, emulator: emulator)
  }

  /// Runs `body` with the calling thread in a namespace, and takes it back to the emulator's.
  static func inside<Result: ~Copyable, Failure: Error>(
    _ namespace: OpenFile, emulator: OpenFile, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let entered = clinux_enter_network(namespace.raw)
    precondition(entered == 0, "a namespace of our own can be entered")
    defer {
      let left = clinux_enter_network(emulator.raw)
      precondition(left == 0, "a namespace of our own can be entered")
    }
    return try body()
  }

  private static func namespace(besides emulator: OpenFile) throws(EmulationError) -> OpenFile {
    try check("making a network namespace", clinux_unshare(UInt32(CLINUX_NETWORK)))
    let namespace = OpenFile(owning: try check("opening a network namespace", clinux_network_namespace()))
    let loopback = "lo".withCString { clinux_interface_up(clinux_interface_index($0)) }
    // Everybody may ping, and serve on any port: there is nobody whom it could harm.
    Isolation.write("\(getegid()) \(getegid())", to: "/proc/sys/net/ipv4/ping_group_range")
    Isolation.write("0", to: "/proc/sys/net/ipv4/ip_unprivileged_port_start")
    try check("going back", clinux_enter_network(emulator.raw))
    try check("bringing up the loopback interface", loopback)
    return namespace
  }

  private static func cable(
    to namespace: OpenFile, _ side: Side, lane: Int, emulator: OpenFile
  ) throws(EmulationError) -> OpenFile {
    // The kernel takes a world down some time after it is let go, so that the next one must not ask for its names.
    let name = "\(side.rawValue)\(lane)-\(cables.add(1, ordering: .relaxed).newValue % 10_000_000)"
    try check(
      "making a veth pair",
      clinux_veth_create(name, mac(side, lane: lane, isOurs: true), interface, mac(side, lane: lane), namespace.raw))
    try check("switching off offloads", clinux_offloads_off(name))
    let index = try check("finding \(name)", clinux_interface_index(name))
    try check("bringing up \(name)", clinux_interface_up(index))
    let socket = OpenFile(owning: try check("opening a packet socket", clinux_packet_socket(index)))
    try inside(namespace, emulator: emulator) { () throws(EmulationError) in try configure(side, lane: lane) }
    return socket
  }

  private static func configure(_ side: Side, lane: Int) throws(EmulationError) {
    let index = try check("finding \(interface)", clinux_interface_index(interface))
    try check("switching off offloads", clinux_offloads_off(interface))
    Isolation.write("0", to: "/proc/sys/net/ipv6/conf/\(interface)/accept_ra")
    Isolation.write("0", to: "/proc/sys/net/ipv6/conf/\(interface)/router_solicitations")
    try check("bringing up \(interface)", clinux_interface_up(index))
    let own = SideAddresses(side, lane: lane)
    let other = side == .here ? Side.peer : .here
    let far = SideAddresses(other, lane: lane)
    let farMAC = mac(other, lane: lane)
    // Nobody asks who has an address: both know it from the beginning.
    try check("setting the IPv4 address", clinux_address_add(index, own.v4.bytes, 4, 24))
    try check("naming the neighbour", clinux_neighbour_add(index, far.v4.bytes, 4, farMAC))
    try check("setting the route of groups", clinux_route_add(index, [224, 0, 0, 0], 4, 4))
    let six = clinux_address_add(index, own.v6.bytes, 16, 64)
    // A kernel may have been told to be without IPv6.
    if six == -EAFNOSUPPORT || six == -EOPNOTSUPP || six == -EACCES { return }
    try check("setting the IPv6 address", six)
    try check("naming the neighbour", clinux_neighbour_add(index, far.v6.bytes, 16, farMAC))
  }

  private static func mac(_ side: Side, lane: Int, isOurs: Bool = false) -> [UInt8] {
    [0x02, 0x6a, 0x62, UInt8(lane), 0, (side == .here ? 1 : 2) + (isOurs ? 2 : 0)]
  }

  @discardableResult
  private static func check(_ step: String, _ result: CInt) throws(EmulationError) -> CInt {
    guard result >= 0 else { throw EmulationError(step, code: -result) }
    return result
  }
}

extension IPv4Address {
  /// The bytes in the order of the network.
  var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * UInt32($0))) } }
}

extension IPv6Address {
  /// The bytes in the order of the network.
  var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * (UInt64($0) % 8))) }
  }
}
