import Reporting
import Statistics
import Testing
import Timeline

@Suite struct MetricsTextTests {
  @Test func `a family has its help and type once, and a sample a line`() {
    var metrics = MetricsText()
    metrics.family(
      "a_total", .counter, "What.", [.init(3, [("x", "1")]), .init(0.25, [("x", "2"), ("y", "")]), .init(1e300)])
    metrics.family("b_seconds", .gauge, "Two\nlines \\ \"q\"", [.init(-.infinity)])
    metrics.family("c", .gauge, "None.", [])
    metrics.family("d", .gauge, "Not a number.", [.init(.nan)])
    #expect(
      metrics.text == """
        # HELP a_total What.
        # TYPE a_total counter
        a_total{x="1"} 3
        a_total{x="2",y=""} 0.25
        a_total 1e+300
        # HELP b_seconds Two\\nlines \\\\ "q"
        # TYPE b_seconds gauge
        b_seconds -Inf

        """)
  }

  @Test func `a hostile label can't end its line, its quotes or a terminal's patience`() {
    var metrics = MetricsText()
    let hostile = "a\"} 1\nb{x=\"\\\u{1b}[2J\u{202e}" + String(repeating: "z", count: 5000)
    metrics.family("m", .gauge, "H.", [.init(1, [("source", hostile)])])
    let lines = metrics.text.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[2].hasPrefix(#"m{source="a\"} 1\nb{x=\"\\?[2J?zzz"#))
    #expect(lines[2].hasSuffix("zzz\"} 1"))
    #expect(lines[2].utf8.count < 400)
  }
}

