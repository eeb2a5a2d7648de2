/// Why a capture can't be opened.
public enum CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file can't be opened; the system's reason.
  case cannotOpen(path: String, reason: String)
  /// The file is no capture that is read; what libpcap says.
  case notACapture(path: String, reason: String)
  /// The file is compressed.
  case compressed(path: String)
  /// The filter expression can't be compiled; what libpcap says.
  case badFilter(String, reason: String)
  /// There is no such interface; those that there are.
  case noInterface(String, known: [String])
  /// This user may not capture on the interface.
  case notPermitted(interface: String)
  /// The interface can't be captured on; what libpcap says.
  case cannotCapture(interface: String, reason: String)

  /// One sentence that says what was given, what is wrong with it and what to do.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason): "\(path) can't be read: \(reason)"
    case .notACapture(let path, let reason):
      "\(path) is no capture that can be read (\(reason)): give a pcap, pcapng or rtpdump file"
    case .compressed(let path):
      "\(path) is compressed: unpack it on the way in, as with zcat \(path) | jitterbug analyze -"
    case .badFilter(let text, let reason):
      "“\(text)” is no filter expression (\(reason)): write one as for tcpdump, such as udp port 5004"
    case .noInterface(let name, let known):
      "there is no interface \(name): name one of \(known.isEmpty ? "those that ip link lists" : known.joined(separator: ", "))"
    case .notPermitted(let interface):
      "capturing on \(interface) needs privilege: run it as root, or give the binary CAP_NET_RAW with "
        + "setcap cap_net_raw+ep, or capture with a tool that may and analyze its file"
    case .cannotCapture(let interface, let reason): "\(interface) can't be captured on: \(reason)"
    }
  }
}
