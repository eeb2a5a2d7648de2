import Foundation
import Testing

/// What is said to somebody who writes something else than the command takes.
@Suite(.fewAtOnce) struct UsageTests {
  /// Each command line with the sentence that it gets, exactly.
  private static let sentences: [(command: String, sentence: String)] = [
    (
      "send --bitrat 32k a.opus b:1",
      "--bitrat is not an option of jitterbug send: did you mean --bitrate? jitterbug send --help lists "
        + "them all"
    ),
    (
      "send --frobnicate a.opus b:1",
      "--frobnicate is not an option of jitterbug send: jitterbug send --help lists them all"
    ),
    (
      "receive --outptu x.wav",
      "--outptu is not an option of jitterbug receive: did you mean --output? jitterbug receive --help "
        + "lists them all"
    ),
    (
      "send --bitrate",
      "--bitrate needs a value: --bitrate RATE"
    ),
    (
      "send a.opus b:1 --bitrate=",
      "--bitrate needs a value: --bitrate RATE"
    ),
    (
      "receive --once=yes",
      "--once takes no value; write --once alone"
    ),
    (
      "send a.opus b:1 --bitrate 5k",
      "--bitrate 5k: Opus takes 6k to 510k"
    ),
    (
      "send a.opus b:1 --bitrate fast",
      "--bitrate fast: not a bit rate; write 64000, 96k or 2mbit"
    ),
    (
      "send a.opus b:1 --frame 7ms",
      "--frame 7ms: Opus frames last 2.5ms, 5ms, 10ms, 20ms, 40ms or 60ms"
    ),
    (
      "send a.opus b:1 --application music",
      "--application music: not known here; write one of audio, voip, lowdelay"
    ),
    (
      "send a.opus b:1 --complexity 11",
      "--complexity 11: not a whole number from 0 to 10"
    ),
    (
      "send a.opus b:1 --fec 300%",
      "--fec 300%: not a share; write 5% or 0.05, from 0 to 100%"
    ),
    (
      "send a.opus b:1 --start x",
      "--start x: not a length of time; write 60ms, 2.5s, 10m or 1:30"
    ),
    (
      "send a.opus b:1 --duration -3s",
      "--duration -3s: not a length of time; write 60ms, 2.5s, 10m or 1:30"
    ),
    (
      "send a.opus b:1 --payload-type 128",
      "--payload-type 128: not a whole number from 0 to 127"
    ),
    (
      "send a.opus b:1 --ssrc 0x1ffffffff",
      "--ssrc 0x1ffffffff: not a synchronisation source; write up to 32 bits, such as 0x1a2b3c4d"
    ),
    (
      "send a.opus b:1 --seed seven",
      "--seed seven: not a number; write 7 or 0x1a2b3c4d"
    ),
    (
      "send a.opus b:1 --speed 0",
      "--speed 0: not a speed; write 1, 0.5, 4 or max"
    ),
    (
      "send a.opus b:1 --speed nan",
      "--speed nan: not a speed; write 1, 0.5, 4 or max"
    ),
    (
      "send a.opus b:1 --wait soon",
      "--wait soon: not a length of time; write 60ms, 2.5s, 10m or 1:30"
    ),
    (
      "send a.opus b:1 --dscp 64",
      "--dscp 64: not a whole number from 0 to 63"
    ),
    (
      "send a.opus b:1 --ttl 0",
      "--ttl 0: not a whole number from 1 to 255"
    ),
    (
      "send a.opus b:1 --source-port 0",
      "--source-port 0: not a whole number from 1 to 65535"
    ),
    (
      "send a.opus b:1 --mtu 1",
      "--mtu 1: not a whole number from 128 to 65000"
    ),
    (
      "send - b:1 --format opus",
      "--format opus: audio tells by its bytes what it is; leave --format out, and describe raw samples by --raw"
    ),
    ("send - b:1 --format av1", "--format av1: not a format of video that can be sent; write h264, vp8 or mpegts"),
    ("send - b:1 --fps 0", "--fps 0: not a frame rate; write 1 to 1000, such as 25, 29.97 or 30000/1001"),
    ("send - b:1 --pacing 2", "--pacing 2: not a share; write 5% or 0.05, from 0 to 100%"),
    (
      "send - b:1 --format h264 --raw s16le,48000,2",
      "--raw describes samples and --format a video: choose one"
    ),
    (
      "send a.opus clip.h264 b:1 --raw s16le,48000,2",
      "--raw describes samples, and clip.h264 is a video by its name: leave --raw out"
    ),
    (
      "send --synthetic fps=30 b:1 --fps 25",
      "--synthetic makes up what it sends: leave --format and --fps out; fps=30 is part of its own text"
    ),
    (
      "send --synthetic bytes=100,interval=20ms b:1 --mtu 500",
      "--mtu says how frames of video are cut and sent, and bytes=N,interval=T makes up packets: leave it out"
    ),
    (
      "send a.opus b:1 --raw s99",
      "--raw s99: “s99” is no sample encoding; give s16le, s24le, s32le, f32le, as in s16le,48000,2"
    ),
    (
      "send a.opus b:1 --raw s16le,1,2",
      "--raw s16le,1,2: “1” is no sample rate; give 1000 to 768000 Hz, as in s16le,48000,2"
    ),
    (
      "send a.opus b:1 --raw s16le,48000,9",
      "--raw s16le,48000,9: “9” is no number of channels; give 1 to 8, as in s16le,48000,2"
    ),
    (
      "send b:1 --synthetic foo",
      "--synthetic foo: “foo” in the synthetic source isn't key=value; write bytes=172,interval=20ms or "
        + "fps=30,bitrate=2mbit,gop=60"
    ),
    (
      "send b:1 --synthetic bytes=5",
      "--synthetic bytes=5: the synthetic source's bytes can't be “5”; give 13 to 65507 (the RTP packet "
        + "with its header)"
    ),
    (
      "send b:1 --synthetic fps=30,bytes=60",
      "--synthetic fps=30,bytes=60: the synthetic source can't have both “bytes” and “fps”; write "
        + "bytes=172,interval=20ms or fps=30,bitrate=2mbit,gop=60"
    ),
    (
      "send a.opus b:1 --synthetic bytes=60",
      "--synthetic sends made-up packets, but a.opus was given too: choose one"
    ),
    (
      "send a.opus b:1 --link loss=200%",
      "--link loss=200%: \"loss=200%\" is not accepted: loss takes a share from 0% to 100%, such as 5% "
        + "or 0.05"
    ),
    (
      "send a.opus b:1 --link los=2%",
      "--link los=2%: \"los\" is not a key: did you mean loss? Keys are loss, burst, ge, outage, delay, "
        + "jitter, jitter-shape, jitter-order, reorder, reorder-by, reorder-wait, duplicate, "
        + "duplicate-delay, corrupt, rate, queue, seed"
    ),
    (
      "send a.opus b:1 --link wify",
      "--link wify: \"wify\" is neither a profile nor key=value: did you mean wifi? Profiles are none, "
        + "lan, wifi, wifi-busy, lte, dsl, satellite, awful"
    ),
    (
      "send a.opus b:1 --link-trace x.csv",
      "--link-trace writes what --link does, but there is no --link"
    ),
    (
      "send a.opus b:1 --report x.htm",
      "--report x.htm: reports are written as FILE.html, FILE.json, FILE.csv or FILE.txt"
    ),
    (
      "send a.opus",
      "no destination: end the command with where to send, such as rtp://192.168.1.20:5004"
    ),
    (
      "send a.opus 10.0.0.1",
      "no destination: 10.0.0.1 is no file, and as an address it lacks a port: write "
        + "rtp://10.0.0.1:5004"
    ),
    (
      "send b:1",
      "no file to send: name one, or - for standard input, or --synthetic bytes=172,interval=20ms"
    ),
    (
      "send - - b:1",
      "standard input can be read only once: - may stand once, and not with --loop"
    ),
    (
      "send --loop - b:1",
      "standard input can be read only once: - may stand once, and not with --loop"
    ),
    (
      "send a.opus 127.0.0.1:70000",
      "\"127.0.0.1:70000\" has the port \"70000\": write a number from 1 to 65535, or a range to listen "
        + "on such as 9000-9999"
    ),
    (
      "send a.opus udp://10.0.0.1:5004",
      "\"udp://10.0.0.1:5004\" has the unknown scheme \"udp\": write rtp://host:port (UDP), "
        + "tcp://host:port or unix:/path"
    ),
    (
      "send a.opus rtp://10.0.0.1:9000-9999",
      "\"rtp://10.0.0.1:9000-9999\" has the ports 9000 to 9999, and a stream is sent to one: write the "
        + "one that the receiver says it listens on"
    ),
    (
      "send a.opus rtp://10.0.0.1:5004/x",
      "\"rtp://10.0.0.1:5004/x\" has \"/x\" after the port, which means nothing here: leave it out, and "
        + "give settings as options"
    ),
    (
      "send a.opus rtp://[::1",
      "\"rtp://[::1\" isn't host:port: an IPv6 address stands in one pair of brackets, such as "
        + "rtp://[::1]:5004"
    ),
    (
      "send a.opus unix:",
      "\"unix:\" names no path: write unix:/path"
    ),
    (
      "send a.opus tcp://10.0.0.1 --sdp x.sdp",
      "--sdp describes an rtp:// destination, and none was given: add one, or leave --sdp out"
    ),
    (
      "receive rtp://127.0.0.1:9-5",
      "\"rtp://127.0.0.1:9-5\" has the port \"9-5\": write a number from 1 to 65535, or a range to "
        + "listen on such as 9000-9999"
    ),
    (
      "receive localhost",
      "\"localhost\" has neither a scheme nor a port: write rtp://localhost or localhost:5004 for a "
        + "network address"
    ),
    (
      "receive --reflect rtp://a:1 rtp://b:2",
      "--reflect serves one source, but 2 were given: leave the others out"
    ),
    (
      "receive --output a.wav --output b.wav",
      "--output is given once for audio and once for video, but here it is a.wav (audio), b.wav (audio): leave out one "
        + "of a kind"
    ),
    (
      "receive --damaged keep",
      "--damaged says what becomes of damaged frames in a video file, and none is written: add --output seen.h264"
    ),
    (
      "receive --json --output -",
      "--json and --output - both want standard output: write the report with --report FILE.json"
    ),
    (
      "receive --output x.mp3",
      "x.mp3 has no suffix that names a format: call it FILE.wav, FILE.opus or FILE.raw, or add "
        + "--output-format; video goes into FILE.h264, FILE.ivf or FILE.ts"
    ),
    (
      "receive --output-format mp3",
      "--output-format mp3: not known here; write one of wav, opus, raw, h264, ivf, ts"
    ),
    (
      "receive --output-format h264",
      "--output-format says what --output is written as, and there is no --output: add --output FILE"
    ),
    (
      "receive --output x.h264 --output-format ivf",
      "x.h264 is H.264 by its suffix, and --output-format says VP8: leave --output-format out, or name another file"
    ),
    (
      "receive --output a.wav --output x.ivf --output-format ivf",
      "--output-format is for an output whose name says nothing, and every name here has a suffix: leave it out"
    ),
    ("receive --output x.h264 --channels 1", "--channels is for audio, and only video is written: leave it out"),
    (
      "receive --format h264 --output a.wav",
      "--format says that the stream is H264/90000, which can't be written to a.wav: write it to seen.h264, or leave "
        + "--format out"
    ),
    (
      "receive --channels 3",
      "--channels 3: not a whole number from 1 to 2"
    ),
    (
      "receive --record-all",
      "--record-all keeps packets as they came, which only an Ogg Opus file can: write it with --output FILE.opus"
    ),
    (
      "receive --record-all --output heard.wav",
      "--record-all keeps packets as they came, which only an Ogg Opus file can: write it with --output FILE.opus"
    ),
    (
      "receive --sources 0",
      "--sources 0: not a whole number from 1 to 1000"
    ),
    (
      "receive --socket-buffer 1",
      "--socket-buffer 1: not a whole number from 1024 to 1073741824"
    ),
    (
      "receive --idle-timeout never",
      "--idle-timeout never: not a length of time; write 60ms, 2.5s, 10m or 1:30"
    ),
    (
      "receive --duration never",
      "--duration never: not a length of time; write 60ms, 2.5s, 10m or 1:30"
    ),
    (
      "receive --format theora",
      "--format theora: not known here; write opus, h264, vp8, or NAME/CLOCKRATE such as L16/44100"
    ),
    (
      "receive --seed 1.5",
      "--seed 1.5: not a number; write 7 or 0x1a2b3c4d"
    ),
    (
      "receive --link jitter=fast",
      "--link jitter=fast: \"jitter=fast\" is not accepted: jitter takes a time from 0ms to 60s, such "
        + "as 40ms, 1.5s or 200us"
    ),
    (
      "receive --report x",
      "--report x: reports are written as FILE.html, FILE.json, FILE.csv or FILE.txt"
    ),
    (
      "verify now",
      "verify takes no now: it sends and receives by itself; see jitterbug verify --help"
    ),
    (
      "verify --ports 65500",
      "--ports 65500: 18 cases need 144 ports from there on: choose 65392 or less"
    ),
    (
      "verify --time 1s",
      "--time 1s: verify sends for 2s to 60s"
    ),
    (
      "send a.opus b:1 --sequence 65536",
      "--sequence 65536: not a whole number from 0 to 65535"
    ),
    (
      "probe",
      "no destination: end the command with where to send, such as rtp://192.168.1.20:5004"
    ),
    (
      "probe tcp://127.0.0.1:5004",
      "tcp://127.0.0.1:5004: probe measures one UDP port; write rtp://HOST:PORT"
    ),
    (
      "probe --like radio b:1",
      "--like radio: not known here; write opus-voice, opus-music, video-2mbit, g711 or custom BYTES/INTERVAL"
    ),
    (
      "probe --like custom b:1",
      "--like custom needs BYTES/INTERVAL behind it: --like custom 500/10ms"
    ),
    (
      "probe --like custom 5/10ms b:1",
      "--like custom 5/10ms: write custom BYTES/INTERVAL, such as custom 500/10ms, with 20 to 1472 bytes every 100us "
        + "to 10s"
    ),
    (
      "probe --max-rate 2mbit b:1",
      "--max-rate is the highest rate that --ramp tries: add --ramp, or leave it out"
    ),
    (
      "probe --ramp --like g711 b:1",
      "--ramp sends evenly spaced packets of its own: leave --like out"
    ),
    (
      "probe --like custom 500/10 b:1",
      "--like custom 500/10: 10 has no unit; write ms or us behind it, such as custom 500/10ms"
    ),
    (
      "probe --ramp --both-ways b:1",
      "--ramp measures the way there alone: leave --both-ways out"
    ),
    (
      "receive --reflect tcp://127.0.0.1:5004",
      "--reflect sends by UDP, so it takes an rtp:// source: write rtp://[::]:5004"
    ),
    (
      "link",
      "link needs -- and a command behind the spec: jitterbug link wifi-busy -- COMMAND"
    ),
    (
      "link loss=5% ls -l",
      "link needs -- and a command behind the spec: jitterbug link loss=5% -- ls -l"
    ),
    (
      "link loss=5% ls /tmp",
      "link needs -- and a command behind the spec: jitterbug link loss=5% -- ls /tmp"
    ),
    (
      "link loss=5% --",
      "there is no command behind --: jitterbug link loss=5% -- COMMAND"
    ),
    (
      "link -- ls",
      "link needs a spec before --: jitterbug link wifi-busy -- ls, or none for a perfect link"
    ),
    (
      "link loss=5% delay=20ms -- ls",
      "link takes one SPEC before --, but 2 were given: loss=5% delay=20ms; --down and --up give each direction its own"
    ),
    (
      "link loss=500% -- ls",
      "loss=500%: \"loss=500%\" is not accepted: loss takes a share from 0% to 100%, such as 5% or 0.05"
    ),
    (
      "link wify-busy -- ls",
      "wify-busy: \"wify-busy\" is neither a profile nor key=value: did you mean wifi-busy? Profiles are none, lan, "
        + "wifi, wifi-busy, lte, dsl, satellite, awful"
    ),
    (
      "link loss=1% --up lan --down lan -- ls",
      "loss=1%: --down and --up say all about the link already; leave one of the three out"
    ),
    (
      "link --up rate=x -- ls",
      "--up rate=x: \"rate=x\" is not accepted: rate takes a rate from 1kbit to 100gbit, such as 2mbit "
        + "or 500kbit"
    ),
    (
      "link lan --linger 5s -- ls",
      "--linger lets the peer go on, but there is no --peer"
    ),
    (
      "recieve",
      "recieve is not a verb of jitterbug: write send, receive, race, probe, analyze, link or verify, and see "
        + "jitterbug --help"
    ),
    (
      "--frobnicate",
      "--frobnicate is not a verb of jitterbug: write send, receive, race, probe, analyze, link or verify, and see "
        + "jitterbug --help"
    ),
  ]

