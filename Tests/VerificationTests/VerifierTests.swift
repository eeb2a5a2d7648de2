import Testing
import Timeline

@testable import Verification

/// A verifier that can't fail proves nothing: every figure that it compares is made wrong once, and is noticed.
@Suite struct VerifierTests {
  /// A receiver's report that says just what is expected of it.
  private static func report(_ truth: StreamTruth) -> JSONValue {
    var root: [String: JSONValue] = ["ssrc": .string(CaseResult.identifier(truth.ssrc))]
    set(&root, truth.expectations)
    let datagrams: [String: JSONValue] = [
      "rtp": .number(Double(truth.arrivals.count)), "invalid": .number(0), "forgotten": .number(0),
      "dropped_by_socket": .number(0),
    ]
    return .object(["streams": .array([.object(root)]), "datagrams": .object(datagrams)])
  }

  /// A sender's report that does, with its only receiver's last word.
  private static func senderReport(_ truth: SenderTruth, _ stream: StreamTruth) -> JSONValue {
    var root: [String: JSONValue] = [:]
    set(&root, truth.expectations + stream.farEnd(tellsTail: false))
    set(&root, ["sending", "far_ends", "0", "final"], .bool(true))
    set(&root, ["sending", "far_ends", "0", "xr", "thinning"], .number(0))
    return .object(root)
  }

  private static func set(_ root: inout [String: JSONValue], _ expectations: [Verification.Expectation]) {
    for expectation in expectations where expectation.own == nil {
      set(&root, expectation.key.split(separator: ".").map(String.init), expectation.truth.map { .number($0) } ?? .null)
    }
  }

  private static func set(_ object: inout [String: JSONValue], _ path: [String], _ value: JSONValue) {
    guard let first = path.first else { return }
    guard path.count > 1 else {
      object[first] = value
      return
    }
    var inner: [String: JSONValue] = [:]
    if case .object(let members)? = object[first] { inner = members }
    set(&inner, Array(path.dropFirst()), value)
    object[first] = .object(inner)
  }

  private static let test = VerificationCase.all[0]
  private static let truth = VirtualRun(
    VerificationCase.all.first { $0.name == "loss-duplicate-reorder" } ?? test, time: .seconds(3), seed: 3
  ).truth[0]
  private static let sent = SenderTruth(copies: truth.sent[0])

  private static func result(_ report: JSONValue, falsified: String? = nil) -> CaseResult {
    var result = CaseResult(test, falsifying: falsified)
    result.compare(report, with: [truth], socketDrops: 0)
    result.compare(senderReport(sent, truth), with: sent, stream: truth, prefix: "sender ")
    return result
  }

  /// A histogram or a list is an array in a report; here its places are members, which a path finds as well.
  @Test func `a report that is right passes`() {
    let result = Self.result(Self.report(Self.truth))
    #expect(result.isRight)
    #expect(result.figures.count > 40)
    #expect(VerificationText.table([result], isVerbose: false, way: "here", seed: 3, seconds: 1).contains("  ok\n"))
  }

  @Test(arguments: CaseResult.figureNames) func `a wrong figure is noticed, named and shown`(name: String) {
    let result = Self.result(Self.report(Self.truth), falsified: name)
    #expect(!result.isRight)
    #expect(result.isFalsified)
    #expect(result.figures.filter { !$0.isRight }.map(\.name) == [name])
    let table = VerificationText.table([result], isVerbose: false, way: "here", seed: 3, seconds: 1)
    #expect(table.contains("WRONG"))
    #expect(table.contains("\(name) "))
    #expect(table.contains("1 of \(result.figures.count) figures differ from the truth"))
  }

  @Test func `the figures that can be falsified are those that the cases compare, each of them and no other`() {
    var compared: Set<String> = []
    for test in VerificationCase.all where !test.pausesReceiver {
      let run = VirtualRun(test, time: .seconds(6), seed: 1)
      var result = CaseResult(test)
      result.compare(.null, with: run.truth, socketDrops: 0)
      for stream in run.truth where stream.sent.count == 1 {
        let sent = SenderTruth(copies: stream.sent[0])
        result.compare(Self.senderReport(sent, stream), with: sent, stream: stream, prefix: "")
      }
      compared.formUnion(result.figures.map(\.name))
    }
    #expect(compared == Set(CaseResult.figureNames))
    #expect(CaseResult.figureNames.count == compared.count, "no name stands for two figures")
    #expect(compared.count > 120)
  }

  @Test func `a far end whose table can't be compared is remarked on`() {
    var result = CaseResult(Self.test)
    result.compare(.object([:]), with: Self.sent, stream: Self.truth, prefix: "sender ")
    #expect(result.remarks.count == 1)
    let table = VerificationText.table([result], isVerbose: false, way: "here", seed: 3, seconds: 1)
    #expect(table.contains("sender had no last report from the receiver in time"))
    #expect(Self.result(Self.report(Self.truth)).remarks.isEmpty)
  }

