internal import CLinux
import Glibc

/// A signal that the command cares about.
public struct Signal: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public var rawValue: Int32

  /// Makes a signal from the kernel's number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Ctrl-C.
  public static let interrupt = Signal(rawValue: SIGINT)
  /// The polite request to end.
  public static let terminate = Signal(rawValue: SIGTERM)
  /// The terminal has gone.
  public static let hangUp = Signal(rawValue: SIGHUP)
  /// Ctrl-\.
  public static let quit = Signal(rawValue: SIGQUIT)
  /// A child has ended.
  public static let childEnded = Signal(rawValue: SIGCHLD)
  /// The terminal has another size.
  public static let windowChange = Signal(rawValue: SIGWINCH)

  /// Whether this process was told to ignore it, as nohup makes it ignore that the terminal has gone.
  ///
  /// A ``SignalDescriptor`` gets it all the same.
  public var isIgnored: Bool { clinux_signal_is_ignored(rawValue) != 0 }
}

/// Signals as events of the loop.
///
/// Opening it blocks the signals in the calling thread, so open it before starting any other thread (which inherits
/// the mask), and before anything that must not be interrupted. SIGPIPE is ignored from then on: writing to a pipe
/// that nobody reads gives an error instead. Both are inherited by child processes, which want
/// `POSIX_SPAWN_SETSIGMASK` and `POSIX_SPAWN_SETSIGDEF`. Closing it leaves the signals blocked, so that a second
/// Ctrl-C doesn't kill the program while it writes its report.
public struct SignalDescriptor: ~Copyable {
  private let owned: Descriptor

  /// Blocks the signals and makes them readable.
  public init(_ signals: [Signal] = [.interrupt, .terminate]) throws(SocketError) {
    _ = try opened(clinux_ignore_broken_pipes())
    let numbers = signals.map(\.rawValue)
    owned = Descriptor(owning: try opened(clinux_signals_open(numbers, CInt(numbers.count))))
  }

  /// For `EventLoop.add`: readable when a signal has arrived.
  public var descriptor: CInt { owned.raw }

  /// The next signal that has arrived, or nil when there is none.
  public func next() throws(SocketError) -> Signal? { try nextWithOrigin()?.signal }

  /// The next signal that has arrived, and whether a process sent it to this one alone: what a terminal sends goes to
  /// all that run in its foreground.
  public func nextWithOrigin() throws(SocketError) -> (signal: Signal, isSent: Bool)? {
    var isSent: CInt = 0
    let number = clinux_signals_read(owned.raw, &isSent)
    guard number >= 0 else { throw .system(.wait, code: -number, address: nil) }
    return number == 0 ? nil : (Signal(rawValue: number), isSent != 0)
  }

  /// Gives the signals their usual effect again in the calling thread, for example before a child is started.
  public static func unblock(_ signals: [Signal]) throws(SocketError) {
    let numbers = signals.map(\.rawValue)
    let result = clinux_signals_unblock(numbers, CInt(numbers.count))
    guard result >= 0 else { throw .system(.wait, code: -result, address: nil) }
  }
}
