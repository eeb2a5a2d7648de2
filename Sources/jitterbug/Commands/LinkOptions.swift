import Impairment
import Timeline

/// What `jitterbug link` was asked to do.
struct LinkOptions: Sendable {
  var down: LinkSpec?
  var up: LinkSpec?
  var peer: String?
  var peerWait = Interval.seconds(5)
  var linger = Interval.zero
  var seed: UInt64?
  var captureFile: String?
  var traceFile: String?
  var reportFile: String?
  var isQuiet = false
  /// The command and its arguments.
  var command: [String] = []

  static let usage = Usage<LinkOptions>(
    verb: "link", summary: "run a command behind a bad network, on real kernel sockets and without root",
    synopsis: "[OPTION]... [SPEC] -- COMMAND [ARGUMENT]...",
    examples: [
      ("jitterbug link wifi-busy --peer 'iperf3 -s' -- iperf3 -u -c peer", "a server on the far side, a client here"),
      (
        "jitterbug link loss=2%,delay=40ms --peer 'python3 -m http.server 80' -- curl -O http://peer/file",
        "a download with 2 % loss each way and 80 ms of round trip"
      ),
      (
        "jitterbug link rate=2mbit,queue=100ms,delay=15ms -- bash",
        "a shell on a slow line; the far side is reached as peer"
      ),
      (
        "jitterbug link --down outage=4s:300ms,delay=25ms --up delay=25ms --record link.pcapng -- COMMAND",
        "TCP over a line that fails now and then, recorded for Wireshark"
      ),
    ],
    groups: [link, world, output],
    notes: [
      "The names peer and here lead to the two sides, peer6 and here6 by IPv6; the variables JITTERBUG_PEER, "
        + "JITTERBUG_HERE, JITTERBUG_PEER6 and JITTERBUG_HERE6 hold the addresses. Nothing else can be reached.",
      "Which bursts? loss= with burst= or ge= counts in packets: right for streams that go on whatever is lost, such as "
        + "RTP. A TCP connection that backs off hardly moves such a chain on and starves in it: give it bursts in time, "
        + "outage=GOODms:BADms. docs/links.md defines every key of SPEC.",
      "The exit status is the command's, 128 and its number when a signal ended it, 127 when there is no such command, "
        + "126 when it can't be run.",
    ])

  private static let link = OptionGroup<LinkOptions>(
    title: "Link (SPEC is a profile, such as wifi-busy, or loss=5%,delay=40ms and the like, for both directions)",
    options: [
      .value("--down", "SPEC", "the link from the far side to the command", SendOptions.parseLink) { $0.down = $1 },
      .value("--up", "SPEC", "the link from the command to the far side", SendOptions.parseLink) { $0.up = $1 },
      .value("--seed", "N", "fixes the fates of the packets (default 1, or what SPEC says)", Values.seed) {
        $0.seed = $1
      },
    ])

  private static let world = OptionGroup<LinkOptions>(
    title: "World",
    options: [
      .value("--peer", "COMMAND", "run this by a shell on the far side first; ended with the command", Values.text) {
        $0.peer = $1
      },
      .value(
        "--peer-wait", "TIME", "start the command once the peer listens on a port, or after so long (default 5s)",
        Values.time
      ) { $0.peerWait = $1 },
      .value("--linger", "TIME", "let the peer go on for so long once the command has ended (default 0s)", Values.time)
      { $0.linger = $1 },
    ])

  private static let output = OptionGroup<LinkOptions>(
    title: "Output (the command's own is left alone; one line at the end goes to standard error)",
    options: [
      .value(
        "--record", "FILE", "write both sides of the link as pcapng, with a comment on each packet that suffered",
        Values.text
      ) { $0.captureFile = $1 },
      .value("--trace", "FILE", "write what became of each packet as CSV", Values.text) { $0.traceFile = $1 },
      .value("--report", "FILE", "write what the link did as JSON", Values.text) { $0.reportFile = $1 },
      .flag("--quiet", "no line at the end") { $0.isQuiet = true },
    ])
}
