import Impairment
import Testing
import Timeline

/// The sentence that refuses `text`, or nil when it is accepted.
func refusal(of text: String) -> String? {
  do {
    _ = try LinkSpec(parsing: text)
    return nil
  } catch {
    return error.description
  }
}

@Suite struct LinkSpecTests {
  @Test func `every key is read with its unit`() throws {
    let spec = try LinkSpec(
      parsing: "loss=5%,burst=3,outage=10s:400ms,delay=40ms,jitter=1500us,jitter-shape=heavy,jitter-order=break,"
        + "reorder=0.01,reorder-by=5,reorder-wait=1.5s,duplicate=1%,duplicate-delay=2ms,corrupt=0.5%,"
        + "rate=2mbit,queue=64kB,seed=18446744073709551615")
    #expect(spec.loss == 0.05)
    #expect(spec.burst == 3)
    #expect(spec.outage?.up == .seconds(10))
    #expect(spec.outage?.down == .milliseconds(400))
    #expect(spec.delay == .milliseconds(40))
    #expect(spec.jitter == .microseconds(1500))
    #expect(spec.jitterShape == .heavy)
    #expect(spec.jitterOrder == .overtake)
    #expect(spec.reorder == 0.01)
    #expect(spec.reorderBy == 5)
    #expect(spec.reorderWait == .milliseconds(1500))
    #expect(spec.duplicate == 0.01)
    #expect(spec.duplicateDelay == .milliseconds(2))
    #expect(spec.corrupt == 0.005)
    #expect(spec.rate == 2_000_000)
    #expect(spec.queue == .bytes(64_000))
    #expect(spec.seed == .max)
    let chain = try LinkSpec(parsing: "ge=1%:20%:0.1%:50%").gilbertElliott
    #expect(chain?.p == 0.01 && chain?.r == 0.2 && chain?.goodLoss == 0.001 && chain?.badLoss == 0.5)
    #expect(try LinkSpec(parsing: "ge=1%:20%") == LinkSpec(parsing: "ge=0.01:0.2:0:100%"))
  }

  @Test func `white space and case don't matter`() throws {
    #expect(try LinkSpec(parsing: " Loss = 5% ,\tDELAY=40MS ") == LinkSpec(parsing: "loss=5%,delay=40ms"))
    #expect(try LinkSpec(parsing: " WiFi-Busy ") == LinkSpec(parsing: "wifi-busy"))
  }

  @Test func `a profile can be changed and a change can be taken back`() throws {
    let busy = try LinkSpec(parsing: "wifi-busy")
    let changed = try LinkSpec(parsing: "wifi-busy,loss=10%")
    #expect(changed.loss == 0.1 && changed.burst == busy.burst && changed.jitter == busy.jitter)
    #expect(try LinkSpec(parsing: "wifi-busy,loss=3%") == busy)
    let steady = try LinkSpec(parsing: "wifi-busy,jitter=none,rate=none")
    #expect(steady.jitter == .zero && steady.jitterShape == .normal && steady.rate == nil)
    #expect(steady.queue == LinkSpec.perfect.queue)
    let chain = try LinkSpec(parsing: "wifi-busy,ge=1%:20%")
    #expect(chain.loss == 0 && chain.burst == 0 && chain.expectedLoss > 0.0476 && chain.expectedLoss < 0.0477)
  }

  @Test func `changes are applied all or not at all`() throws {
    var spec = try LinkSpec(parsing: "dsl")
    #expect(throws: LinkSpecError.self) { try spec.apply("loss=1%,delay=fast") }
    #expect(try spec == LinkSpec(parsing: "dsl"))
    try spec.apply("seed=9")
    #expect(try spec == LinkSpec(parsing: "dsl,seed=9"))
    try spec.apply("none")
    #expect(spec == .perfect)
  }

  @Test func `parameters without effect don't tell equal links apart`() throws {
    #expect(try LinkSpec(parsing: "loss=0%,burst=3") == .perfect)
    #expect(try LinkSpec(parsing: "rate=none,queue=1s") == .perfect)
    #expect(try LinkSpec(parsing: "jitter=0,jitter-shape=heavy") == .perfect)
    #expect(try LinkSpec(parsing: "loss=-0%") == .perfect)
  }

  @Test func `what is written reads back as the same spec`() throws {
    for profile in LinkSpec.profiles {
      #expect(try LinkSpec(parsing: profile.spec.description) == profile.spec)
      #expect(try LinkSpec(parsing: profile.name) == profile.spec)
      #expect(!profile.summary.isEmpty)
    }
    #expect(LinkSpec.perfect.description == "none")
    #expect(try LinkSpec(parsing: "seed=7,loss=5%,delay=1.5s").description == "loss=5%,delay=1500ms,seed=7")
    #expect(try LinkSpec(parsing: "loss=0.07,rate=1500kbit,queue=0B").description == "loss=7%,rate=1500kbit,queue=0B")
    for seed in 0..<1000 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let text = randomSpecText(&generator)
      let spec = try LinkSpec(parsing: text)
      #expect(try LinkSpec(parsing: spec.description) == spec, "seed \(seed): \(text) -> \(spec)")
      #expect(try LinkSpec(parsing: spec.description).description == spec.description, "seed \(seed): \(text)")
    }
  }

  @Test func `the profiles are those of the manual`() {
    let names = LinkSpec.profiles.map(\.name)
    #expect(names == ["none", "lan", "wifi", "wifi-busy", "lte", "dsl", "satellite", "awful"])
  }
}

