import Foundation
import Testing

/// A network namespace of its own, which has a loopback interface that nobody else uses, and in which whoever runs the
/// tests may capture.
private enum Namespace {
  /// Words that run a program there, as its root.
  static let asRoot = ["unshare", "--user", "--map-root-user", "--net"]
  /// Words that run it there, without any privilege.
  static let asNobody = ["unshare", "--user", "--net"]

  /// Whether this machine allows them; many containers don't.
  static func isAllowed() async -> Bool {
    guard let run = try? Jitterbug(["-c", "ip link set lo up"], of: "sh", wrapper: asRoot) else { return false }
    return (try? await run.end()) == 0
  }
}

/// Capturing live, which needs privilege and a quiet interface.
@Suite(
  .fewAtOnce,
  .enabled("needs unshare and ip, and user and network namespaces") { await Namespace.isAllowed() })
struct NamespaceTests {
  /// A capture, a receiver and a sender, all in the namespace; what they say goes to files in the folder `$2`.
  private static let script = """
    set -eu
    cd "$2"
    said() { for i in $(seq 500); do if grep -q "$1" "$2"; then return 0; fi; sleep 0.1; done; return 1; }
    ip link set lo up
    "$1" analyze --interface lo --duration 50s --json --filter "udp portrange 5004-5005" >analyzed 2>analyze &
    analyzer=$!
    "$1" receive --json rtp://127.0.0.1:5004 >received 2>receive &
    receiver=$!
    said "^capturing on lo" analyze
    said "^listening on" receive
    "$1" send --json --synthetic bytes=172,interval=10ms --payload-type 0 --duration 2s \
      --link "loss=5%,burst=2,duplicate=4%,delay=20ms,jitter=8ms,reorder=3%,seed=5" rtp://127.0.0.1:5004 >sent 2>send
    said " ended: " receive
    # What was captured is in the kernel's ring for a moment.
    sleep 1
    kill -INT $receiver $analyzer
    wait $receiver
    wait $analyzer
    """

  @Test func `analyze --interface counts what crosses the interface, as the receiver does`() async throws {
    let folder = try TemporaryFolder()
    for name in ["analyze", "receive"] { _ = folder.file(name, holding: []) }
    let run = try Jitterbug(
      ["-c", Self.script, "sh", Jitterbug.path, folder.path], of: "sh", wrapper: Namespace.asRoot)
    let status = try await run.end()
    let said = String(decoding: contents(folder.file("analyze")), as: UTF8.self)
    #expect(status == 0, "\(run.errors) \(said)")
    let (sent, heard) = (try JSON(path: folder.file("sent")), try JSON(path: folder.file("received")))
    let seen = try JSON(path: folder.file("analyzed"))
    #expect(seen["streams"].count == 1)
    let (ours, theirs) = (seen["streams"][0]["packets"], heard["streams"][0]["packets"])
    let record = sent["link_record"]
    #expect(ours["sent"].int == 200 && record["offered"].int == 200)
    #expect(ours["received"].int == record["delivered"].int)
    #expect(ours["unique"].int == record["lost"].int.map { 200 - $0 })
    #expect(record["lost"].int ?? 0 > 0 && ours["reordered"].int ?? 0 > 0 && ours["duplicates"].int ?? 0 > 0)
    for key in ["expected", "received", "unique", "lost", "duplicates", "reordered", "rfc3550_lost", "lost_at_ends"] {
      #expect(ours[key].int == theirs[key].int, "\(key)")
    }
    // Both have the kernel's stamps of the same arrival.
    let (jitter, theirJitter) = (seen["streams"][0]["jitter_ms"], heard["streams"][0]["jitter_ms"])
    for key in ["mean", "max"] {
      let (one, other) = (try #require(jitter[key].double), try #require(theirJitter[key].double))
      #expect(abs(one - other) < 0.05, "\(key): \(one) and \(other) ms")
    }
  }

  @Test func `without privilege it says what it needs`() async throws {
    let run = try Jitterbug(
      ["analyze", "--interface", "lo", "--duration", "2s"], wrapper: Namespace.asNobody)
    #expect(try await run.end() == 1)
    #expect(run.errors.contains("capturing on lo needs privilege: run it as root, or give the binary CAP_NET_RAW"))
    #expect(run.text.isEmpty)
  }
}