  @Test func `a figure is made wrong by more than it may be off`() {
    let expectation = Verification.Expectation("a", 300, within: 4.8)
    for reported in [295.3, 300, 304.7] {
      let report = JSONValue.object(["a": .number(reported)])
      #expect(expectation.check(against: report, prefix: "", falsified: nil).isRight)
      #expect(!expectation.check(against: report, prefix: "", falsified: "a").isRight)
    }
    let unknown = Verification.Expectation("a", 1, mayBeUnknown: true)
    #expect(!unknown.check(against: .object(["a": .null]), prefix: "", falsified: "a").isRight)
  }

  @Test func `a figure that is missing, of another kind, or null where there is a value, is wrong`() {
    for wrong in [JSONValue?.none, .some(.string("67")), .some(.null), .some(.bool(true))] {
      guard case .object(var root) = Self.report(Self.truth), case .array(let streams)? = root["streams"],
        case .object(var stream) = streams[0], case .object(var packets)? = stream["packets"]
      else {
        Issue.record("the report isn't built as it should be")
        return
      }
      packets["lost"] = wrong
      stream["packets"] = .object(packets)
      root["streams"] = .array([.object(stream)])
      let result = Self.result(.object(root))
      #expect(result.figures.filter { !$0.isRight }.map(\.key) == ["packets.lost"])
    }
  }

  @Test func `what a receiver may not know it may say so, and what it says must be right`() {
    let expectation = Verification.Expectation("a", 5, mayBeUnknown: true)
    func check(_ value: JSONValue, falsified: String? = nil) -> Bool {
      expectation.check(against: .object(["a": value]), prefix: "", falsified: falsified).isRight
    }
    #expect(check(.number(5)) && check(.null))
    #expect(!check(.number(6)) && !check(.string("5")) && !check(.null, falsified: "a"))
    #expect(!expectation.check(against: .object([:]), prefix: "", falsified: nil).isRight)
  }

  @Test func `a stream too many, a stream of somebody else and no report at all are wrong`() {
    guard case .object(let root) = Self.report(Self.truth), case .array(let streams)? = root["streams"] else {
      Issue.record("the report isn't built as it should be")
      return
    }
    var twice = root
    twice["streams"] = .array(streams + streams)
    #expect(!Self.result(.object(twice)).isRight)
    var other = root
    other["streams"] = .array([.object(["ssrc": .string("0x00000001")])])
    #expect(!Self.result(.object(other)).isRight)
    #expect(!Self.result(.null).isRight)
    var failed = CaseResult(Self.test)
    #expect(!failed.isRight, "nothing compared is nothing proved")
    failed.failure = "it broke"
    #expect(!failed.isRight)
  }

  @Test func `a packet that arrived more or less often than the link delivered it is noticed`() {
    for change in [-1, 1] {
      var truth = Self.truth
      truth.sent[0][20] += change
      var result = CaseResult(Self.test)
      result.compare(Self.report(Self.truth), with: [truth], socketDrops: 0)
      let wrong = result.figures.filter { !$0.isRight }.map(\.key)
      #expect(wrong.contains("packets seen as often as the link delivered them"))
    }
  }

  @Test(arguments: VerificationCase.all.filter { !$0.pausesReceiver }.map(\.name))
  func `each case does what its name says, and the same for the same seed`(name: String) throws {
    let test = try #require(VerificationCase.all.first { $0.name == name })
    let run = VirtualRun(test, time: .seconds(6), seed: 1)
    let again = VirtualRun(test, time: .seconds(6), seed: 1)
    let other = VirtualRun(test, time: .seconds(6), seed: 2)
    #expect(run.truth.map(\.sent) == again.truth.map(\.sent))
    #expect(run.truth.allSatisfy { $0.sent.joined().count == test.packets(in: .seconds(6)) * $0.sent.count })
    let isRandom = !["clean", "reorder", "jitter-reorder", "jitter-fifo", "tail-outage", "head-outage", "queue"]
      .contains(name)
    #expect((run.truth.map(\.sent) != other.truth.map(\.sent)) == isRandom)
    func figure(_ key: String) -> Double {
      run.truth.flatMap(\.expectations).filter { $0.key == key }.compactMap(\.truth).reduce(0, +)
    }
    #expect((figure("packets.lost") > 0) == (name.contains("loss") || Self.losing.contains(name)))
    #expect((figure("packets.duplicates") > 0) == (name.contains("duplicate") || Self.doubling.contains(name)))
    #expect((figure("packets.reordered") > 0) == (name.contains("reorder") || ["wrap-late", "streams"].contains(name)))
    #expect((figure("packets.late") > 0) == (name == "wrap-late"))
    #expect((run.truth.reduce(0) { $0 + $1.missing } > 0) == (figure("packets.lost") > 0 || name.contains("-outage")))
  }

  private static let losing = ["bursts", "outages", "queue", "wrap-late", "ssrc-change", "restart", "streams"]
  private static let doubling = ["ssrc-change", "restart", "streams"]
}
