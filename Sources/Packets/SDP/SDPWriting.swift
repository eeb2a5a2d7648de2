import Timeline

extension SessionDescription: CustomStringConvertible {
  /// The description as SDP, each line ended by CR LF (RFC 8866 section 5).
  ///
  /// Control characters in texts become spaces, so that no text can begin a line of its own.
  public var description: String {
    var text = "v=0\r\n"
    text += "o=- \(origin.sessionID) \(origin.version) \(origin.address.line)\r\n"
    let name = SDPText.cleaned(name[...])
    text += "s=\(name.isEmpty ? "-" : name)\r\n"
    if let connection { text += "c=\(connection.line)\r\n" }
    text += "t=0 0\r\n"
    for stream in media { text += stream.lines }
    return text
  }
}

extension ConnectionAddress {
  /// The address as it stands behind `c=`.
  fileprivate var line: String {
    let address = SDPText.cleaned(address[...])
    let suffix = timeToLive.map { isIPv6 ? "" : "/\($0)" } ?? ""
    return "IN \(isIPv6 ? "IP6" : "IP4") \(address)\(suffix)"
  }
}

extension MediaDescription {
  /// The lines of the stream, from `m=` on.
  fileprivate var lines: String {
    var text = "m=\(SDPText.cleaned(kind[...])) \(port) \(SDPText.cleaned(transport[...]))"
    for payload in payloads { text += " \(payload.payloadType)" }
    text += "\r\n"
    if let connection { text += "c=\(connection.line)\r\n" }
    for payload in payloads {
      if let format = payload.format {
        text += "a=rtpmap:\(payload.payloadType) \(SDPText.cleaned(format.description[...]))\r\n"
      }
      let parameters = SDPText.cleaned((payload.parameters ?? "")[...])
      if !parameters.isEmpty { text += "a=fmtp:\(payload.payloadType) \(parameters)\r\n" }
    }
    if let packetTime { text += "a=ptime:\(SDPText.milliseconds(packetTime))\r\n" }
    if let rtcpPort { text += "a=rtcp:\(rtcpPort)\r\n" }
    if muxesRTCP { text += "a=rtcp-mux\r\n" }
    if let extendedReports { text += "a=rtcp-xr:\(SDPText.cleaned(extendedReports[...]))\r\n" }
    if let source { text += "a=ssrc:\(source.ssrc) cname:\(SDPText.cleaned(source.cname[...]))\r\n" }
    return text
  }
}

/// The texts within SDP lines.
enum SDPText {
  /// A text with control characters replaced by spaces, and without spaces at its ends.
  static func cleaned(_ text: Substring) -> String {
    let space = UInt8(ascii: " ")
    var bytes = text.utf8.map { $0 < space || $0 == 0x7f ? space : $0 }
    while bytes.last == space { bytes.removeLast() }
    return String(decoding: bytes.drop { $0 == space }, as: UTF8.self)
  }

  /// An interval in milliseconds with at most three decimals, as in `20` or `2.5`.
  static func milliseconds(_ interval: Interval) -> String {
    let microseconds = max(interval.nanoseconds, 0) / 1_000
    let fraction = microseconds % 1_000
    guard fraction > 0 else { return "\(microseconds / 1_000)" }
    var digits = String(String(1_000 + fraction).dropFirst())
    while digits.last == "0" { digits.removeLast() }
    return "\(microseconds / 1_000).\(digits)"
  }

  /// The interval that a number of milliseconds stands for, or nil when it isn't one from 0.001 to 60000.
  static func interval(milliseconds text: Substring) -> Interval? {
    guard let value = Double(text), value >= 0.001, value <= 60_000 else { return nil }
    return .microseconds(Int64((value * 1_000).rounded()))
  }
}
