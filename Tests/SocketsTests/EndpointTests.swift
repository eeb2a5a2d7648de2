import Sockets
import Testing
import Timeline

struct EndpointTests {
  static let good: [(String, Endpoint)] = [
    ("rtp://192.168.1.20:5004", .rtp(host: "192.168.1.20", ports: 5004...5004)),
    ("rtp://[::1]:5004", .rtp(host: "::1", ports: 5004...5004)),
    ("rtp://[fe80::1%eth0]:6000", .rtp(host: "fe80::1%eth0", ports: 6000...6000)),
    ("rtp://0.0.0.0:9000-9999", .rtp(host: "0.0.0.0", ports: 9000...9999)),
    ("rtp://host", .rtp(host: "host", ports: 5004...5004)),
    ("rtp://host/", .rtp(host: "host", ports: 5004...5004)),
    ("RTP://Some-Host.example:1", .rtp(host: "Some-Host.example", ports: 1...1)),
    ("rtp://", .rtp(host: "", ports: 5004...5004)),
    ("rtp://:65535", .rtp(host: "", ports: 65535...65535)),
    ("rtp://@239.1.2.3:5004", .rtp(host: "239.1.2.3", ports: 5004...5004)),
    ("rtp://[::]", .rtp(host: "::", ports: 5004...5004)),
    ("tcp://host:80", .tcp(host: "host", ports: 80...80)),
    ("tcp://[::1]", .tcp(host: "::1", ports: 5004...5004)),
    ("host:5004", .rtp(host: "host", ports: 5004...5004)),
    ("[::1]:5004", .rtp(host: "::1", ports: 5004...5004)),
    (":7000", .rtp(host: "", ports: 7000...7000)),
    ("unix:/run/a b.sock", .unix(path: "/run/a b.sock")),
    ("unix:///run/a", .unix(path: "/run/a")),
    ("unix:////run/a", .unix(path: "/run/a")),
    ("unix:relative", .unix(path: "relative")),
  ]

  @Test(arguments: good)
  func `an endpoint reads as documented and its description reads back`(text: String, endpoint: Endpoint) throws {
    #expect(try Endpoint(text) == endpoint)
    #expect(try Endpoint(endpoint.description) == endpoint)
  }

  static let bad: [(String, EndpointError)] = [
    ("", .empty),
    ("udp://host:1", .unknownScheme("udp", in: "udp://host:1")),
    ("://host:1", .unknownScheme("", in: "://host:1")),
    ("rtp://host:0", .badPort("0", in: "rtp://host:0")),
    ("rtp://host:70000", .badPort("70000", in: "rtp://host:70000")),
    ("rtp://host:", .badPort("", in: "rtp://host:")),
    ("rtp://host:+5", .badPort("+5", in: "rtp://host:+5")),
    ("rtp://host:9-8", .badPort("9-8", in: "rtp://host:9-8")),
    ("rtp://host:1-2-3", .badPort("1-2-3", in: "rtp://host:1-2-3")),
    ("rtp://host:1-", .badPort("1-", in: "rtp://host:1-")),
    ("rtp://[::1", .badBrackets(in: "rtp://[::1")),
    ("rtp://[::1]5004", .badBrackets(in: "rtp://[::1]5004")),
    ("rtp://::1:5004", .badBrackets(in: "rtp://::1:5004")),
    ("rtp://a]:1", .badBrackets(in: "rtp://a]:1")),
    ("rtp://[host]:1", .badIPv6("host", in: "rtp://[host]:1")),
    ("rtp://[1.2.3.4]:1", .badIPv6("1.2.3.4", in: "rtp://[1.2.3.4]:1")),
    ("rtp://[fe80::1%]:1", .badIPv6("fe80::1%", in: "rtp://[fe80::1%]:1")),
    ("rtp://me@host:1", .badHost("me@host", in: "rtp://me@host:1")),
    ("rtp://a b:1", .badHost("a b", in: "rtp://a b:1")),
    ("rtp://host:1?ttl=5", .trailing("?ttl=5", in: "rtp://host:1?ttl=5")),
    ("rtp://host:1/path", .trailing("/path", in: "rtp://host:1/path")),
    ("song.opus", .missingPort(in: "song.opus")),
    ("dir/song.opus", .trailing("/song.opus", in: "dir/song.opus")),
    ("unix:", .badPath(in: "unix:")),
    ("unix://host/path", .badPath(in: "unix://host/path")),
    ("unix:///", .badPath(in: "unix:///")),
  ]

  @Test(arguments: bad)
  func `what isn't an endpoint is refused for its reason`(text: String, error: EndpointError) {
    #expect(throws: error) { try Endpoint(text) }
  }

  @Test func `a path longer than the kernel takes is refused with its length`() throws {
    let fitting = "unix:/" + String(repeating: "p", count: 106)
    #expect(try Endpoint(fitting) == .unix(path: String(fitting.dropFirst(5))))
    #expect(throws: EndpointError.pathTooLong(bytes: 108, in: fitting + "p")) { try Endpoint(fitting + "p") }
  }

  @Test func `every reason is one sentence that quotes the text and says what to do`() {
    for (text, error) in Self.bad {
      let sentence = error.description
      #expect(text.isEmpty || sentence.contains("\"\(text)\""))
      #expect(sentence.contains(": ") && !sentence.hasSuffix("."))
    }
    #expect(EndpointError.unknownScheme("udp", in: "udp://h:1").description.contains("rtp://host:port (UDP)"))
  }

  @Test func `prefixes, changed bytes and random texts never trap, and what reads reads back`() throws {
    var texts: [String] = []
    for (text, _) in Self.good + Self.bad.map({ ($0.0, .unix(path: "")) }) {
      let bytes = [UInt8](text.utf8)
      for end in 0...bytes.count { texts.append(String(decoding: bytes[..<end], as: UTF8.self)) }
      for index in bytes.indices {
        for value in stride(from: UInt8(0), through: 255, by: 5) {
          var changed = bytes
          changed[index] = value
          texts.append(String(decoding: changed, as: UTF8.self))
        }
      }
    }
    var generator = SeededGenerator(seed: 20)
    let alphabet = Array("rtp://unix:[]%@-.0159aé\u{301}\0 ?".unicodeScalars)
    for _ in 0..<10_000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...24, using: &generator) {
        text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
      }
      texts.append(text)
    }
    for text in texts {
      guard let endpoint = try? Endpoint(text) else { continue }
      #expect(try Endpoint(endpoint.description) == endpoint, "\(text.debugDescription)")
      _ = endpoint.host.flatMap { SocketAddress(host: $0, port: 1) }
    }
  }
}