@Suite struct LinkSpecErrorTests {
  /// What is given, and words that the refusal must contain.
  static let refused: [(String, [String])] = [
    ("", ["empty", "such as loss=5%"]),
    ("   ", ["empty"]),
    ("loss=5%,", ["comma"]),
    (",loss=5%", ["comma"]),
    ("loss", ["loss needs a value", "5%"]),
    ("loss=", ["\"loss=\"", "0% to 100%"]),
    ("loss=150%", ["\"loss=150%\"", "0% to 100%"]),
    ("loss=-1%", ["\"loss=-1%\"", "0% to 100%"]),
    ("loss=nan", ["\"loss=nan\"", "0% to 100%"]),
    ("loss=inf%", ["0% to 100%"]),
    ("loss=0x1p-3", ["0% to 100%"]),
    ("loss=1e999", ["0% to 100%"]),
    ("loss=5", ["write 5%"]),
    ("loss=1", ["write 1%"]),
    ("loss=5%%", ["0% to 100%"]),
    ("loss=%", ["0% to 100%"]),
    ("loss=5%,loss=6%", ["loss", "twice"]),
    ("loss=80%,burst=2", ["80%", "burst=4 or more", "burst=0"]),
    ("loss=99.9999%,burst=2", ["burst=0"]),
    ("burst=3", ["burst", "without loss"]),
    ("queue=200ms", ["queue", "without rate"]),
    ("jitter-shape=heavy", ["without jitter"]),
    ("reorder-by=5", ["without reorder"]),
    ("duplicate-delay=5ms", ["without duplicate"]),
    ("loss=5%,burst=0.5", ["1 to 10000"]),
    ("ge=1%:20%,loss=3%", ["ge", "loss", "either"]),
    ("ge=1%", ["two or four"]),
    ("ge=1%:2%:3%", ["two or four"]),
    ("ge=1%:120%", ["two or four"]),
    ("outage=10s", ["1ms to 3600s"]),
    ("outage=10s:0ms", ["1ms to 3600s"]),
    ("delay=40", ["40ms"]),
    ("delay=-40ms", ["0ms to 60s"]),
    ("delay=61s", ["0ms to 60s"]),
    ("delay=1e300s", ["0ms to 60s"]),
    ("delay=ms", ["0ms to 60s"]),
    ("jitter=10min", ["0ms to 60s"]),
    ("jitter=1ms,jitter-shape=round", ["normal or heavy"]),
    ("jitter=1ms,jitter-order=both", ["keep or break"]),
    ("reorder=1%,reorder-by=0", ["1 to 1000"]),
    ("reorder=1%,reorder-by=99999999999999999999999", ["1 to 1000"]),
    ("rate=0", ["1kbit to 100gbit"]),
    ("rate=2mb", ["1kbit to 100gbit"]),
    ("rate=1tbit", ["1kbit to 100gbit"]),
    ("rate=1mbit,queue=5gb", ["0B to 1000MB"]),
    ("seed=-1", ["0 to 18446744073709551615"]),
    ("seed=18446744073709551616", ["0 to 18446744073709551615"]),
    ("lose=5%", ["\"lose\"", "did you mean loss?"]),
    ("dealy=5ms", ["did you mean delay?"]),
    ("jiter-shape=heavy", ["did you mean jitter-shape?"]),
    ("zzzzzz=5", ["is not a key", "loss, burst"]),
    ("wify", ["did you mean wifi?", "none, lan"]),
    ("wifi-bussy,loss=1%", ["did you mean wifi-busy?"]),
    ("mars", ["neither a profile nor key=value"]),
    ("loss=5%,wifi", ["wifi must come first"]),
    ("=5%", ["is not a key"]),
    ("\u{1b}[2J=1", ["\"?[2j\""]),
  ]

  @Test(arguments: refused) func `a refusal says what is given and what is accepted`(text: String, words: [String]) {
    guard let sentence = refusal(of: text) else {
      Issue.record("\(text) is accepted")
      return
    }
    for word in words { #expect(sentence.contains(word), "\(text): \(sentence)") }
    #expect(!sentence.contains("\n"))
  }

  @Test func `a refusal stays short and clean, whatever was given`() {
    let long = String(repeating: "loss=5%,", count: 1000)
    #expect(refusal(of: long)?.contains("at most 4096") == true)
    let name = String(repeating: "\u{202e}\u{7}x", count: 1000) + "=1"
    let sentence = refusal(of: String(name.prefix(1300))) ?? ""
    #expect(sentence.count < 400 && !sentence.isEmpty)
    #expect(!sentence.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202e })
  }

  @Test func `garbage and every prefix of a spec are refused or read, never a trap`() {
    var refusals = 0
    var readable = 0
    func check(_ text: String) {
      guard let spec = try? LinkSpec(parsing: text) else {
        refusals += 1
        return
      }
      readable += 1
      #expect((try? LinkSpec(parsing: spec.description)) == spec, "\(text) -> \(spec)")
    }
    let pieces = [
      "loss", "burst", "ge", "delay", "=", ",", "%", ":", "5", "0", "1e9", "-", ".", "ms", "s", "kbit", "b", "none",
      "wifi", "é", "\u{0}", "٣", "🎧", "e", "nan", "inf", "+", "jitter", "queue", "rate", "seed", "\u{301}", " ",
    ]
    for seed in 0..<5000 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var text = ""
      for _ in 0..<Int(generator.next() % 12) { text += pieces[Int(generator.next() % UInt64(pieces.count))] }
      check(text)
      let bytes = (0..<Int(generator.next() % 40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      check(String(decoding: bytes, as: UTF8.self))
    }
    for seed in 0..<60 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let text = randomSpecText(&generator)
      for end in text.indices { check(String(text[..<end])) }
    }
    #expect(refusals > 8000 && readable > 100)
  }
}
