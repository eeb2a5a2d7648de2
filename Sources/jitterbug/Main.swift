import Glibc

@main
enum Main {
  static func main() {
    openStandardDescriptors()
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  /// Whoever starts us may have closed the standard descriptors; a socket of ours must not take their numbers, or
  /// messages for people would go out as datagrams.
  private static func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Runs the verb that was named; returns the exit status: 0 done, 1 failed while running, 2 wrong usage.
  private static func run(_ words: [String]) -> Int32 {
    let rest = Array(words.dropFirst())
    do throws(UsageError) {
      switch words.first {
      case nil:
        StandardError.write(help)
        return 2
      case "--help", "-h", "help":
        return finish { () throws(CommandError) in try printOut(help) }
      case "--version":
        return finish { () throws(CommandError) in try printOut("jitterbug \(Version.number)\n") }
      case "send": return try run(rest, SendOptions.usage.help, SendCommand.options, SendCommand.run)
      case "receive": return try run(rest, ReceiveOptions.usage.help, ReceiveCommand.options, ReceiveCommand.run)
      case "probe": return try run(rest, ProbeOptions.usage.help, ProbeCommand.options, ProbeCommand.run)
      case "analyze": return try run(rest, AnalyzeOptions.usage.help, AnalyzeCommand.options, AnalyzeCommand.run)
      case "link": return try run(rest, LinkOptions.usage.help, LinkCommand.options, LinkCommand.run)
      case "race": return try run(rest, RaceOptions.usage.help, RaceCommand.options, RaceCommand.run)
      case "verify": return try run(rest, VerifyOptions.usage.help, VerifyCommand.options, VerifyCommand.run)
      case let verb?:
        throw UsageError(
          "\(verb) is not a verb of jitterbug: write send, receive, race, probe, analyze, link or verify, and see "
            + "jitterbug --help")
      }
    } catch {
      StandardError.write("jitterbug: \(error.message)\n")
      return 2
    }
  }

  /// Reads a verb's options and does what they ask for; prints the help where they ask for that.
  private static func run<Options>(
    _ words: [String], _ help: String, _ parse: ([String]) throws(UsageError) -> Options?,
    _ perform: (Options) throws(CommandError) -> Int32
  ) throws(UsageError) -> Int32 {
    guard let options = try parse(words) else {
      return finish { () throws(CommandError) in try printOut(help + "\n") }
    }
    return finish { () throws(CommandError) in try perform(options) }
  }

  private static func printOut(_ text: String) throws(CommandError) -> Int32 {
    try StandardOutput.write(text)
    return 0
  }

  private static func finish(_ body: () throws(CommandError) -> Int32) -> Int32 {
    do throws(CommandError) { return try body() } catch {
      StandardError.write("jitterbug: \(error.message)\n")
      return error.status
    }
  }

  private static let help = """
    jitterbug: audio over UDP in real time, and exactly what the network did to it

    Two commands make a stream; start the receiver first:
      jitterbug receive --output heard.wav
      jitterbug send song.opus rtp://127.0.0.1:5004

    Verbs:
      send      stream media files, as RTP over UDP, TCP or a Unix socket
      receive   receive, reorder, play or record, and report what was lost
      race      the same media over the same bad link by UDP and by TCP
      probe     measure a path with media-like traffic, and say what it carries
      analyze   find the RTP streams in a capture, and report what was lost
      link      run any command behind a bad network, without root
      verify    prove these numbers, packet for packet, on this machine

    jitterbug VERB --help tells more; jitterbug --version tells the version.
    Exit status: 0 done, 1 failed while running, 2 wrong usage.

    """
}
