import Statistics
import Testing
import Timeline

@testable import Probing

/// Verdicts from figures.
@Suite struct VerdictTests {
  private func figures(sent: Int = 1_000, lost: Int, run: Double? = nil) -> PathFigures {
    var figures = PathFigures()
    figures.sent = sent
    figures.lost = lost
    figures.meanRun = run
    return figures
  }

  private func voice() throws -> ProbeProfile { try #require(ProbeProfile.standard(.opusVoice)) }

  @Test func `a clean path is excellent for voice, and lossy ones get worse in order`() throws {
    let grades = try [0, 5, 10, 20, 60].map { PathVerdict(figures(lost: $0), profile: try voice()).grade }
    let order = PathVerdict.Grade.allCases
    let places = grades.compactMap { grade in order.firstIndex { $0 == grade } }
    #expect(places.count == grades.count)
    #expect(places.first == 0 && places.last == order.count - 1)
    #expect(places == places.sorted())
  }

  @Test func `media without published figures gets no grade`() throws {
    let video = PathVerdict(figures(lost: 3), profile: try #require(ProbeProfile.standard(.video)))
    #expect(video.grade == nil && video.quality == nil)
  }

  private func expect(_ figures: PathFigures, buffer: Interval, _ basis: PathVerdict.Basis) throws {
    let found = PathVerdict(figures, profile: try voice()).buffer
    #expect(found?.delay == buffer && found?.basis == basis)
  }

  @Test func `the buffer is drawn from the best that is known`() throws {
    var known = figures(lost: 0)
    #expect(PathVerdict(known, profile: try voice()).buffer == nil)
    known.jitterMost = .milliseconds(7)
    try expect(known, buffer: .milliseconds(30), .jitter)
    known.spreadMost = .milliseconds(44)
    try expect(known, buffer: .milliseconds(50), .range)
    known.spread99 = .milliseconds(38)
    try expect(known, buffer: .milliseconds(50), .percentiles)
    known.spreadMost = .milliseconds(400)
    known.lateness = [
      LatenessCurve(points: [
        LatenessCurve.Point(delay: .milliseconds(20), late: 0.01),
        LatenessCurve.Point(delay: .milliseconds(60), late: 0.001),
      ])
    ]
    try expect(known, buffer: .milliseconds(60), .lateness)
    known.lateness = []
    // A straggler isn't worth 400 ms.
    try expect(known, buffer: .milliseconds(40), .percentiles)
  }

  @Test func `a loss that duplicates have hidden gets neither a grade nor a remedy`() throws {
    var hidden = figures(lost: -3)
    hidden.isLossHidden = true
    let verdict = PathVerdict(hidden, profile: try voice())
    #expect(verdict.grade == nil && verdict.quality == nil && verdict.remedy == .nothing)
    #expect(verdict.withheld?.contains("duplicates hide losses") == true)
  }

  @Test func `feedback covers what was sent up to its highest number, over wraps`() {
    func covered(_ highest: UInt32, sent: Int, first: UInt16) -> Int {
      ProbeFeedback.Stream(
        ssrc: 1, highest: highest, unique: 1, received: 1, bytes: 1, transit: nil, lastArrival: 0
      ).covered(sent: sent, first: SequenceNumber(first))
    }
    #expect(covered(100, sent: 10, first: 100) == 1)
    #expect(covered(104, sent: 10, first: 100) == 5)
    #expect(covered(65_536 + 3, sent: 200, first: 65_500) == 40)
    // The far end missed the first wrap, so its count has one fewer.
    #expect(covered(5, sent: 65_600, first: 0) == 65_542)
    #expect(covered(5, sent: 0, first: 0) == 0)
  }

  @Test func `the remedy fits the pattern of the loss`() throws {
    let profile = try voice()
    #expect(PathVerdict(figures(lost: 0), profile: profile).remedy == .nothing)
    #expect(PathVerdict(figures(lost: 20, run: 1.1), profile: profile).remedy == .forwardErrorCorrection)
    #expect(PathVerdict(figures(lost: 20, run: 4), profile: profile).remedy == .retransmission)
    #expect(PathVerdict(figures(lost: 300, run: 2), profile: profile).remedy == .lowerRate)
  }

  @Test(arguments: [ProbeProfile.Kind.opusMusic, .g711, .video])
  func `media without FEC of its own is told of redundancy`(kind: ProbeProfile.Kind) throws {
    let profile = try #require(ProbeProfile.standard(kind))
    #expect(PathVerdict(figures(lost: 20, run: 1.1), profile: profile).remedy == .redundancy)
    #expect(PathVerdict(figures(lost: 20, run: 4), profile: profile).remedy == .retransmission)
  }
}
