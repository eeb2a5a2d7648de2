import Timeline

extension LinkSpec {
  /// What may be changed of a recorded link: what comes on top of it, and nothing that needs random numbers.
  private static let replayKeys: [Key] = [.delay, .rate, .queue]

  /// The file of a recorded link that a text names, and the changes to it; nil when the text names none.
  ///
  /// What stands before the first comma is a file's name when it contains `/` or ends in `.link`.
  public static func recordedLink(in text: String) -> (name: String, changes: String)? {
    let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, name.contains("/") || name.hasSuffix(".link") else { return nil }
    return (String(name), parts.count > 1 ? String(parts[1]) : "")
  }

  /// A link that does what was recorded, packet for packet, with changes such as `delay=40ms,then=clear`.
  public init(replaying recording: LinkRecording, named name: String, changes: String = "") throws(LinkSpecError) {
    self = .perfect
    var then = LinkRecording.Continuation.again
    var others: [Substring] = []
    for part in changes.lowercased().split(separator: ",", omittingEmptySubsequences: true) {
      let fields = part.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
      if fields.first == "then" {
        guard fields.count == 2, let choice = LinkRecording.Continuation(rawValue: fields[1]) else {
          throw LinkSpecError(
            "\(LinkSpecError.quoted(part)) is not accepted: then takes repeat, clear or lost, what happens to packets "
              + "after the last one recorded")
        }
        then = choice
        continue
      }
      if let key = fields.first.flatMap({ Key(rawValue: $0) }), !Self.replayKeys.contains(key) {
        throw LinkSpecError(
          key == .seed
            ? "a recorded link has no random numbers, so seed means nothing: leave it out"
            : "\(key.rawValue) is decided by the recorded link, packet for packet: only delay, rate, queue and then "
              + "can be written behind its name")
      }
      others.append(part)
    }
    if !others.isEmpty { try apply(others.joined(separator: ",")) }
    guard gilbertElliott == nil, loss == 0, jitter == .zero else {
      throw LinkSpecError("a profile cannot change a recorded link: write delay, rate, queue or then behind its name")
    }
    replay = LinkReplay(name: name, recording: recording, then: then)
  }

  /// This link for packets that the recording doesn't tell of, such as reports: the same delay and rate alone.
  public var withoutReplay: LinkSpec {
    var spec = self
    spec.replay = nil
    return spec
  }
}
