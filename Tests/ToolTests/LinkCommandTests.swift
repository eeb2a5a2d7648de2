import Foundation
import Testing

/// Where `jitterbug link` can be tried: as an ordinary user, whoever runs the tests.
private enum Ordinary {
  /// Words that make root an ordinary user.
  static let wrapper: [String] =
    getuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []

  /// Whether this machine allows user namespaces; many containers don't.
  static func isAllowed() async -> Bool {
    guard let run = try? Jitterbug(["link", "none", "--", "true"], wrapper: wrapper) else { return false }
    return (try? await run.end()) == 0
  }

  static func run(_ words: [String]) async throws -> (status: Int32, output: String, errors: String) {
    try await Jitterbug.run(["link"] + words, wrapper: wrapper)
  }

  /// Whether a process with this word on its command line lives.
  static func lives(_ word: String) throws -> Bool {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").contains { name in
      guard Int32(name) != nil else { return false }
      let words = contents("/proc/\(name)/cmdline").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return words.contains(word)
    }
  }
}

/// `jitterbug link` as an ordinary user: what its command sees, how it ends, and that nothing is left of it.
@Suite(
  .fewAtOnce,
  .enabled("needs user and network namespaces, which this system refuses, and setpriv for root") {
    await Ordinary.isAllowed()
  })
struct LinkCommandTests {
  @Test(arguments: [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] as [(String, Int32)])
  func `the exit status is the command's`(script: String, status: Int32) async throws {
    let run = try await Ordinary.run(["none", "--", "/bin/sh", "-c", "echo out; echo err >&2; \(script)"])
    #expect(run.status == status)
    #expect(run.output == "out\n")
    #expect(run.errors == "err\nlink: down no packet; up no packet\n")
  }