  @Test(arguments: sentences)
  func `wrong usage gets one sentence and status 2, and nothing is begun`(
    command: String, sentence: String
  ) async throws {
    let run = try await Jitterbug.run(command.split(separator: " ").map(String.init))
    #expect(run.status == 2)
    #expect(run.errors == "jitterbug: \(sentence)\n")
    #expect(run.output.isEmpty)
  }

  @Test func `without a word there is the help, with status 2`() async throws {
    let run = try await Jitterbug.run([])
    #expect(run.status == 2)
    #expect(run.errors == (try Self.page("jitterbug")))
  }

  @Test(arguments: [
    ("jitterbug", ["--help"]), ("send", ["send", "--help"]), ("receive", ["receive", "-h"]),
    ("probe", ["probe", "--help"]), ("analyze", ["analyze", "--help"]), ("verify", ["verify", "--help"]),
    ("link", ["link", "--help"]), ("race", ["race", "--help"]),
  ])
  func `the help is that of docs, examples first`(page: String, words: [String]) async throws {
    let run = try await Jitterbug.run(words)
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    // Is the change meant? Then write the new help to docs/help.
    #expect(run.output == (try Self.page(page)))
    let lines = run.output.split(separator: "\n")
    if page != "jitterbug" { #expect(lines[1] == "Examples:") }
    #expect(lines.allSatisfy { $0.count <= 120 })
  }

  private static func page(_ name: String) throws -> String {
    let files = try ProjectFiles()
    return try files.read("docs/help/\(name).txt")
  }
}
