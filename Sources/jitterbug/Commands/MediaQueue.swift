import Glibc
import Sockets

/// What the reading thread hands to the sending one.
enum MediaItem: Sendable {
  /// One packet's worth of media.
  case frame(MediaFrame)
  /// What decoding a video needs besides its frames, as payloads: from the next frame on, until others come.
  case parameters([[UInt8]])
  /// An input couldn't be read, or not to its end: a sentence for people. The others go on.
  case problem(String)
  /// All the media has been handed over.
  case ended

  /// The bytes of media in it.
  fileprivate var byteCount: Int {
    switch self {
    case .frame(let frame): frame.payload.count
    case .parameters(let payloads): payloads.reduce(0) { $0 + $1.count }
    case .problem, .ended: 0
    }
  }
}

/// Media for one RTP packet.
struct MediaFrame: Sendable {
  var payload: [UInt8]
  /// Its place on the media timeline, in ticks of the stream's clock since the start: when it is to be heard or shown.
  var time: Int64
  /// How long it plays, in ticks.
  var duration: Int64
  /// How far from the frame's own instant it is to be sent, in ticks: the packets of a big frame are spread, and frames
  /// that others refer to are sent before them, even if they are shown after them.
  var sendOffset: Int64 = 0
  /// Whether it begins a talk spurt (RFC 7587 section 4.1), or ends a frame of several packets.
  var marker: Bool
  /// What it begins; nil in the midst of a frame.
  var begins: Beginning?
  /// The bytes of a transport stream's payload that come before its first packet with which a picture begins: here the
  /// stream can end; nil where none begins.
  var pictureStart: Int?

  /// The first packet of a frame of video.
  enum Beginning {
    case frame, keyFrame
  }
}

/// A bounded queue between two threads: the reader blocks while it is full, the sender never blocks but is woken.
final class MediaQueue: @unchecked Sendable {
  /// The most items that wait, for audio: five seconds of 20 ms frames.
  static let audioLimit = 256

  /// The most items that wait, for video: a second at 20 Mbit/s, 4 MiB of large packets.
  static func videoLimit(mtu: Int?) -> Int { max(64, min(2_048, (4 << 20) / (mtu ?? 1))) }

  /// The bytes of media from which on nothing more is taken, whatever the number of items: parameter sets may have a
  /// megabyte.
  static let byteLimit = 4 << 20

  /// Readable when something was added to an empty queue.
  let wake: WakeDescriptor
  // Every access to what follows holds the lock.
  private var items: [MediaItem] = []
  private var first = 0
  /// The bytes of media that wait.
  private var byteCount = 0
  private var isClosed = false
  private var wantsKeyFrame = false
  private let limit: Int
  /// The most ticks from the first frame that waits to the last one, whatever its number of packets; nil when only
  /// their number counts.
  private let span: Int64?
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let notFull = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(limit: Int = audioLimit, span: Int64? = nil) throws(SocketError) {
    self.limit = limit
    self.span = span
    wake = try WakeDescriptor()
    pthread_mutex_init(lock, nil)
    pthread_cond_init(notFull, nil)
  }

  deinit {
    pthread_cond_destroy(notFull)
    pthread_mutex_destroy(lock)
    notFull.deallocate()
    lock.deallocate()
  }

  /// Adds an item, after waiting for room; false when the other side wants no more.
  func push(_ item: consuming MediaItem) -> Bool {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while isFull, !isClosed { pthread_cond_wait(notFull, lock) }
    guard !isClosed else { return false }
    byteCount += item.byteCount
    items.append(item)
    if items.count - first == 1 { wake.wake() }
    return true
  }

  /// Waits until there is room for an item; false when the other side wants no more.
  func waitForRoom() -> Bool {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while isFull, !isClosed { pthread_cond_wait(notFull, lock) }
    return !isClosed
  }

  /// The next item, or nil when none is ready.
  func pop() -> MediaItem? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    guard first < items.count else { return nil }
    // Its place stays for a while, what it holds doesn't.
    var item = MediaItem.ended
    swap(&item, &items[first])
    first += 1
    let before = byteCount
    byteCount -= item.byteCount
    let half = Self.byteLimit / 2
    if first >= limit / 2 || first == items.count {
      items.removeFirst(first)
      first = 0
      // Half a queue at a time: fewer switches between the threads than one a packet.
      pthread_cond_signal(notFull)
    } else if span != nil && !isFull || before > half && byteCount <= half {
      pthread_cond_signal(notFull)
    }
    return item
  }

  /// Asks for a key frame as soon as one can be had; what waits here already comes before it.
  func requestKeyFrame() {
    pthread_mutex_lock(lock)
    wantsKeyFrame = true
    pthread_mutex_unlock(lock)
  }

  /// Whether a key frame was asked for since the last time.
  func takeKeyFrameRequest() -> Bool {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    defer { wantsKeyFrame = false }
    return wantsKeyFrame
  }

  /// Whether a reader has to wait; asked with the lock, or by a thread that is alone with the queue.
  var isFull: Bool {
    guard items.count - first < limit, byteCount < Self.byteLimit else { return true }
    guard let span, first < items.count, case .frame(let earliest) = items[first],
      case .frame(let latest) = items[items.count - 1]
    else { return false }
    return latest.time - earliest.time > span
  }

  /// Wants no more: a reader that waits gives up.
  func close() {
    pthread_mutex_lock(lock)
    isClosed = true
    pthread_cond_signal(notFull)
    pthread_mutex_unlock(lock)
  }
}

/// A thread of its own for work that may block on a disk or a pipe.
enum BackgroundThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts `body` and lets it go: it ends by itself, or with the process.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    // Not `pthread_attr_t()`: which C module that initializer belongs to depends on who included the header first, and
    // libpcap's module may.
    withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { attributes in
      guard let attributes = attributes.baseAddress, pthread_attr_init(attributes) == 0 else { return false }
      defer { pthread_attr_destroy(attributes) }
      pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
      return start(body, with: attributes)
    }
  }

  private static func start(
    _ body: @escaping @Sendable () -> Void, with attributes: UnsafePointer<pthread_attr_t>
  ) -> Bool {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let code = pthread_create(
      &thread, attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    if code != 0 { work.release() }
    return code == 0
  }
}
