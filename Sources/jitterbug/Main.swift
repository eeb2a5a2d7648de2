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
    do throws(UsageError) {
      switch words.first {
      case nil:
        StandardError.write(help)
        return 2
      case "--help", "-h", "help":
        return finish { () throws(CommandError) in try printOut(help) }
      case "--version":
        return finish { () throws(CommandError) in try printOut("jitterbug \(Version.number)\n") }
      case "send":
        guard let options = try SendCommand.options(Array(words.dropFirst())) else {
          return finish { () throws(CommandError) in try printOut(SendOptions.usage.help + "\n") }
        }
        return finish { () throws(CommandError) in try SendCommand.run(options) }
      case "receive":
        guard let options = try ReceiveCommand.options(Array(words.dropFirst())) else {
          return finish { () throws(CommandError) in try printOut(ReceiveOptions.usage.help + "\n") }
        }
        return finish { () throws(CommandError) in try ReceiveCommand.run(options) }
      case "probe":
        guard let options = try ProbeCommand.options(Array(words.dropFirst())) else {
          return finish { () throws(CommandError) in try printOut(ProbeOptions.usage.help + "\n") }
        }
        return finish { () throws(CommandError) in try ProbeCommand.run(options) }
      case let verb?:
        throw UsageError("\(verb) is not a verb of jitterbug: write send, receive or probe, and see jitterbug --help")
      }
    } catch {
      StandardError.write("jitterbug: \(error.message)\n")
      return 2
    }
  }

  private static func printOut(_ text: String) throws(CommandError) -> Int32 {
    try StandardOutput.write(text)
    return 0
  }

  private static func finish(_ body: () throws(CommandError) -> Int32) -> Int32 {
    do throws(CommandError) { return try body() } catch {
      StandardError.write("jitterbug: \(error.message)\n")
      return 1
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
      probe     measure a path with media-like traffic, and say what it carries

    jitterbug VERB --help tells more; jitterbug --version tells the version.
    Exit status: 0 done, 1 failed while running, 2 wrong usage.

    """
}
