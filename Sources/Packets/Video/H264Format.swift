/// What SDP says of an H.264 stream (`a=fmtp`, RFC 6184 section 8.1).
public struct H264Format: Equatable, Sendable {
  /// The most parameter sets that are read.
  public static let maximumParameterSets = 64

  /// How NAL units are put into packets: 0 for one in each, 1 with STAP-A and FU-A, 2 interleaved.
  public var packetizationMode = 0
  /// profile_idc, the byte of constraints, and level_idc, of 24 bits; nil when it isn't told.
  public var profileLevelID: UInt32?
  /// The parameter sets, as NAL units without start codes.
  public var parameterSets: [[UInt8]] = []

  /// The format of a stream of ours with these parameter sets: packetization mode 1.
  public init(parameterSets: [[UInt8]]) {
    packetizationMode = 1
    self.parameterSets = parameterSets
    for unit in parameterSets {
      guard let parameters = unsafe H264SequenceParameters(parsing: unit.span.bytes) else { continue }
      profileLevelID = parameters.profileLevelID
      break
    }
  }

  /// Reads what stands behind the payload type in `a=fmtp`; unknown parameters are skipped, and so is what is malformed.
  public init(parsing parameters: String) {
    for parameter in parameters.split(separator: ";") {
      let trimmed = parameter.drop { $0 == " " }
      guard let sign = trimmed.firstIndex(of: "=") else { continue }
      var value = trimmed[trimmed.index(after: sign)...]
      while value.last == " " { value.removeLast() }
      switch trimmed[..<sign].lowercased() {
      case "packetization-mode":
        if let mode = Int(value), (0...2).contains(mode) { packetizationMode = mode }
      case "profile-level-id":
        if value.utf8.count == 6, value.allSatisfy(\.isHexDigit) { profileLevelID = UInt32(value, radix: 16) }
      case "sprop-parameter-sets":
        for text in value.split(separator: ",").prefix(Self.maximumParameterSets) {
          guard let unit = Base64.decode(text), let header = unit.first else { continue }
          if H264NAL(header: header).isWhole { parameterSets.append(unit) }
        }
      default: break
      }
    }
  }

  /// The parameter sets with start codes, as they stand in front of a key frame.
  public var annexB: [UInt8] { H264NAL.annexB(parameterSets) }
}

extension H264Format: CustomStringConvertible {
  /// The parameters as `a=fmtp` writes them.
  public var description: String {
    var parts = ["packetization-mode=\(packetizationMode)"]
    if let profileLevelID {
      let digits = String(profileLevelID & 0xff_ffff, radix: 16, uppercase: true)
      parts.append("profile-level-id=" + String(repeating: "0", count: 6 - digits.utf8.count) + digits)
    }
    if !parameterSets.isEmpty {
      parts.append("sprop-parameter-sets=" + parameterSets.map(Base64.encode).joined(separator: ","))
    }
    return parts.joined(separator: ";")
  }
}
