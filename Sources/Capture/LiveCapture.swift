import CPcap
import Glibc
public import Timeline

/// Frames captured live from an interface, by libpcap.
public struct LiveCapture: ~Copyable {
  /// What reading came to.
  public enum Outcome: Equatable, Sendable {
    /// More may follow.
    case more
    /// Nothing has arrived at the interface for now.
    case nothingYet
    /// The interface can't be captured on any more; what libpcap says.
    case broken(String)
  }

  /// The link type of the frames, as the interface names it (tcpdump.org/linktypes.html).
  public let linkType: Int
  /// The frames handed out.
  public private(set) var frames = 0

  private let handle: OpaquePointer
  private var filter: bpf_program?
  private let isNanosecond: Bool

  /// The longest beginning of a frame that is captured live.
  private static let liveLength: CInt = 65_535
  /// The kernel's buffer for a live capture.
  private static let liveBuffer: CInt = 16 << 20

  /// Begins to capture on an interface; nothing is missed from here on but what the kernel counts as dropped.
  public init(interface: String) throws(CaptureError) {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_create(interface, &message) else {
      throw .cannotCapture(interface: interface, reason: Self.text(message))
    }
    pcap_set_snaplen(handle, Self.liveLength)
    pcap_set_promisc(handle, 0)
    pcap_set_timeout(handle, 100)
    pcap_set_immediate_mode(handle, 1)
    pcap_set_buffer_size(handle, Self.liveBuffer)
    pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
    let status = pcap_activate(handle)
    guard status >= 0 else {
      let reason = String(cString: pcap_geterr(handle))
      pcap_close(handle)
      switch status {
      case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: throw .notPermitted(interface: interface)
      case PCAP_ERROR_NO_SUCH_DEVICE: throw .noInterface(interface, known: Self.interfaces())
      default:
        let words = String(cString: pcap_statustostr(status))
        throw .cannotCapture(interface: interface, reason: reason.isEmpty ? words : "\(words): \(reason)")
      }
    }
    _ = pcap_setnonblock(handle, 1, &message)
    self.handle = handle
    linkType = Int(pcap_datalink(handle))
    isNanosecond = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO
  }

  deinit {
    if var filter { pcap_freecode(&filter) }
    pcap_close(handle)
  }

  /// Hands out only frames that a filter expression of libpcap's accepts.
  public mutating func setFilter(_ text: String) throws(CaptureError) {
    var program = bpf_program()
    guard pcap_compile(handle, &program, text, 1, UInt32.max) == 0, pcap_setfilter(handle, &program) == 0 else {
      throw .badFilter(text, reason: String(cString: pcap_geterr(handle)))
    }
    filter = program
  }

  /// The descriptor that is readable when frames wait; nil where there is none.
  public var descriptor: CInt? {
    let descriptor = pcap_get_selectable_fd(handle)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Frames that the kernel dropped because they weren't fetched in time.
  public var dropped: Int? {
    var statistics = pcap_stat()
    return pcap_stats(handle, &statistics) == 0 ? Int(statistics.ps_drop) : nil
  }

  /// Hands out up to `limit` frames: their bytes, their length on the wire, and their time in nanoseconds since 1970.
  public mutating func read(limit: Int, _ body: (RawSpan, _ length: Int, Instant) -> Void) -> Outcome {
    var header: UnsafeMutablePointer<pcap_pkthdr>?
    var bytes: UnsafePointer<u_char>?
    for _ in 0..<limit {
      switch pcap_next_ex(handle, &header, &bytes) {
      case 1:
        guard let header = header?.pointee, let bytes else { return .broken("libpcap gave no frame") }
        frames += 1
        let span = UnsafeRawBufferPointer(start: bytes, count: Int(header.caplen)).bytes
        body(span, Int(max(header.len, header.caplen)), Self.instant(header.ts, isNanosecond: isNanosecond))
      case 0: return .nothingYet
      default: return .broken(String(cString: pcap_geterr(handle)))
      }
    }
    return .more
  }

  /// Seconds and a fraction, whatever they are, as an instant: clamped to what fits.
  private static func instant(_ time: timeval, isNanosecond: Bool) -> Instant {
    let seconds = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    let fraction = Int64(time.tv_usec).multipliedReportingOverflow(by: isNanosecond ? 1 : 1_000)
    let sum = seconds.partialValue.addingReportingOverflow(fraction.partialValue)
    guard !seconds.overflow, !fraction.overflow, !sum.overflow, sum.partialValue >= 0 else { return .zero }
    return Instant(nanoseconds: sum.partialValue)
  }

  /// The names of the interfaces that libpcap finds, at most 16.
  private static func interfaces() -> [String] {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    var list: UnsafeMutablePointer<pcap_if_t>?
    guard pcap_findalldevs(&list, &message) == 0 else { return [] }
    defer { pcap_freealldevs(list) }
    var names: [String] = []
    var next = list
    while let device = next, names.count < 16 {
      names.append(String(cString: device.pointee.name))
      next = device.pointee.next
    }
    return names
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
