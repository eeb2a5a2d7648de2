import Packets
import Sending
import Sockets

/// The session description that `--sdp` writes.
enum SendDescription {
  /// Writes the description of all streams at the first rtp:// destination; `parameters` has the `a=fmtp` of each.
  static func write(
    to path: String, _ setup: SendSetup, parameters: [String?]
  ) throws(CommandError) {
    let options = setup.options
    for endpoint in options.destinations {
      guard case .rtp(let host, let ports) = endpoint else { continue }
      let addresses = (try? Resolver.resolve(host: host, port: ports.lowerBound, kind: .datagram)) ?? []
      guard let address = addresses.first, let port = address.port else { break }
      let media = setup.inputs.media.indices.map { index in
        stream(index, of: setup, port: port + UInt16(index) * SendSetup.portStep, parameters: parameters[index])
      }
      let connection = ConnectionAddress(address.host, isIPv6: address.family == .ipv6)
      let description = SessionDescription(
        origin: SessionDescription.Origin(
          sessionID: UInt64(setup.configurations[0].ssrc), version: 1, address: connection),
        name: "jitterbug", connection: connection, media: media)
      let file = try TextFile(path: path)
      file.write(description.description)
      return try file.close()
    }
    throw CommandError("--sdp \(path): no rtp:// destination has an address to describe; check their names")
  }

  private static func stream(
    _ index: Int, of setup: SendSetup, port: UInt16, parameters: String?
  ) -> MediaDescription {
    let (media, configuration) = (setup.inputs.media[index], setup.configurations[index])
    var stream = MediaDescription(
      kind: media.isVideo ? "video" : "audio", port: port,
      payloads: [
        MediaDescription.Payload(
          payloadType: configuration.payloadType, format: setup.options.format(of: media), parameters: parameters)
      ], muxesRTCP: setup.options.isMuxed,
      source: MediaDescription.Source(ssrc: configuration.ssrc, cname: configuration.cname))
    if !setup.options.hasNoExtendedReports { stream.extendedReports = MediaDescription.understoodReports }
    return stream
  }
}
