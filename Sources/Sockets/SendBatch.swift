internal import CLinux
import Glibc

/// Datagrams that are to go out together, in their order, by as few system calls as it takes.
///
/// They lie side by side, so that neighbours of one size can be handed over as one (UDP GSO). One batch may go to any
/// number of sockets.
public struct SendBatch: ~Copyable {
  /// The most datagrams in a batch.
  public static let capacity = 64
  /// The most bytes in a batch: room for a datagram of any size.
  static let byteLimit = 1 << 16

  /// How many datagrams are in the batch.
  public private(set) var count = 0
  private var bytes: [UInt8]
  /// Where each datagram begins, and where the last one ends.
  private var bounds: [Int]

  /// Makes an empty batch.
  public init() {
    bytes = [UInt8](repeating: 0, count: Self.byteLimit)
    bounds = [Int](repeating: 0, count: Self.capacity + 1)
  }

  /// Adds a datagram; false when there is no room for it, or when it is empty, and nothing was added.
  public mutating func append(_ datagram: RawSpan) -> Bool {
    let (start, size) = (bounds[count], datagram.byteCount)
    guard size > 0, count < Self.capacity, start + size <= bytes.count else { return false }
    bytes.withUnsafeMutableBytes { target in
      datagram.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: target[start..<start + size]).copyMemory(from: source)
      }
    }
    count += 1
    bounds[count] = start + size
    return true
  }

  /// Empties the batch.
  public mutating func removeAll() { count = 0 }

  /// Lends the bytes of the datagram at `index`.
  public func withBytes<R, E: Error>(at index: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    precondition(index >= 0 && index < count, "there is no such datagram in the batch")
    return try body(bytes.span.bytes.extracting(bounds[index]..<bounds[index + 1]))
  }

  /// The size of the datagram at `index` in bytes.
  public func size(at index: Int) -> Int { bounds[index + 1] - bounds[index] }

  /// Where the run that begins with the datagram at `index` ends: datagrams of one size, and a shorter one at the end.
  ///
  /// The kernel takes at most 64 at once, and what fits into one UDP datagram over IPv4 or IPv6.
  func runEnd(from index: Int) -> Int {
    let segment = size(at: index)
    var end = index + 1
    while end < count, size(at: end) <= segment, size(at: end - 1) == segment, end - index < Int(CLINUX_SEGMENTS),
      bounds[end + 1] - bounds[index] <= Self.runLimit
    {
      end += 1
    }
    return end
  }

  /// Bytes of a run: 65,535 less the headers of IPv6, UDP and some options.
  private static let runLimit = 65_000

  /// Hands the datagrams from `index` on to the kernel, in runs or one by one; how many it took, or a negative errno
  /// when it didn't take the first.
  ///
  /// `isRun` tells whether the first one belongs to a run of several.
  func write(from index: Int, inRuns: Bool, to descriptor: CInt) -> (taken: Int, code: CInt, isRun: Bool) {
    withUnsafeTemporaryAllocation(of: clinux_run.self, capacity: Self.capacity) { runs in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.capacity) { ends in
        bytes.withUnsafeBufferPointer { bytes in
          var (runCount, next) = (0, index)
          while next < count, let base = bytes.baseAddress {
            let end = inRuns ? runEnd(from: next) : next + 1
            runs[runCount] = clinux_run(
              bytes: base + bounds[next], size: UInt32(bounds[end] - bounds[next]),
              segment: end > next + 1 ? UInt32(size(at: next)) : 0)
            ends[runCount] = end
            runCount += 1
            next = end
          }
          guard runCount > 0 else { return (0, 0, false) }
          let isRun = runs[0].segment > 0
          let result = clinux_runs_write(descriptor, runs.baseAddress, CInt(runCount))
          return result > 0 ? (ends[Int(result) - 1] - index, 0, isRun) : (0, result, isRun)
        }
      }
    }
  }
}

extension DatagramSocket {
  /// Sends the datagrams of a batch to the peer, from `index` on: how many the kernel took, and what became of the one
  /// behind them; `.sent` when it took all.
  ///
  /// Where the kernel, or the way that the datagrams take, can't cut runs apart, they go one by one from then on.
  /// - Throws: `SocketError` only when the socket can't be used any more.
  public mutating func send(
    _ batch: borrowing SendBatch, from index: Int = 0
  ) throws(SocketError) -> (taken: Int, next: SendOutcome) {
    var next = index
    while next < batch.count {
      guard family != .unix, peer != nil else {
        let outcome = try batch.withBytes(at: next) { bytes throws(SocketError) in try send(bytes) }
        guard outcome == .sent else { return (next - index, outcome) }
        next += 1
        continue
      }
      var result = batch.write(from: next, inRuns: cutsRuns, to: descriptor)
      if result.taken == 0, result.isRun, Self.refusesRuns(-result.code) {
        // Full, or not able to: whichever it is, each datagram is to have its own fate.
        if ![EAGAIN, ENOBUFS].contains(-result.code) { cutsRuns = false }
        result = batch.write(from: next, inRuns: false, to: descriptor)
      }
      next += result.taken
      if result.taken == 0 { return (next - index, try SendOutcome(code: -result.code, address: peer)) }
    }
    return (next - index, .sent)
  }

  /// Whether an error may have to do with a run being one: the device can't cut it, its parts are too large for the way,
  /// or it takes more room than there is.
  private static func refusesRuns(_ code: CInt) -> Bool {
    [EAGAIN, ENOBUFS, EINVAL, EIO, EMSGSIZE, EOPNOTSUPP].contains(code)
  }
}
