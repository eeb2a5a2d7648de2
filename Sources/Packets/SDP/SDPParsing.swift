import Timeline

extension SessionDescription {
  /// Reads a description from UTF-8; invalid sequences are replaced.
  public init(parsing bytes: Span<UInt8>) throws(SDPParseError) {
    guard bytes.count <= Self.maximumSize else { throw .tooLong(bytes: bytes.count) }
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in 0..<bytes.count { copy.append(bytes[index]) }
    try self.init(checked: String(decoding: copy, as: UTF8.self))
  }

  /// Reads a description (RFC 8866) of at most 64 KiB.
  ///
  /// Lines may end in LF or CR LF. Lines before `v=0` are skipped, such as the `SDP:` that ffmpeg prints, and so are
  /// lines and attributes that nothing here needs. Throws at the first needed line that is malformed.
  public init(parsing text: String) throws(SDPParseError) {
    guard text.utf8.count <= Self.maximumSize else { throw .tooLong(bytes: text.utf8.count) }
    try self.init(checked: text)
  }

  private init(checked text: String) throws(SDPParseError) {
    var parser = SDPParser()
    for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      try parser.take(Substring(line))
    }
    guard parser.hasVersion else { throw .noVersion }
    self = parser.session
  }
}

/// Reads a session description line by line.
private struct SDPParser {
  var session = SessionDescription()
  var hasVersion = false
  private var number = 0

  /// Takes the next line.
  mutating func take(_ line: Substring) throws(SDPParseError) {
    number += 1
    let text = SDPText.cleaned(line)
    let letter = text.utf8.first
    guard text.utf8.dropFirst().first == UInt8(ascii: "="), let letter else { return }
    let value = SDPText.cleaned(Substring(text.utf8.dropFirst(2)))[...]
    guard hasVersion else {
      if letter == UInt8(ascii: "v") {
        guard value == "0" else { throw .wrongVersion(line: number) }
        hasVersion = true
      }
      return
    }
    switch letter {
    case UInt8(ascii: "o"): takeOrigin(value)
    case UInt8(ascii: "s"): session.name = value.isEmpty ? "-" : String(value)
    case UInt8(ascii: "c"): try takeConnection(value)
    case UInt8(ascii: "m"): try takeMedia(value)
    case UInt8(ascii: "a"): try takeAttribute(value)
    default: break
    }
  }

  /// An origin that can't be read is left at its default: nothing depends on it.
  private mutating func takeOrigin(_ value: Substring) {
    let words = Self.words(value)
    guard words.count == 6, let id = UInt64(words[1]), let version = UInt64(words[2]),
      let address = Self.connection(words[3...])
    else { return }
    session.origin = SessionDescription.Origin(sessionID: id, version: version, address: address)
  }

  private mutating func takeConnection(_ value: Substring) throws(SDPParseError) {
    guard let address = Self.connection(Self.words(value)[...]) else {
      throw .malformed(line: number, expected: "c=IN IP4 192.0.2.1")
    }
    if session.media.isEmpty {
      session.connection = address
    } else {
      session.media[session.media.count - 1].connection = address
    }
  }

  private mutating func takeMedia(_ value: Substring) throws(SDPParseError) {
    let expected = "m=audio 5004 RTP/AVP 111"
    let words = Self.words(value)
    // The port may be followed by a number of ports, which only layered encodings use.
    guard words.count >= 3, let port = UInt16(words[1].prefix { $0 != "/" }) else {
      throw .malformed(line: number, expected: expected)
    }
    guard session.media.count < SessionDescription.maximumMediaCount else { throw .tooManyMedia(line: number) }
    var stream = MediaDescription(
      kind: String(words[0]), port: port, transport: String(words[2]), payloads: [])
    if words[2].utf8.starts(with: "RTP/".utf8) || words[2].utf8.starts(with: "TCP/RTP/".utf8) {
      for word in words[3...] {
        guard let type = UInt8(word), type < 128 else { throw .malformed(line: number, expected: expected) }
        if stream.payloads.contains(where: { $0.payloadType == type }) { continue }
        stream.payloads.append(
          MediaDescription.Payload(payloadType: type, format: PayloadFormat.staticType(type)))
      }
    }
    session.media.append(stream)
  }

