import Emulation
import Glibc
import Impairment
import Timeline

/// The verb `link`.
enum LinkCommand {
  static func options(_ words: [String]) throws(UsageError) -> LinkOptions? {
    var options = LinkOptions()
    let split = words.firstIndex(of: "--")
    guard let split else {
      guard !words.contains("--help"), !words.contains("-h") else { return nil }
      throw missingSeparator(words)
    }
    guard let operands = try LinkOptions.usage.parse(Array(words[..<split]), into: &options) else { return nil }
    options.command = Array(words[(split + 1)...])
    guard let name = options.command.first, !name.isEmpty else {
      throw UsageError("there is no command behind --: jitterbug link \(operands.first ?? "wifi-busy") -- COMMAND")
    }
    guard operands.count <= 1 else {
      throw UsageError(
        "link takes one SPEC before --, but \(operands.count) were given: \(operands.joined(separator: " ")); "
          + "--down and --up give each direction its own")
    }
    if let text = operands.first {
      guard options.down == nil || options.up == nil else {
        throw UsageError("\(text): --down and --up say all about the link already; leave one of the three out")
      }
      let both: LinkSpec
      do throws(UsageError) { both = try SendOptions.parseLink(text) } catch {
        // What is wrong with a recording begins with its name already.
        throw UsageError(error.message.hasPrefix(text) ? error.message : "\(text): \(error.message)")
      }
      options.down = options.down ?? both
      options.up = options.up ?? both
    }
    guard options.down != nil || options.up != nil else {
      throw UsageError("link needs a spec before --: jitterbug link wifi-busy -- \(name), or none for a perfect link")
    }
    if let seed = options.seed {
      options.down?.seed = seed
      options.up?.seed = seed
    }
    guard options.peer != nil || options.linger == .zero else {
      throw UsageError("--linger lets the peer go on, but there is no --peer")
    }
    try refuseSharedFiles(options)
    return options
  }

  /// Refuses one file for two outputs, which would overwrite each other, and what is the command's.
  private static func refuseSharedFiles(_ options: LinkOptions) throws(UsageError) {
    let named = [
      ("--record", options.captureFile), ("--trace", options.traceFile), ("--report", options.reportFile),
    ].compactMap { option, path in path.map { (option: option, path: $0) } }
    for (place, one) in named.enumerated() {
      guard one.path != "-" else {
        throw UsageError("\(one.option) -: standard output is the command's: name a file in place of -")
      }
      for other in named[..<place] where WritableFile.isSame(one.path, other.path) {
        throw UsageError(
          "\(other.option) \(other.path) and \(one.option) \(one.path) name the same file; give each a file of its own")
      }
    }
  }

  /// What is said of a command line without `--`, with what was probably meant.
  private static func missingSeparator(_ words: [String]) -> UsageError {
    let isPlain = words.count > 1 && !words[0].hasPrefix("-")
    let meant = isPlain ? "\(words[0]) -- \(words.dropFirst().joined(separator: " "))" : "wifi-busy -- COMMAND"
    return UsageError("link needs -- and a command behind the spec: jitterbug link \(meant)")
  }

  static func run(_ options: LinkOptions) throws(CommandError) -> Int32 {
    for path in [options.captureFile, options.traceFile, options.reportFile].compactMap({ $0 }) {
      try WritableFile.check(path)
    }
    do throws(EmulationError) { try LinkWorld.enter() } catch { throw CommandError(error.description) }
    let run = try LinkRun(options)
    return try run.run()
  }
}
