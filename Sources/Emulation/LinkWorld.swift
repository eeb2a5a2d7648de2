internal import CLinux
import Glibc
import Sockets
public import Timeline

/// A little world of two sides that real programs and sockets live in, with a bad network of ours between them.
///
/// Inputs: ``inside(_:lane:_:)`` opens sockets on a side, which stay there; ``start()`` lets packets through.
/// Outputs: ``inFlight``, the journal, and the records that ``stop()`` gives. It is gone when nobody holds its sockets
/// and no process lives in it any more; nothing of it is ever seen from outside.
public struct LinkWorld: ~Copyable {
  private let emulator: OpenFile
  private let lanes: [Wiring]
  private let forwarder: Forwarder
  private let outageClock: OutageClock?

  /// The most lanes of a world.
  public static var laneLimit: Int { Wiring.laneLimit }

  /// Leaves the system's namespaces, once, before anything else: the process must still have one thread.
  ///
  /// A user namespace is made unless the process is root. Users, groups, files and processes stay as they are; the
  /// network is gone, and mounts made from then on are this process's and its children's own.
  public static func enter() throws(EmulationError) { try Isolation.enter() }

  /// Makes a world with so many lanes (1 to ``laneLimit``), which are independent pairs of sides.
  ///
  /// With `holdsOutages` no link is down before ``beginOutages(at:)`` says when; else each one's outages are counted
  /// from its first packet.
  public init(
    _ lanes: [LaneSpec], journal: PacketJournal? = nil, holdsOutages: Bool = false
  ) throws(EmulationError) {
    precondition((1...Wiring.laneLimit).contains(lanes.count), "a world has 1 to \(Wiring.laneLimit) lanes")
    let own = clinux_network_namespace()
    guard own >= 0 else { throw EmulationError("opening a network namespace", code: -own) }
    let emulator = OpenFile(owning: own)
    let pool = FramePool()
    let outageClock = holdsOutages ? OutageClock() : nil
    var wirings: [Wiring] = []
    var pipes: [LinkPipe] = []
    for (lane, spec) in lanes.enumerated() {
      let wiring = try Wiring(lane: lane, emulator: emulator)
      wirings.append(wiring)
      for direction in LinkDirection.allCases {
        let isDown = direction == .down
        pipes.append(
          LinkPipe(
            spec, lane: lane, direction, from: isDown ? wiring.peerSocket : wiring.hereSocket,
            to: isDown ? wiring.hereSocket : wiring.peerSocket, pool: pool, outageClock: outageClock))
      }
    }
    let forwarder: Forwarder
    do { forwarder = try Forwarder(pipes, journal: journal) } catch { throw EmulationError(error.description) }
    self.emulator = emulator
    self.lanes = wirings
    self.forwarder = forwarder
    self.outageClock = outageClock
  }

  deinit { _ = forwarder.stop() }

  /// Lets packets through, by a thread of its own.
  public func start() throws(EmulationError) {
    guard forwarder.start() else { throw EmulationError("the system starts no thread that moves the packets") }
  }

  /// Lets no more packets through, and returns what was done, by lane; what is under way never arrives.
  public func stop() -> [LaneRecord] {
    let records = forwarder.stop()
    return lanes.indices.map { LaneRecord(down: records[2 * $0], up: records[2 * $0 + 1]) }
  }

  /// Lets the time of all links' outages begin at an instant, so that the lanes go down together.
  public func beginOutages(at instant: Instant) { outageClock?.begin(at: instant) }

  /// Runs `body` with the calling thread on a side, to open sockets there, and takes it back.
  ///
  /// The thread must be one that was in the emulator's own namespace, as the one that entered is.
  public func inside<Result: ~Copyable, Failure: Error>(
    _ side: Side, lane: Int = 0, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try Wiring.inside(namespace(side, lane), emulator: emulator, body)
  }

  /// The addresses of a side.
  public func addresses(_ side: Side, lane: Int = 0) -> SideAddresses { SideAddresses(side, lane: lane) }

  /// Packets under way between the sides, a moment ago.
  public var inFlight: Int { forwarder.inFlight }

  /// The processor's time that moving the packets took; zero until ``stop()``.
  public var processorTime: Interval { forwarder.processorTime }

  /// The time for which moving the packets had to wait for a processor; zero until ``stop()``.
  public var processorWait: Interval { forwarder.processorWait }

  /// The descriptor of a side's network namespace, for commands that run there.
  public func network(_ side: Side, lane: Int = 0) -> CInt { namespace(side, lane).raw }

  private func namespace(_ side: Side, _ lane: Int) -> OpenFile { side == .here ? lanes[lane].here : lanes[lane].peer }
}
