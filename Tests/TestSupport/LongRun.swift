public import Testing

/// What is too long for a debug build, in which an hour of stream takes half a minute instead of half a second.
///
/// The release build runs all of it, and so do the sanitizers' builds, which are optimised too.
public enum LongRun {
  #if DEBUG
    /// Whether this build is optimised.
    public static let isOptimised = false
  #else
    /// Whether this build is optimised.
    public static let isOptimised = true
  #endif

  /// Seeds from 1 on: all of them, or a few in a debug build.
  public static func seeds(_ count: UInt64) -> ClosedRange<UInt64> { 1...(isOptimised ? count : max(count / 5, 2)) }
}

extension Trait where Self == ConditionTrait {
  /// The test runs in optimised builds only.
  public static var optimisedOnly: Self {
    .enabled(if: LongRun.isOptimised, "it simulates for so long that only optimised builds run it")
  }
}