@Suite struct ReportMetricsTests {
  @Test func `the figures are the report's, in base units`() {
    let text = SampleReport.receiving().metrics()
    let labels = #"{ssrc="0x001a2b3c",source="127.0.0.1:40000"}"#
    for line in [
      "jitterbug_stream_expected_packets_total\(labels) 100", "jitterbug_stream_lost_packets\(labels) 4",
      "jitterbug_stream_loss_ratio\(labels) 0.04", "jitterbug_stream_duplicate_packets_total\(labels) 1",
      "jitterbug_stream_reordered_packets_total\(labels) 1", "jitterbug_stream_buffer_target_seconds\(labels) 0.06",
      "jitterbug_receive_socket_dropped_datagrams_total 3", #"jitterbug_receive_datagrams_total{kind="invalid"} 2"#,
      #"jitterbug_link_packets_total{fate="lost"} 5"#, "jitterbug_uptime_seconds 2.1",
      #"jitterbug_streams{state="ended"} 1"#,
    ] { #expect(text.contains("\n\(line)\n"), "\(line) in\n\(text)") }
    let sending = SampleReport.sending().metrics()
    for line in [
      #"jitterbug_send_packets_total{ssrc="0xdeadbeef"} 1500"#,
      #"jitterbug_send_stalled_seconds_total{ssrc="0xdeadbeef"} 0.35"#,
      #"jitterbug_send_socket_errors_total{error="ECONNREFUSED"} 2"#,
      #"jitterbug_far_end_rfc3550_lost_packets{ssrc="0xdeadbeef",receiver="0x00000007"} -3"#,
      #"jitterbug_far_end_lost_packets{ssrc="0xdeadbeef",receiver="0x00000008"} 3"#,
      #"jitterbug_far_end_jitter_seconds{ssrc="0xdeadbeef",receiver="0x00000007"} 0.00125"#,
    ] { #expect(sending.contains("\n\(line)\n"), "\(line) in\n\(sending)") }
    #expect(!sending.contains(#"jitterbug_far_end_lost_packets{ssrc="0xdeadbeef",receiver="0x00000007"}"#))
  }

  @Test func `names, types and labels are what the format allows, each family and each series once`() throws {
    for report in [SampleReport.receiving(), SampleReport.sending()] {
      var families: Set<Substring> = []
      var series: Set<Substring> = []
      var current = Substring()
      for line in report.metrics().split(separator: "\n") {
        if let head = line.firstMatch(of: #/^# (HELP|TYPE) (\S+) ./#) {
          if head.1 == "HELP" { #expect(families.insert(head.2).inserted, "\(head.2)") }
          current = head.2
          #expect(current.wholeMatch(of: /jitterbug_[a-z0-9_]+/) != nil)
          if head.1 == "TYPE" { #expect(line.hasSuffix("counter") == current.hasSuffix("_total"), "\(line)") }
        } else {
          let sample = try #require(line.wholeMatch(of: /(([a-z0-9_]+)(\{.*\})?) (\S+)/), "\(line)")
          #expect(sample.2 == current)
          #expect(series.insert(sample.1).inserted, "\(line)")
          #expect(Double(sample.4) != nil)
        }
      }
      #expect(families.count > 10)
    }
  }

  @Test func `streams without number have samples within a limit, and the same labels never twice`() {
    var report = SampleReport.receiving()
    report.streams = (0..<300).map { number in
      var stream = SampleReport.stream()
      stream.ssrc = UInt32(number / 2)
      stream.ended = number == 7 ? nil : "over"
      return stream
    }
    let text = report.metrics()
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("jitterbug_stream_lost_packets{") }
    #expect(lines.count == 64)
    #expect(Set(lines).count == 64)
    // What goes on comes first, then what ended last.
    #expect(lines[0].contains("0x00000003"))
    #expect(lines[1].contains("0x00000095"))
    #expect(text.contains("jitterbug_streams{state=\"ended\"} 299\n"))
  }

  @Test func `a report of nothing is still one`() {
    let text = Report(version: "1", verb: "receive").metrics()
    #expect(text.contains("jitterbug_build_info{version=\"1\",verb=\"receive\"} 1\n"))
  }
}

@Suite struct MetricsRequestTests {
  private func read(_ text: String) -> MetricsRequest { MetricsRequest(reading: Array(text.utf8).span) }

  @Test(arguments: [
    ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", MetricsRequest.metrics(isHead: false)),
    ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", .metrics(isHead: false)),
    ("HEAD /metrics HTTP/1.1\n\n", .metrics(isHead: true)),
    ("GET /metrics HTTP/1.1\r\n\r\nbody", .metrics(isHead: false)), ("GET / HTTP/1.1\r\n\r\n", .refused(.notFound)),
    ("GET /metricsx HTTP/1.1\r\n\r\n", .refused(.notFound)),
    ("POST /metrics HTTP/1.1\r\n\r\n", .refused(.methodNotAllowed)),
    ("get /metrics HTTP/1.1\r\n\r\n", .refused(.methodNotAllowed)),
    ("GET /metrics HTTP/2\r\n\r\n", .refused(.versionNotSupported)),
    ("GET /metrics\r\n\r\n", .refused(.badRequest)), ("GET  /metrics HTTP/1.1\r\n\r\n", .refused(.badRequest)),
    ("\u{16}\u{3}\u{1}\r\n\r\n", .refused(.badRequest)), ("GET metrics HTTP/1.1\r\n\r\n", .refused(.badRequest)),
    ("", .incomplete), ("GET /metrics HTTP/1.1\r\nHost: a\r\n", .incomplete),
  ])
  func `a request is answered by what it asks for`(text: String, expected: MetricsRequest) {
    #expect(read(text) == expected)
  }

  @Test func `a head that never ends is refused at its limit`() {
    #expect(read("GET /metrics HTTP/1.1\r\n" + String(repeating: "x", count: 8000)) == .incomplete)
    #expect(read("GET /metrics HTTP/1.1\r\n" + String(repeating: "x", count: 9000)) == .refused(.tooLarge))
    #expect(read(String(repeating: "x", count: 100_000)) == .refused(.tooLarge))
    #expect(
      read("GET /metrics HTTP/1.1\r\n" + String(repeating: "x", count: 8190) + "\r\n\r\n") == .refused(.tooLarge))
  }

  @Test func `every length and every flipped bit is answered`() {
    let bytes = Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    for length in 0..<bytes.count { #expect(MetricsRequest(reading: Array(bytes[..<length]).span) == .incomplete) }
    var answers: Set<String> = []
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      answers.insert("\(MetricsRequest(reading: damaged.span))")
    }
    #expect(answers.count > 4)
  }

  @Test func `an answer says how long it is and that the connection ends`() {
    for status in MetricsRequest.Status.allCases {
      let body = MetricsRequest.body(of: status)
      let head = MetricsRequest.response(status, bodyLength: body.utf8.count)
      #expect(head.hasPrefix("HTTP/1.1 \(status.rawValue) "))
      let allowed = status == .methodNotAllowed ? "Allow: GET, HEAD\r\n" : ""
      #expect(head.hasSuffix("Content-Length: \(body.utf8.count)\r\n\(allowed)Connection: close\r\n\r\n"))
    }
    let good = MetricsRequest.response(nil, bodyLength: 5)
    #expect(good.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"))
  }
}
