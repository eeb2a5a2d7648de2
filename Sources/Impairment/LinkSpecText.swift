import Timeline

extension LinkSpec: CustomStringConvertible {
  /// Reads a spec such as `loss=5%,delay=40ms,seed=7`, the name of a profile, or a profile with changes.
  ///
  /// White space about keys and values doesn't matter, and case doesn't either. A key may stand once. Every key's
  /// meaning, unit and range is in docs/links.md and in ``Key``.
  public init(parsing text: String) throws(LinkSpecError) {
    self = .perfect
    try apply(text)
  }

  /// Changes this spec as `text` says, in the same language; a profile in it replaces the whole spec.
  public mutating func apply(_ text: String) throws(LinkSpecError) {
    guard text.utf8.count <= 4096 else {
      throw LinkSpecError("a link spec of \(text.utf8.count) bytes is too long: write at most 4096")
    }
    var changed = self
    var given: [Key] = []
    for (position, part) in text.lowercased().split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let part = part.trimmed
      guard !part.isEmpty else { throw Self.emptyPart(of: text) }
      guard let equals = part.firstIndex(of: "=") else {
        changed = try Self.profile(named: part, position: position)
        continue
      }
      let name = part[..<equals].trimmed
      guard let key = Key(rawValue: String(name)) else { throw Self.unknownKey(name) }
      guard !given.contains(key) else {
        throw LinkSpecError("\(key.rawValue) is given twice: write each key once")
      }
      let value = part[part.index(after: equals)...].trimmed
      guard !value.isEmpty else { throw LinkSpecError(key, value, because: "\(key.rawValue) takes \(key.values)") }
      try changed.set(key, to: value)
      given.append(key)
    }
    try changed.reconcile(given: given)
    self = changed
  }

  /// The text that reads back as this spec: every parameter that isn't at its default, or `none`.
  ///
  /// Of a recorded link it is what ``recordedLink(in:)`` takes apart again.
  public var description: String {
    let parts = Key.allCases.compactMap { key in
      let text = text(of: key)
      return text == LinkSpec.perfect.text(of: key) ? nil : "\(key.rawValue)=\(text)"
    }
    if let replay {
      let then = replay.then == .again ? [] : ["then=\(replay.then.rawValue)"]
      return ([replay.name] + parts + then).joined(separator: ",")
    }
    return parts.isEmpty ? "none" : parts.joined(separator: ",")
  }

  /// Refuses what contradicts itself, and drops parameters without effect so that equal links are equal values.
  private mutating func reconcile(given: [Key]) throws(LinkSpecError) {
    if given.contains(.gilbertElliott) {
      guard !given.contains(.loss), !given.contains(.burst) else {
        throw LinkSpecError("ge cannot stand beside loss or burst: write either ge or loss with burst")
      }
      reset(.loss)
      reset(.burst)
    } else if given.contains(.loss) || given.contains(.burst) {
      gilbertElliott = nil
    }
    for key in Key.allCases {
      guard let parent = key.parent, !isOn(parent) else { continue }
      if given.contains(key), !given.contains(parent) {
        throw LinkSpecError(
          "\(key.rawValue) has no effect without \(parent.rawValue): write \(parent.rawValue)=, too, which takes "
            + parent.values)
      }
      reset(key)
    }
    try checkBurst()
  }

  /// Refuses bursts so short that the packets between them, at least one each time, leave less loss than asked for.
  private func checkBurst() throws(LinkSpecError) {
    guard burst > 0, loss < 1 else { return }
    // Less a hair, because 0.8 / (1 - 0.8) is a little more than 4.
    let shortest = loss / (1 - loss) * (1 - 1e-9)
    if shortest <= burst { return }
    let least = LinkQuantity.text(number: shortest.rounded(.up))
    throw LinkSpecError(
      "\(text(of: .loss)) loss cannot come in runs of \(text(of: .burst)) on average: write "
        + (shortest > 10_000 ? "" : "burst=\(least) or more, or ") + "burst=0 for independent losses")
  }

  /// Whether a parameter that others depend on has an effect.
  private func isOn(_ parent: Key) -> Bool {
    switch parent {
    case .loss: loss > 0
    case .jitter: jitter > .zero
    case .reorder: reorder > 0
    case .duplicate: duplicate > 0
    default: rate != nil
    }
  }

  private static func profile(named name: Substring, position: Int) throws(LinkSpecError) -> LinkSpec {
    if let key = Key(rawValue: String(name)) {
      throw LinkSpecError("\(key.rawValue) needs a value: write \(key.rawValue)= and then \(key.values)")
    }
    let names = profiles.map(\.name)
    guard let profile = profiles.first(where: { $0.name == name }) else {
      let nearest = LinkSpecError.nearest(to: String(name), among: names + Key.allCases.map(\.rawValue))
      let hint = nearest.map { "did you mean \($0)? " } ?? ""
      throw LinkSpecError(
        "\(LinkSpecError.quoted(name)) is neither a profile nor key=value: \(hint)Profiles are "
          + names.joined(separator: ", "))
    }
    guard position == 0 else {
      throw LinkSpecError("profile \(profile.name) must come first: write \(profile.name),key=value")
    }
    return profile.spec
  }

  private static func unknownKey(_ name: Substring) -> LinkSpecError {
    let keys = Key.allCases.map(\.rawValue)
    let hint = LinkSpecError.nearest(to: String(name), among: keys).map { "did you mean \($0)? " } ?? ""
    return LinkSpecError("\(LinkSpecError.quoted(name)) is not a key: \(hint)Keys are " + keys.joined(separator: ", "))
  }

  private static func emptyPart(of text: String) -> LinkSpecError {
    let example = "write key=value with commas between, such as loss=5%,delay=40ms, or a profile such as wifi-busy"
    let what =
      text.allSatisfy(\.isWhitespace)
      ? "the link spec is empty" : "\(LinkSpecError.quoted(text)) has nothing beside a comma"
    return LinkSpecError("\(what): \(example)")
  }
}

extension Substring {
  /// The text without white space at both ends.
  fileprivate var trimmed: Substring {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
      return self[endIndex...]
    }
    return self[first...last]
  }
}
