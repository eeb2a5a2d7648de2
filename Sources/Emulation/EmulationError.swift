import Glibc

/// Why there can be no world, as one sentence for people.
public struct EmulationError: Error, Equatable, CustomStringConvertible {
  /// What is refused, and what to do.
  public let description: String

  init(_ description: String) { self.description = description }

  /// A step that the kernel refused.
  init(_ step: String, code: CInt) { self.init("\(step) failed: \(Self.reason(code))") }

  /// The kernel's words for an errno.
  static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
