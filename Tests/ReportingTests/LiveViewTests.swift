import Reporting
import Statistics
import Testing
import Timeline

struct LossHistoryTests {
  @Test func `heights grow with the share lost in each second`() {
    var history = LossHistory()
    var (expected, lost) = (0, 0)
    for losses in [0, 5, 10, 40, 90, 150, 300, 450, 900] {
      expected += 1000
      lost += losses
      history.endSecond(expected: expected, lost: lost)
    }
    history.endSecond(expected: expected, lost: lost)
    #expect(history.bar(columns: 60) == "·▁▁▃▄▅▆▇█ ")
    #expect(history.bar(columns: 3) == "▇█ ")
    #expect(history.bar(columns: -1) == "")
  }

  @Test func `a loss taken back is no negative loss`() {
    var history = LossHistory()
    history.endSecond(expected: 50, lost: 5)
    history.endSecond(expected: 100, lost: 3)
    history.endSecond(expected: 150, lost: 4)
    #expect(history.bar(columns: 60) == "▄·▂")
  }

  @Test func `only the last 60 seconds are kept`() {
    var history = LossHistory()
    for second in 1...100 { history.endSecond(expected: second * 50, lost: second == 41 ? 50 : 0) }
    #expect(history.count == 60)
    #expect(history.bar(columns: 99).first == "█" && history.bar(columns: 99).count == 60)
  }
}

struct LiveLineTests {
  private func stream() -> LiveStream {
    var stream = LiveStream(name: "0x1a2b3c4d")
    stream.elapsed = .milliseconds(67_900)
    stream.expected = 3395
    stream.unique = 3344
    stream.lost = 51
    stream.late = 2
    stream.duplicates = 5
    stream.reordered = 7
    stream.jitter = 1.94
    stream.bufferLevel = 38.4
    stream.bitrate = 68_800
    for second in 1...20 { stream.history.endSecond(expected: second * 50, lost: second) }
    return stream
  }

  @Test func `a wide terminal shows everything and the bar`() {
    #expect(
      LiveLine.text(stream(), width: 160)
        == "0x1a2b3c4d  1:07  3,344 received  1.5 % lost  2 late  5 dup  7 reord  jitter 1.94 ms  buffer 38 ms  "
        + "69 kbit/s  ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂")
  }

  @Test func `80 columns show every figure, and eight seconds of the bar`() {
    #expect(
      LiveLine.text(stream(), width: 80)
        == "0x1a2b3c4d 1:07 rx 3344 lost 1.5% late 2 dup 5 ooo 7 jit 1.9 buf 38 69k ▂▂▂▂▂▂▂▂")
  }

  @Test func `40 columns keep what matters most`() {
    #expect(LiveLine.text(stream(), width: 40) == "1:07 lost 1.5% late 2 jit 1.9 ▂▂▂▂▂▂▂▂▂▂")
  }

  @Test func `no width overflows`() {
    for width in 0...200 { #expect(LiveLine.text(stream(), width: width).count <= width) }
    var sender = LiveSender(name: "rtp://[2001:db8::1]:5004")
    sender.total = .seconds(100)
    for width in 0...200 { #expect(LiveLine.text(sender, width: width).count <= width) }
  }

  @Test func `plain lines spell the figures out`() {
    #expect(
      LiveLine.plain(stream())
        == "1:07  0x1a2b3c4d  3,344 of 3,395 packets received  51 lost (1.5 %)  2 late  5 duplicates  7 reordered  "
        + "jitter 1.94 ms  buffer 38.4 ms  69 kbit/s")
  }

  @Test func `a sender's bar grows with its progress`() {
    var sender = LiveSender(name: "speech.opus")
    sender.elapsed = .seconds(15)
    sender.total = .seconds(30)
    sender.packets = 1
    sender.bitrate = 999
    sender.farEndLoss = 0.015
    sender.errors = 2
    #expect(
      LiveLine.text(sender, width: 97)
        == "speech.opus  0:15 of 0:30  1 packet sent  999 bit/s  far end lost 1.5 %  2 errors  [██████······]")
    sender.elapsed = .seconds(99)
    #expect(LiveLine.text(sender, width: 97).hasSuffix("[████████████]"))
  }

  @Test func `a name can't move the cursor`() {
    var hostile = stream()
    hostile.name = "a\u{1b}[2J\u{202e}\n"
    #expect(LiveLine.plain(hostile).contains("a?[2J??"))
    #expect(!LiveLine.text(hostile, width: 200).unicodeScalars.contains { $0.value < 0x20 })
  }
}

struct LiveScreenTests {
  @Test func `lines are redrawn in place and cut to the terminal`() {
    var screen = LiveScreen()
    #expect(screen.redraw(["one", "two"], columns: 80, rows: 24) == "one\u{1b}[K\ntwo\u{1b}[K\n")
    #expect(screen.redraw(["three"], columns: 5, rows: 24) == "\u{1b}[2A\rthr…\u{1b}[K\n\u{1b}[J")
    #expect(screen.clear() == "\u{1b}[1A\r\u{1b}[J")
    #expect(screen.clear() == "")
  }

  @Test func `a block never grows taller than the terminal`() {
    var screen = LiveScreen()
    let text = screen.redraw((1...10).map { "line \($0)" }, columns: 80, rows: 4)
    #expect(text == "line 1\u{1b}[K\nline 2\u{1b}[K\nand 8 more streams\u{1b}[K\n")
    #expect(screen.redraw(["a", "b"], columns: 80, rows: 1).hasPrefix("\u{1b}[3A\rand 2 more streams"))
    #expect(screen.redraw(["a", "b"], columns: 80, rows: 1, of: "line").hasSuffix("and 2 more lines\u{1b}[K\n"))
  }

  @Test func `wide characters take two columns`() {
    var screen = LiveScreen()
    #expect(screen.redraw(["漢字漢字"], columns: 7, rows: 24) == "漢字…\u{1b}[K\n")
  }
}

struct TraceLineTests {
  @Test func `a line has the columns of the header`() {
    let line = TraceLine(
      arrival: 1_700_000_000_000_000_042, ssrc: 0xabc, sequence: 1, extended: 65_537, timestamp: RTPTimestamp(.max),
      bytes: 172,
      fate: .discarded(.bufferFull))
    #expect(line.text == "1700000000.000000042,0x00000abc,1,65537,4294967295,172,discarded:buffer_full\n")
    let columns = TraceLine.header.split(separator: ",").count
    #expect(line.text.split(separator: ",").count == columns && columns == 7)
  }
}