  @Test func `a command that isn't there or can't be run is named, with the shell's statuses`() async throws {
    let missing = try await Ordinary.run(["none", "--", "/no/such/command"])
    #expect(missing.status == 127)
    #expect(
      missing.errors
        == "jitterbug: /no/such/command: there is no such file, or not the interpreter that it names\n")
    let unknown = try await Ordinary.run(["none", "--", "no-such-command"])
    #expect(unknown.status == 127)
    #expect(unknown.errors == "jitterbug: no-such-command: there is no such command on PATH\n")
    let data = try await Ordinary.run(["none", "--", "/etc/passwd"])
    #expect(data.status == 126)
    #expect(data.errors == "jitterbug: /etc/passwd can't be run: Permission denied\n")
  }

  @Test func `the command is who and where it was, with its own input`() async throws {
    let words = ["-c", "id -u; id -g; pwd; cat"]
    let outside = try Jitterbug(words, of: "/bin/sh", input: .pipe(Array("hello".utf8)), wrapper: Ordinary.wrapper)
    try await outside.end()
    let inside = try Jitterbug(
      ["link", "none", "--", "/bin/sh"] + words, input: .pipe(Array("hello".utf8)), wrapper: Ordinary.wrapper)
    #expect(try await inside.end() == 0)
    #expect(inside.text == outside.text && inside.text.hasSuffix("\nhello"))
  }

  @Test func `it sees two addresses, two names, a loopback interface, and no other network`() async throws {
    let script = """
      echo $JITTERBUG_HERE $JITTERBUG_PEER $JITTERBUG_HERE6 $JITTERBUG_PEER6 $http_proxy
      for name in here peer here6 peer6; do getent ahosts $name | cut -d' ' -f1 | sort -u; done
      tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort | xargs
      cat /proc/sys/net/ipv6/conf/lo/disable_ipv6
      """
    let run = try Jitterbug(
      ["link", "none", "--", "/bin/sh", "-c", script],
      wrapper: Ordinary.wrapper + ["env", "http_proxy=http://192.0.2.1:3128"])
    #expect(try await run.end() == 0)
    #expect(
      run.text == """
        10.77.0.1 10.77.0.2 fd6a:6200::1 fd6a:6200::2
        10.77.0.1
        10.77.0.2
        fd6a:6200::1
        fd6a:6200::2
        eth0 lo
        0

        """)
    #expect(!String(decoding: contents("/etc/hosts"), as: UTF8.self).contains("10.77.0.2"))
  }

  @Test func `what a stream loses is what the link's record and its table say`() async throws {
    let folder = try TemporaryFolder()
    let (report, trace) = (folder.file("link.json"), folder.file("link.csv"))
    let (heard, said) = (folder.file("heard.json"), folder.file("said"))
    let peer = "'\(Jitterbug.path)' receive --once --buffer 1s --json rtp://0.0.0.0:5004 >'\(heard)' 2>'\(said)'"
    let run = try await Ordinary.run(
      ["loss=8%,delay=20ms,jitter=4ms,duplicate=3%,reorder=3%,seed=3", "--peer", peer, "--linger", "40s"]
        + ["--report", report, "--trace", trace, "--", Jitterbug.path, "send", "--seed", "1"]
        + ["--synthetic", "bytes=172,interval=5ms", "--payload-type", "0", "--duration", "3s", "rtp://peer:5004"])
    #expect(run.status == 0, "\(run.errors) \(String(decoding: contents(said), as: UTF8.self))")
    let (record, table) = (try JSON(path: report), try Table(path: trace))
    let packets = try JSON(path: heard)["streams"][0]["packets"]
    let fates = try table.texts("fate")
    let isMedia = try zip(table.texts("destination"), table.texts("bytes")).map {
      $0 == "10.77.0.2:5004" && $1 == "200"
    }
    func count(_ fate: String) -> Int { zip(fates, isMedia).count { $0 == fate && $1 } }
    #expect(count("delivered") + count("lost") == 600 && count("lost") > 0)
    #expect(packets["unique"].int == count("delivered"))
    let copies = try zip(table.numbers("copies"), isMedia).filter(\.1).reduce(0) { $0 + $1.0 }
    #expect(packets["received"].int == copies && copies > count("delivered"))
    // Reports go by the link, too; all of them are in its record.
    let directions = try table.texts("direction")
    for direction in ["down", "up"] {
      let link = record[direction]["link_record"]
      let own = zip(fates, directions).filter { $1 == direction && $0 != "passed" }
      #expect(link["offered"].int == own.count)
      #expect(link["lost"].int == own.count { $0.0 == "lost" })
      #expect(record[direction]["missed"].int == 0 && record[direction]["refused"].int == 0)
    }
    #expect(record["status"].int == 0 && record["command"].count == 11)
  }

  @Test func `nothing is late or lost on a perfect link, and what the peer says is no output`() async throws {
    let run = try await Ordinary.run(
      ["none", "--peer", "echo hello; sleep 60", "--peer-wait", "100ms", "--", "/bin/echo", "done"])
    #expect(run.status == 0 && run.output == "done\n")
    #expect(run.errors.contains("hello\n"))
  }

  @Test func `the command is started once the peer listens`() async throws {
    let peer = "sleep 0.5; exec '\(Jitterbug.path)' receive rtp://0.0.0.0:5004"
    let script = "test $(tail -n +2 /proc/net/udp | wc -l) = 0 && echo apart"
    let run = try await Ordinary.run(["none", "--peer-wait", "50s", "--peer", peer, "--", "/bin/sh", "-c", script])
    #expect(run.status == 0 && run.output == "apart\n")
    #expect(run.errors.contains("listening on"))
  }

  @Test func `a peer that fails at once is told, and the command isn't started`() async throws {
    let run = try await Ordinary.run(["none", "--peer", "exit 3", "--peer-wait", "50s", "--", "/bin/echo", "done"])
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(
      run.errors
        == "jitterbug: --peer exit 3: it ended at once with exit status 3, so the command was not started\n")
  }

  @Test func `no process outlives the command, and no namespace`() async throws {
    let marks = (0..<3).map { _ in "\(Int.random(in: 1_000_000...9_999_999))" }
    let script = """
      readlink /proc/self/ns/net
      sleep \(marks[0]) &
      # Its parents are gone once the shell has seen the end of what it says.
      said=$(setsid setsid sh -c 'echo said; exec sleep \(marks[1]) >/dev/null' </dev/null &)
      test "$said" = said
      """
    let run = try await Ordinary.run(
      ["none", "--peer", "trap '' TERM; while :; do sleep \(marks[2]); done", "--peer-wait", "100ms", "--", "/bin/sh"]
        + ["-c", script])
    #expect(run.status == 0, "\(run.errors)")
    for mark in marks { #expect(try !Ordinary.lives(mark)) }
    let namespace = run.output.trimmingCharacters(in: .newlines)
    #expect(namespace.hasPrefix("net:["))
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/ns/net")) != namespace)
    }
  }

  @Test func `a signal to it reaches the command, which decides`() async throws {
    let script = "trap 'echo caught; exit 3' TERM; echo up >&2; while :; do sleep 0.05; done"
    let run = try Jitterbug(["link", "delay=10ms", "--", "/bin/sh", "-c", script], wrapper: Ordinary.wrapper)
    try await run.says("up\n")
    run.signal(SIGTERM)
    #expect(try await run.end() == 3)
    #expect(run.text == "caught\n" && run.errors.hasSuffix("link: down no packet; up no packet\n"))
  }

  @Test func `even when it is killed, everything in its world goes with it`() async throws {
    let marks = (0..<3).map { _ in "\(Int.random(in: 1_000_000...9_999_999))" }
    // One is a child's child, and one has got away from its parents.
    let run = try Jitterbug(
      ["link", "none", "--peer", "sleep \(marks[0]); true", "--peer-wait", "10ms", "--", "/bin/sh", "-c"]
        + ["setsid sleep \(marks[1]) & sleep \(marks[2]); true"], wrapper: Ordinary.wrapper)
    try await run.wait(for: "all of them") { try marks.allSatisfy { try Ordinary.lives($0) } ? () : nil }
    run.signal(SIGKILL)
    #expect(try await run.end() == -SIGKILL)
    try await run.wait(for: "their ends") { try marks.allSatisfy { try !Ordinary.lives($0) } ? () : nil }
  }

  @Test func `a stopped rate and a short queue drop packets, and the record says so`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Ordinary.run(
      [
        "--up", "rate=100kbit,queue=50ms", "--report", folder.file("link.json"), "--", Jitterbug.path, "send",
        "--synthetic",
      ]
        + ["bytes=972,interval=10ms", "--payload-type", "0", "--duration", "1s", "--wait", "0s", "rtp://peer6:5004"])
    // Nobody listens there, which the kernel on the far side tells.
    let record = try JSON(path: folder.file("link.json"))["up"]["link_record"]
    #expect(record["queue_dropped"].int ?? 0 > 0, "\(run.errors)")
    #expect(run.errors.contains("dropped by the queue"))
  }

  @Test func `a seed gives the packets of each direction the same fates again`() async throws {
    let folder = try TemporaryFolder()
    func fates(_ seed: String) async throws -> [Substring] {
      let trace = folder.file("link.csv")
      let run = try await Ordinary.run(
        [
          "loss=20%,burst=2,duplicate=5%", "--seed", seed, "--trace", trace, "--", Jitterbug.path, "send",
          "--synthetic",
        ]
          + ["bytes=72,interval=5ms", "--payload-type", "0", "--duration", "1s", "rtp://peer:5004"])
      #expect(run.errors.contains("link: down"))
      let table = try Table(path: trace)
      let rows = try zip(zip(table.texts("direction"), table.texts("fate")), table.texts("copies"))
      return Array(rows.filter { $0.0.0 == "up" && $0.0.1 != "passed" }.map { Substring($0.0.1 + $0.1) }.prefix(200))
    }
    let (first, second, other) = (try await fates("5"), try await fates("5"), try await fates("6"))
    #expect(first == second && first.count == 200 && Set(first) == ["delivered1", "delivered2", "lost0"])
    #expect(first != other)
  }

  @Test func `killed at any instant, what it writes opens and holds all but the last second`() async throws {
    let folder = try TemporaryFolder()
    let (capture, trace) = (folder.file("link.pcapng"), folder.file("link.csv"))
    let run = try Jitterbug(
      ["link", "none", "--record", capture, "--trace", trace, "--", Jitterbug.path, "send"]
        + ["--synthetic", "bytes=72,interval=10ms", "--payload-type", "0", "rtp://peer:5004"], wrapper: Ordinary.wrapper
    )
    // Neither 1,024 frames nor 64 KiB of the table: they come by the clock.
    try await run.wait(for: "a few packets in both files") {
      contents(capture).count > 2_000 && contents(trace).count > 2_000 ? () : nil
    }
    run.signal(SIGKILL)
    #expect(try await run.end() == -SIGKILL)
    let bytes = contents(capture)
    func word(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
    var (place, frames) = (0, 0)
    while place + 12 <= bytes.count {
      let length = word(place + 4)
      guard length >= 12, place + length <= bytes.count else { break }
      #expect(word(place + length - 4) == length)
      if word(place) == 6 { frames += 1 }
      place += length
    }
    #expect(place == bytes.count && frames > 10)
    #expect(contents(trace).last == UInt8(ascii: "\n"))
    #expect(try Table(path: trace).count > 10)
  }

  @Test func `what it writes has its headers before a packet comes`() async throws {
    let folder = try TemporaryFolder()
    let (capture, trace) = (folder.file("link.pcapng"), folder.file("link.csv"))
    let script = "test -s '\(capture)' && head -n 1 '\(trace)' | cut -d, -f1"
    let run = try await Ordinary.run(["none", "--record", capture, "--trace", trace, "--", "/bin/sh", "-c", script])
    #expect(run.status == 0 && run.output == "index\n")
  }

  @Test func `a file that can't be written is told before anything starts`() async throws {
    let run = try await Ordinary.run(["none", "--record", "/proc/no/link.pcapng", "--", "/bin/echo", "done"])
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.errors.contains("/proc/no/link.pcapng"))
    // Which is the command's.
    #expect(!run.errors.contains("standard output"))
  }
}

