import Timeline

/// What came of one case.
public struct CaseResult: Sendable {
  /// The case.
  public let name: String
  /// What it proves.
  public let proves: String
  /// Every figure that was compared.
  public private(set) var figures: [CheckedFigure] = []
  /// What couldn't be compared, and why, in sentences.
  public private(set) var remarks: [String] = []
  /// Why it couldn't be run to its end; nil when it was.
  public var failure: String?
  /// Why it wasn't run; nil when it was.
  public var skipped: String?

  /// The figure that is made wrong before it is compared; nil for none.
  private let falsified: String?

  /// Begins with nothing compared; `falsified` is the name of a figure to make wrong, wherever it is compared.
  public init(_ test: VerificationCase, falsifying falsified: String? = nil) {
    name = test.name
    proves = test.proves
    self.falsified = falsified
  }

  // MARK: Comparisons

  /// Compares a receiver's report with what truly happened; `socketDrops` is nil where there was no socket.
  public mutating func compare(_ report: JSONValue, with truth: [StreamTruth], socketDrops: Int?) {
    let streams = report.value(at: "streams")?.elements ?? []
    check(Self.whole(truth, reported: streams.count, socketDrops: socketDrops), against: report)
    for stream in truth {
      let identifier = Self.identifier(stream.ssrc)
      let found = streams.first { $0.value(at: "ssrc")?.text == identifier } ?? .null
      check(stream.expectations, against: found, prefix: truth.count > 1 ? identifier + " " : "")
    }
  }

  /// Compares a sender's report with what it sent and what the link did.
  ///
  /// What it says of the only receiver is compared with what truly arrived there, once the receiver's last report has
  /// come: a sender waits for it some seconds, not for ever. `stream` is nil for a source that no single sender has sent
  /// all packets of.
  public mutating func compare(
    _ report: JSONValue, with truth: SenderTruth, stream: StreamTruth?, prefix: String
  ) {
    check(truth.expectations, against: report, prefix: prefix)
    guard let stream else { return }
    guard report.value(at: SenderTruth.farEnd + "final") == .bool(true) else {
      return remarks.append(
        "\(prefix)had no last report from the receiver in time: the far end's table wasn't compared")
    }
    // Where the reports were thinned it says so, and claims nothing of the numbers left out.
    guard report.value(at: SenderTruth.farEnd + "xr.thinning") == .number(0) else {
      return remarks.append("\(prefix)had thinned reports from the receiver: the far end's table wasn't compared")
    }
    // Whether it tells of the tail hangs on whether an earlier report of ours had shown that nothing else is missing.
    let atEnd = report.value(at: SenderTruth.farEnd + "xr.lost_at_end")
    check(stream.farEnd(tellsTail: atEnd != .number(0)), against: report, prefix: prefix)
  }

  // MARK: Queries

  /// Whether every figure was right.
  public var isRight: Bool { failure == nil && (skipped != nil || (!figures.isEmpty && figures.allSatisfy(\.isRight))) }

  /// Whether a figure was made wrong.
  public var isFalsified: Bool { figures.contains { $0.name == falsified } }

  /// The names of all figures that are ever compared: what the comparisons look for in a little example.
  public static let figureNames: [String] = {
    let arrivals = (0..<3).map {
      StreamTruth.Arrival(run: 0, index: $0, timestamp: UInt32($0), time: Int64($0) * 1_000_000_000)
    }
    let stream = StreamTruth(
      ssrc: 0, sent: [[1, 1, 1]], arrivals: arrivals, clockRate: 1, buffer: .milliseconds(60))
    let all =
      whole([stream], reported: 1, socketDrops: 0) + stream.expectations + SenderTruth(copies: [1, 1, 1]).expectations
      + stream.farEnd(tellsTail: false)
    return all.map(\.key)
  }()

  // MARK: Private

  /// What a receiver's report says of all streams together.
  private static func whole(_ truth: [StreamTruth], reported: Int, socketDrops: Int?) -> [Expectation] {
    let total = truth.reduce(0) { $0 + $1.arrivals.count }
    var expectations = [
      Expectation("streams reported", truth.count, isOwn: true, reported: Double(reported)),
      Expectation("datagrams.rtp", total), Expectation("datagrams.invalid", 0), Expectation("datagrams.forgotten", 0),
    ]
    if let socketDrops { expectations.append(Expectation("datagrams.dropped_by_socket", socketDrops)) }
    return expectations
  }

  private mutating func check(_ expectations: [Expectation], against report: JSONValue, prefix: String = "") {
    figures += expectations.map { $0.check(against: report, prefix: prefix, falsified: falsified) }
  }

  /// A source as reports write it.
  static func identifier(_ ssrc: UInt32) -> String {
    let digits = String(ssrc, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
