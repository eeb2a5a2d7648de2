internal import CLinux
import Glibc

/// Wakes an event loop from another thread.
///
/// A class, because both threads hold it; it is closed when the last of them lets it go.
public final class WakeDescriptor: Sendable {
  /// For `EventLoop.add`: readable once `wake` has been called.
  public let descriptor: CInt

  /// Opens it.
  public init() throws(SocketError) { descriptor = try opened(clinux_wake_open()) }

  deinit { close(descriptor) }

  /// Makes the descriptor readable, from any thread.
  ///
  /// Several calls before a `drain` count as one.
  public func wake() {
    let result = clinux_wake_raise(descriptor)
    assert(result >= 0, "an open eventfd takes every wake-up")
  }

  /// Takes note of all wake-ups so far.
  public func drain() {
    let result = clinux_wake_drain(descriptor)
    assert(result >= 0, "an open eventfd can be read")
  }
}