/// `jitterbug link` where it is refused.
@Suite(.fewAtOnce) struct LinkRefusalTests {
  @Test(arguments: [
    ("--record", "same", "--trace", "same"), ("--trace", "same", "--report", "./same"),
    ("--record", "a/../same", "--report", "same"),
  ])
  func `one file for two outputs is refused, however it is named`(
    one: String, path: String, other: String, another: String
  ) async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("a"), withIntermediateDirectories: true)
    let words = ["link", "none", one, folder.file(path), other, folder.file(another), "--", "true"]
    for _ in 0..<2 {
      let run = try await Jitterbug.run(words)
      #expect(run.status == 2 && run.output.isEmpty)
      #expect(
        run.errors.contains(
          "\(one) \(folder.file(path)) and \(other) \(folder.file(another)) name the same file; give each a file of its own"
        ))
      // Refused whether it is there or not.
      _ = folder.file("same", holding: [1])
    }
  }

  @Test(arguments: [
    (["none", "--record", "-"], "--record -: standard output is the command's: name a file in place of -"),
    (["/dev/null"], "/dev/null, line 1: this is no recording of a link: the first line must be jitterbug-link 1"),
  ])
  func `wrong usage of link gets one sentence and status 2`(words: [String], sentence: String) async throws {
    let run = try await Jitterbug.run(["link"] + words + ["--", "true"])
    #expect(run.status == 2)
    #expect(run.errors == "jitterbug: \(sentence)\n")
  }

  /// A user namespace in which no more may be made, without any privilege in it.
  private static let wrapper = [
    "unshare", "--user", "--map-root-user", "sh", "-c",
    "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" \"$@\"",
  ]

  private static func canRefuse() async -> Bool {
    guard let run = try? Jitterbug([], of: "true", wrapper: wrapper) else { return false }
    return (try? await run.end()) == 0
  }

  @Test(.enabled("needs unshare, setpriv, and a user namespace to forbid others in") { await canRefuse() })
  func `without permission it says why and what to do`() async throws {
    let run = try Jitterbug(["link", "none", "--", "true"], wrapper: Self.wrapper)
    #expect(try await run.end() == 1)
    #expect(
      run.errors
        == "jitterbug: an emulated link needs a user namespace, and this system refuses one: the limit "
        + "user.max_user_namespaces (0) is reached; raise it with `sysctl -w user.max_user_namespaces=10000`\n")
  }
}
