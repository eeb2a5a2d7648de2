import Timeline
import Verification

/// What `jitterbug verify` was asked to do.
struct VerifyOptions: Sendable {
  var isSimulated = false
  var isListing = false
  var cases: [VerificationCase] = []
  var seed: UInt64 = 1
  /// How long each sender sends.
  var time: Interval?
  var ports = 32_000
  var falsified: String?
  var isJSON = false
  var isQuiet = false
  var isVerbose = false
}

extension VerifyOptions {
  static let usage = Usage<VerifyOptions>(
    verb: "verify", summary: "prove this command's own numbers, packet for packet, over links whose truth is known",
    synopsis: "[OPTION]...",
    examples: [
      ("jitterbug verify", "send and receive on loopback, about 15 s; exits 1 when any figure differs from the truth"),
      ("jitterbug verify --simulate", "the same on a virtual clock, with five times the packets"),
      ("jitterbug verify --case wrap-late --verbose", "one case, with every figure beside its truth"),
      ("jitterbug verify --falsify packets.lost", "see that it notices: one figure is made wrong first; exits 1"),
    ],
    groups: [
      OptionGroup(
        title: "What is verified",
        options: [
          .flag("--simulate", "on a virtual clock instead of real sockets; proves the sessions, not the sockets") {
            $0.isSimulated = true
          },
          .value("--case", "NAME", "this case only; may be given again", testCase) { $0.cases.append($1) },
          .flag("--list", "list the cases and what each proves") { $0.isListing = true },
          .value("--seed", "N", "decides which packets are lost, late or doubled (default 1)", Values.seed) {
            $0.seed = $1
          },
          .value("--time", "TIME", "how long each sender sends: 2s to 60s (default 6s, 30s with --simulate)", time) {
            $0.time = $1
          },
          .value(
            "--ports", "PORT", "the first of the UDP ports on loopback, eight a case (default 32000)",
            Values.number(1024...65_535)
          ) { $0.ports = $1 },
          .value("--falsify", "FIGURE", "make this reported figure wrong first, to see that verify notices", figure) {
            $0.falsified = $1
          },
        ]),
      OptionGroup(
        title: "Report",
        options: [
          .flag("--json", "one JSON object on standard output, with every figure, and nothing else there") {
            $0.isJSON = true
          },
          .flag("--quiet", "no progress; errors and the table only") { $0.isQuiet = true },
          .flag("--verbose", "every figure of every case, and the commands that were run") { $0.isVerbose = true },
          Option(name: "--help", value: nil, help: "this text") { (_, _) throws(UsageError) in },
        ]),
    ])

  @Sendable private static func testCase(_ text: String) throws(UsageError) -> VerificationCase {
    guard let test = VerificationCase.all.first(where: { $0.name == text }) else {
      throw UsageError("not a case; write one of " + VerificationCase.all.map(\.name).joined(separator: ", "))
    }
    return test
  }

  @Sendable private static func time(_ text: String) throws(UsageError) -> Interval {
    let value = try Values.time(text)
    guard value >= .seconds(2), value <= .seconds(60) else { throw UsageError("verify sends for 2s to 60s") }
    return value
  }

  @Sendable private static func figure(_ text: String) throws(UsageError) -> String {
    guard CaseResult.figureNames.contains(text) else {
      throw UsageError("not a figure that is compared; write one of " + CaseResult.figureNames.joined(separator: ", "))
    }
    return text
  }
}
