import Packets

/// What session descriptions in the capture say of payload types: in SIP and RTSP messages and SAP announcements.
struct SessionTexts: Sendable {
  /// The most endpoints remembered.
  static let limit = 4096

  private var endpoints: [NetworkEndpoint: [UInt8: PayloadFormat]] = [:]
  /// Where encrypted media goes (RTP/SAVP, RFC 3711).
  private var encrypted: Set<NetworkEndpoint> = []
  /// What types stand for wherever all descriptions agree; nil where they don't.
  private var agreed: [UInt8: PayloadFormat?] = [:]
  /// Descriptions read.
  private(set) var count = 0

  /// Reads the session description in a message, when there is one.
  mutating func read(_ message: RawSpan) {
    guard let start = Self.start(in: message) else { return }
    let body = message.extracting(start..<min(message.byteCount, start + SessionDescription.maximumSize))
    let text = unsafe body.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    guard let session = try? SessionDescription(parsing: text) else { return }
    count += 1
    for media in session.media {
      var formats: [UInt8: PayloadFormat] = [:]
      for payload in media.payloads {
        guard let format = payload.format else { continue }
        formats[payload.payloadType] = format
        if let known = agreed[payload.payloadType], known != format {
          agreed[payload.payloadType] = .some(nil)
        } else {
          agreed[payload.payloadType] = .some(format)
        }
      }
      guard let address = session.connection(of: media), media.port > 0, endpoints.count < Self.limit,
        let endpoint = NetworkEndpoint(address: address.address, port: media.port)
      else { continue }
      endpoints[endpoint] = formats
      if media.transport.utf8.contains(UInt8(ascii: "S")), media.transport.contains("SAVP") {
        encrypted.insert(endpoint)
      }
    }
  }

  /// The formats that hold for a flow: those that its receiver asked for, those that its sender named, and those that
  /// all agree on (addresses in descriptions are often not those on the wire).
  func formats(of flow: Flow) -> [UInt8: PayloadFormat] {
    var formats = agreed.compactMapValues { $0 }
    for endpoint in [flow.source, flow.destination] {
      if let named = endpoints[endpoint] { formats.merge(named) { $1 } }
    }
    return formats
  }

  /// Whether a description says that the flow is encrypted.
  func isEncrypted(_ flow: Flow) -> Bool { encrypted.contains(flow.destination) || encrypted.contains(flow.source) }

  /// Whether a description named this flow.
  func names(_ flow: Flow) -> Bool { endpoints[flow.destination] != nil || endpoints[flow.source] != nil }

  /// Where the line `v=0` begins, behind the start of the message, a line break or the zero of SAP's payload type.
  private static func start(in message: RawSpan) -> Int? {
    guard message.byteCount >= 5 else { return nil }
    for offset in 0..<(min(message.byteCount, searchLimit) - 3) {
      guard message.byte(at: offset) == UInt8(ascii: "v"), message.byte(at: offset + 1) == UInt8(ascii: "="),
        message.byte(at: offset + 2) == UInt8(ascii: "0")
      else { continue }
      let end = message.byte(at: offset + 3)
      guard end == UInt8(ascii: "\r") || end == UInt8(ascii: "\n") else { continue }
      // SAP without a payload type has its authentication data or the header in front.
      if offset == 0 || message.byte(at: offset - 1) < 0x20 || message.byte(at: 0) & 0xe0 == 0x20 { return offset }
    }
    return nil
  }

  /// How far into a message its description is looked for.
  private static let searchLimit = 16_384
}

extension NetworkEndpoint {
  /// Reads an address as a session description writes it; nil for a name.
  init?(address: String, port: UInt16) {
    if let value = Self.ipv4(address[...]) {
      self.init(ipv4: value, port: port)
      return
    }
    let halves = address.split(separator: "::", omittingEmptySubsequences: false)
    guard address.utf8.contains(UInt8(ascii: ":")), halves.count <= 2,
      let head = Self.groups(halves[0]), let tail = Self.groups(halves.count == 2 ? halves[1] : "")
    else { return nil }
    let missing = 8 - head.count - tail.count
    guard halves.count == 2 ? missing >= 1 : missing == 0 else { return nil }
    let groups = head + [UInt64](repeating: 0, count: missing) + tail
    self.init(
      high: groups[..<4].reduce(0) { $0 << 16 | $1 }, low: groups[4...].reduce(0) { $0 << 16 | $1 }, port: port)
  }

  private static func ipv4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard let byte = UInt8(part) else { return nil }
      value = value << 8 | UInt32(byte)
    }
    return value
  }

  private static func groups(_ text: Substring) -> [UInt64]? {
    guard !text.isEmpty else { return [] }
    var groups: [UInt64] = []
    for part in text.split(separator: ":", omittingEmptySubsequences: false) {
      guard part.count <= 4, let value = UInt16(part, radix: 16) else { return nil }
      groups.append(UInt64(value))
    }
    return groups.count <= 8 ? groups : nil
  }
}
