import CPcap

/// A filter expression of libpcap's, such as `udp port 5004`, for frames from a file.
public struct PacketFilter: ~Copyable {
  private let text: String
  /// The program for each link type that has occurred.
  private var programs: [(linkType: Int, handle: OpaquePointer, code: UnsafeMutablePointer<bpf_program>)] = []

  /// Takes an expression; whether it can be compiled shows with the first frame.
  public init(_ text: String) { self.text = text }

  deinit {
    for program in programs {
      pcap_freecode(program.code)
      program.code.deallocate()
      pcap_close(program.handle)
    }
  }

  /// Whether the expression accepts a frame.
  public mutating func accepts(_ frame: RawSpan, length: Int, linkType: Int) throws(CaptureError) -> Bool {
    if let program = programs.first(where: { $0.linkType == linkType }) {
      return Self.run(program.code, frame, length)
    }
    // Files name raw IP by a number of its own; libpcap calls it as this system does.
    let type = linkType == 101 ? DLT_RAW : CInt(clamping: linkType)
    guard let handle = pcap_open_dead(type, 262_144) else {
      throw .badFilter(text, reason: "the link type \(linkType) isn't known to libpcap")
    }
    let code = UnsafeMutablePointer<bpf_program>.allocate(capacity: 1)
    guard pcap_compile(handle, code, text, 1, UInt32.max) == 0 else {
      let reason = String(cString: pcap_geterr(handle))
      code.deallocate()
      pcap_close(handle)
      throw .badFilter(text, reason: reason)
    }
    programs.append((linkType, handle, code))
    return Self.run(code, frame, length)
  }

  private static func run(_ code: UnsafePointer<bpf_program>, _ frame: RawSpan, _ length: Int) -> Bool {
    var header = pcap_pkthdr()
    header.caplen = UInt32(frame.byteCount)
    header.len = UInt32(clamping: length)
    return frame.withUnsafeBytes { bytes in
      bytes.baseAddress.map { pcap_offline_filter(code, &header, $0.assumingMemoryBound(to: UInt8.self)) != 0 } ?? false
    }
  }
}
