import Glibc

/// Owns a file descriptor and closes it exactly once.
struct Descriptor: ~Copyable {
  let raw: CInt

  init(owning raw: CInt) { self.raw = raw }

  deinit { close(raw) }

  /// Gives the descriptor away, to somebody who closes it.
  consuming func release() -> CInt {
    let raw = raw
    discard self
    return raw
  }
}

/// What a system call gave, with a failure as a negative errno.
///
/// errno is read here, right after the call, before anything else can change it.
@inline(__always)
func checked(_ call: () -> CInt) -> CInt {
  let result = call()
  return result < 0 ? -errno : result
}

/// The same for calls that give a size; a call that a signal interrupted is made again.
@inline(__always)
func checkedTransfer(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { return -Int(code) }
  }
}
