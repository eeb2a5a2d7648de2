import Testing

/// What is too long for a debug build, in which a simulated day takes minutes instead of seconds.
enum LongRun {
  #if DEBUG
    static let isOptimised = false
  #else
    static let isOptimised = true
  #endif

  /// Seeds from 1 on: all of them, or a few in a debug build.
  static func seeds(_ count: UInt64) -> ClosedRange<UInt64> { 1...(isOptimised ? count : max(count / 5, 2)) }
}

extension Trait where Self == ConditionTrait {
  /// The test runs in optimised builds only.
  static var optimisedOnly: Self {
    .enabled(if: LongRun.isOptimised, "it simulates for so long that only optimised builds run it")
  }
}
