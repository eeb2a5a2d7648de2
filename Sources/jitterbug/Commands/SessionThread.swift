import Dissection
import Glibc

/// The thread that follows the streams of a capture, behind the one that reads it and finds them.
///
/// Blocks go round: filled by the reader, worked through here, and given back to be filled again.
final class SessionThread: @unchecked Sendable {
  /// A block of the capture with what is to be done in it.
  struct Batch: Sendable {
    var block: [UInt8]
    var work: CaptureWork
  }

  /// The most batches that wait.
  private static let limit = 3

  // Every access to what follows holds the lock.
  private var waiting: [Batch] = []
  private var done: [Batch] = []
  private var isClosed = false
  private var result: CaptureSessions?
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// Starts the thread; nil when there is no second processor for it, or the system won't.
  static func start() -> SessionThread? {
    guard sysconf(CInt(_SC_NPROCESSORS_ONLN)) > 1 else { return nil }
    let thread = SessionThread()
    return BackgroundThread.start { thread.run() } ? thread : nil
  }

  private init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(lock)
    changed.deallocate()
    lock.deallocate()
  }

  // MARK: The reader's side

  /// Hands over a batch, after waiting for room.
  func push(_ batch: consuming Batch) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while waiting.count >= Self.limit { pthread_cond_wait(changed, lock) }
    waiting.append(batch)
    if waiting.count == 1 { pthread_cond_signal(changed) }
  }

  /// A batch that was worked through, for its memory; nil when there is none yet.
  func spare() -> Batch? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return done.popLast()
  }

  /// Waits until all is done; the sessions.
  func finish() -> CaptureSessions {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    isClosed = true
    pthread_cond_signal(changed)
    while true {
      if let sessions = result {
        // Whoever has them alone can change them in place.
        result = nil
        return sessions
      }
      pthread_cond_wait(changed, lock)
    }
  }

  // MARK: The thread's side

  private func run() {
    var sessions = CaptureSessions()
    while let batch = next() {
      sessions.perform(batch.work, in: batch.block.span.bytes)
      giveBack(consume batch)
    }
    pthread_mutex_lock(lock)
    result = consume sessions
    pthread_cond_signal(changed)
    pthread_mutex_unlock(lock)
  }

  private func next() -> Batch? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while waiting.isEmpty {
      guard !isClosed else { return nil }
      pthread_cond_wait(changed, lock)
    }
    // The reader waits only while the queue is full.
    if waiting.count == Self.limit { pthread_cond_signal(changed) }
    return waiting.removeFirst()
  }

  private func giveBack(_ batch: consuming Batch) {
    pthread_mutex_lock(lock)
    done.append(batch)
    pthread_mutex_unlock(lock)
  }
}