  private mutating func takeAttribute(_ value: Substring) throws(SDPParseError) {
    guard !session.media.isEmpty else { return }
    let stream = session.media.count - 1
    let name = Substring(value.utf8.prefix { $0 != UInt8(ascii: ":") })
    let rest = Substring(value.utf8.dropFirst(name.utf8.count + 1))
    let words = Self.words(rest)
    switch name {
    case "rtpmap": try takeFormat(words, stream: stream)
    case "fmtp":
      guard let word = words.first, let index = payload(word, stream: stream) else { return }
      let parameters = SDPText.cleaned(Substring(rest.utf8.drop { $0 == 0x20 }.dropFirst(word.utf8.count)))
      session.media[stream].payloads[index].parameters = parameters.isEmpty ? nil : parameters
    case "ptime":
      guard let word = words.first, let time = SDPText.interval(milliseconds: word) else { return }
      session.media[stream].packetTime = time
    case "rtcp":
      guard let word = words.first, let port = UInt16(word) else {
        throw .malformed(line: number, expected: "a=rtcp:5005")
      }
      session.media[stream].rtcpPort = port
    case "rtcp-mux":
      session.media[stream].muxesRTCP = true
    case "rtcp-xr":
      session.media[stream].extendedReports = SDPText.cleaned(rest)
    case "ssrc":
      guard session.media[stream].source == nil, words.count == 2, let ssrc = UInt32(words[0]),
        words[1].utf8.starts(with: "cname:".utf8), words[1].utf8.count > 6
      else { return }
      session.media[stream].source = MediaDescription.Source(
        ssrc: ssrc, cname: String(Substring(words[1].utf8.dropFirst(6))))
    default: break
    }
  }

  private mutating func takeFormat(_ words: [Substring], stream: Int) throws(SDPParseError) {
    let error = SDPParseError.malformed(line: number, expected: "a=rtpmap:111 opus/48000/2")
    guard words.count >= 2, UInt8(words[0]) != nil else { throw error }
    let parts = words[1].utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Substring($0) }
    guard parts.count == 2 || parts.count == 3, !parts[0].isEmpty, let rate = UInt32(parts[1]), rate > 0,
      let channels = parts.count == 3 ? UInt8(parts[2]) : 1, channels > 0
    else { throw error }
    guard let index = payload(words[0], stream: stream) else { return }
    session.media[stream].payloads[index].format = PayloadFormat(
      encodingName: String(parts[0]), clockRate: rate, channels: Int(channels))
  }

  /// The index of the payload type that a word names, or nil when the stream doesn't offer it.
  private func payload(_ word: Substring, stream: Int) -> Int? {
    guard let type = UInt8(word) else { return nil }
    return session.media[stream].payloads.firstIndex { $0.payloadType == type }
  }

  /// The address in the words `IN`, `IP4` or `IP6`, and the address with its suffixes, or nil.
  private static func connection(_ words: ArraySlice<Substring>) -> ConnectionAddress? {
    let words = Array(words)
    guard words.count == 3, words[0] == "IN", words[1] == "IP4" || words[1] == "IP6" else { return nil }
    let parts = words[2].utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Substring($0) }
    guard let address = parts.first, !address.isEmpty, parts.count <= 3 else { return nil }
    guard words[1] == "IP4", parts.count > 1 else {
      return ConnectionAddress(String(address), isIPv6: words[1] == "IP6")
    }
    guard let timeToLive = UInt8(parts[1]) else { return nil }
    return ConnectionAddress(String(address), isIPv6: false, timeToLive: timeToLive)
  }

  private static func words(_ text: Substring) -> [Substring] {
    text.utf8.split(separator: UInt8(ascii: " ")).map { Substring($0) }
  }
}
