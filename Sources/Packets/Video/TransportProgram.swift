/// Which of a transport stream's packets are video: what its tables say (ISO/IEC 13818-1 section 2.4.4).
///
/// The program association table names the programs' maps, and the first map with video names its packets. Of 16 maps at
/// most the packets are followed.
struct TransportProgram: Sendable {
  /// The codecs of video that are looked into for key frames; others are only counted.
  enum Codec: Equatable, Sendable {
    case mpeg2
    case h264
    case hevc
    case other
  }

  /// Maps followed at once.
  static let mapLimit = 16

  /// The identifier of the packets of video; nil before a map has named one.
  private(set) var videoPID: Int?
  /// How the video is encoded.
  private(set) var codec = Codec.other
  /// Whether a map has been read, with video or without.
  private(set) var hasMap = false

  /// The identifier of the map that has named the video.
  private var chosenMap: Int?
  private var association = TransportSection()
  private var maps: [(pid: Int, section: TransportSection)] = []

  /// Takes a packet that may be part of a table.
  mutating func append(_ packet: TransportPacket, _ payload: RawSpan) {
    if packet.pid == 0 {
      guard let section = association.append(payload, startsUnit: packet.startsUnit) else { return }
      readAssociation(section)
    } else if let index = maps.firstIndex(where: { $0.pid == packet.pid }),
      let section = maps[index].section.append(payload, startsUnit: packet.startsUnit)
    {
      readMap(section, pid: packet.pid)
    }
  }

  /// Whether packets with this identifier hold tables, as far as is known: those of the standard, and maps.
  func isTable(pid: Int) -> Bool { pid < 0x20 || maps.contains { $0.pid == pid } }

  /// Packets are missing.
  mutating func noteGap() {
    association.reset()
    for index in maps.indices { maps[index].section.reset() }
  }

  /// Table 2-30: programs and the identifiers of their maps.
  private mutating func readAssociation(_ section: [UInt8]) {
    guard section[0] == 0, section.count >= 12 else { return }
    var found: [Int] = []
    for offset in stride(from: 8, through: section.count - 8, by: 4) where found.count < Self.mapLimit {
      let program = Int(section[offset]) << 8 | Int(section[offset + 1])
      let pid = Int(section[offset + 2] & 0x1f) << 8 | Int(section[offset + 3])
      if program != 0, !found.contains(pid) { found.append(pid) }
    }
    maps.removeAll { !found.contains($0.pid) }
    if let chosenMap, !found.contains(chosenMap) { self.chosenMap = nil }
    for pid in found where !maps.contains(where: { $0.pid == pid }) { maps.append((pid, TransportSection())) }
  }

  /// Table 2-33: the elementary streams of a program.
  private mutating func readMap(_ section: [UInt8], pid map: Int) {
    guard section[0] == 2, section.count >= 16, chosenMap == nil || chosenMap == map else { return }
    hasMap = true
    var offset = 12 + (Int(section[10] & 0x0f) << 8 | Int(section[11]))
    while offset + 5 <= section.count - 4 {
      let pid = Int(section[offset + 1] & 0x1f) << 8 | Int(section[offset + 2])
      if let codec = Self.codec(ofType: section[offset]) {
        (videoPID, self.codec, chosenMap) = (pid, codec, map)
        return
      }
      offset += 5 + (Int(section[offset + 3] & 0x0f) << 8 | Int(section[offset + 4]))
    }
  }

  /// Table 2-34: stream types of video; nil for anything else.
  private static func codec(ofType type: UInt8) -> Codec? {
    switch type {
    case 0x01, 0x02: .mpeg2
    case 0x1b: .h264
    case 0x24: .hevc
    case 0x10, 0x20, 0x21, 0x33, 0x42, 0xd1, 0xea: .other
    default: nil
    }
  }
}
