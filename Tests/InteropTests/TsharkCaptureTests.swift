import Foundation
import Testing

/// A capture made here, so that what happened to each packet is known: a stream of μ-law or Opus, 20 ms a packet.
struct MadeCapture: Sendable, CustomTestStringConvertible {
  /// What it shows.
  let name: String
  var firstSequence: UInt16 = 1000
  /// 0 is μ-law, whose clock is known by the number; 111 has none.
  var payloadType: UInt8 = 0
  /// For each packet in the order of sending, the delays in milliseconds with which a copy arrived.
  let fates: [[Double]]
  /// What tshark says of the losses, from the truth: of the packets sent, how many it should call lost.
  var theirLosses: @Sendable (_ lost: Int, _ duplicates: Int) -> Int = { lost, _ in lost }
  /// Why that isn't the truth; nil where it is.
  var reason: String?
  /// Whether its jitter is ours.
  var agreesOnJitter = true

  var testDescription: String { name }

  var unique: Int { fates.count { !$0.isEmpty } }
  var received: Int { fates.joined().count }
  /// Never arrived, between the first and the last that did.
  var lost: Int {
    let there = fates.indices.filter { !fates[$0].isEmpty }
    return (there.last ?? -1) - (there.first ?? 0) + 1 - unique
  }
  /// First copies that arrived after one with a higher number (RFC 4737 section 3.3).
  var reordered: Int {
    let order = fates.indices.compactMap { index in fates[index].min().map { (index, Double(index) * 20 + $0) } }
      .sorted { $0.1 < $1.1 }.map(\.0)
    var (count, highest) = (0, -1)
    for index in order {
      count += index < highest ? 1 : 0
      highest = max(highest, index)
    }
    return count
  }

  /// The file: pcap with nanoseconds, of IP packets without a link layer.
  var bytes: [UInt8] {
    func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    func little(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    let step: UInt32 = payloadType == 0 ? 160 : 960
    var frames: [(time: Int, bytes: [UInt8])] = []
    for (index, delays) in fates.enumerated() {
      let sequence = firstSequence &+ UInt16(truncatingIfNeeded: index)
      // Opus by its first byte: one frame of 20 ms.
      let payload = [payloadType == 0 ? 0x55 : 0x78] + [UInt8](repeating: UInt8(index & 0xff), count: 79)
      let rtp = [0x80, payloadType] + big(sequence) + big(UInt32(index) &* step) + big(UInt32(0xcafe_0001)) + payload
      let udp = big(UInt16(4000)) + big(UInt16(5004)) + big(UInt16(8 + rtp.count)) + [0, 0] + rtp
      let ip: [UInt8] =
        [0x45, 0] + big(UInt16(20 + udp.count)) + [0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + udp
      for delay in delays { frames.append((index * 20_000_000 + Int(delay * 1e6), ip)) }
    }
    var bytes = little(0xa1b2_3c4d) + [2, 0, 4, 0] + [UInt8](repeating: 0, count: 8) + little(65_535) + little(101)
    for frame in frames.sorted(by: { $0.time < $1.time }) {
      bytes += little(1_704_067_200 + UInt32(frame.time / 1_000_000_000)) + little(UInt32(frame.time % 1_000_000_000))
      bytes += little(UInt32(frame.bytes.count)) + little(UInt32(frame.bytes.count)) + frame.bytes
    }
    return bytes
  }

  /// Packets whose fates are drawn: lost, doubled, held back by 50 ms so that two overtake them, and delayed a little.
  ///
  /// The first and the last ones arrive in order, so that nothing is open at the ends.
  static func drawn(_ count: Int, loss: Double = 0, doubled: Double = 0, heldBack: Double = 0) -> [[Double]] {
    var state: UInt64 = 21
    func chance() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    return (0..<count).map { index in
      let isQuiet = index < 5 || index + 5 >= count
      let (isLost, isDoubled, isHeldBack) = (chance() < loss, chance() < doubled, chance() < heldBack)
      let delay = (20 + chance() * 8 + (isHeldBack && !isQuiet ? 50 : 0))
      return isLost && !isQuiet ? [] : isDoubled && !isQuiet ? [delay, delay + 1] : [delay]
    }
  }
}

extension MadeCapture {
  static let all: [MadeCapture] = [
    MadeCapture(name: "jitter alone", fates: drawn(1000)),
    MadeCapture(name: "5 % lost", fates: drawn(1000, loss: 0.05)),
    MadeCapture(name: "5 % overtaken", fates: drawn(1000, heldBack: 0.05)),
    MadeCapture(name: "lost and overtaken", fates: drawn(1000, loss: 0.05, heldBack: 0.05)),
    MadeCapture(name: "the numbers wrap", firstSequence: 65_300, fates: drawn(1000, loss: 0.05)),
    MadeCapture(
      name: "5 % doubled", fates: drawn(1000, doubled: 0.05), theirLosses: { lost, duplicates in lost - duplicates },
      reason: "it takes packets received off those expected (RFC 3550 A.3): each duplicate hides a loss"),
    MadeCapture(
      name: "lost, doubled and overtaken", fates: drawn(1000, loss: 0.05, doubled: 0.05, heldBack: 0.05),
      theirLosses: { lost, duplicates in lost - duplicates }, reason: "the same"),
    MadeCapture(
      name: "overtaken just at the wrap", firstSequence: 65_036,
      // Number 65535 arrives when 0 and 1 are there.
      fates: drawn(1000).enumerated().map { $0.offset == 499 ? [75] : $0.element },
      theirLosses: { lost, _ in lost + 65_536 },
      reason: "a late packet from before the wrap counts as another turn of 65,536 numbers"),
    MadeCapture(
      name: "a payload type without a clock", payloadType: 111, fates: drawn(1000, loss: 0.05),
      agreesOnJitter: false),
  ]
}

/// What tshark makes of a capture whose every packet is known, beside our report: the same where both count the same, and
/// the differences that there are, with their reasons (docs/analyze.md).
@Suite(.enabled(if: Program.areInstalled("tshark"), "needs tshark"))
struct `tshark beside analyze` {
  let folder = try? Folder()

  @Test(arguments: MadeCapture.all) func `of the same packets`(capture: MadeCapture) async throws {
    let folder = try #require(folder)
    let (file, report) = (folder.file("made.pcap"), folder.file("report.json"))
    try Data(capture.bytes).write(to: URL(filePath: file))
    try await Program.run(Program.jitterbug, ["analyze", "--quiet", "--report", report, file])
    let streams = try Report(path: report)["streams"]
    try #require(streams.count == 1)
    let (packets, jitter) = (streams[0]["packets"], streams[0]["jitter_ms"])
    let duplicates = capture.received - capture.unique
    #expect(packets["received"].int == capture.received)
    #expect(packets["lost"].int == capture.lost)
    #expect(packets["duplicates"].int == duplicates)
    #expect(packets["reordered"].int == capture.reordered)
    #expect(packets["rfc3550_lost"].int == capture.lost - duplicates)

    let theirs = try await Self.stream(file)
    #expect(theirs.packets == capture.received)
    let differs = theirs.lost != capture.lost
    #expect(theirs.lost == capture.theirLosses(capture.lost, duplicates), "\(capture.reason ?? "no difference known")")
    #expect(differs == (capture.reason != nil))
    let (mean, most) = (try #require(jitter["mean"].double), try #require(jitter["max"].double))
    if capture.agreesOnJitter {
      #expect(theirs.meanJitter == String(format: "%.3f", mean) && theirs.maxJitter == String(format: "%.3f", most))
    } else {
      // It doesn't know the clock of a dynamic payload type; ours is measured.
      #expect(Double(theirs.maxJitter) == 0)
      #expect(mean > 1 && streams[0]["encoding"].string == "opus/48000/2")
    }
  }

  /// The only row of `-z rtp,streams`: of Pkts, Lost and the jitters.
  private static func stream(
    _ file: String
  ) async throws -> (packets: Int, lost: Int, meanJitter: String, maxJitter: String) {
    let table = try await Program.run(
      "tshark", ["-r", file, "-d", "udp.port==5004,rtp", "-q", "-z", "rtp,streams"])
    let rows = table.split(separator: "\n").filter { $0.contains(" 0x") }
    try #require(rows.count == 1, "\(table)")
    let words = rows[0].split(separator: " ").map(String.init)
    let place = try #require(words.firstIndex { $0.hasPrefix("0x") })
    // Payload, Pkts, Lost, (%), three deltas, three jitters.
    try #require(words.count >= place + 11, "\(table)")
    return (
      try #require(Int(words[place + 2])), try #require(Int(words[place + 3])), words[place + 9], words[place + 10]
    )
  }
}
