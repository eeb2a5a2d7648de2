extension RawSpan {
  /// Reads a number in network byte order; traps when it doesn't lie within the span, which is a bug of the caller.
  ///
  /// This file is the only one in the module that touches raw memory.
  @inlinable package func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Reads one byte; traps when it doesn't lie within the span.
  @inlinable package func byte(at offset: Int) -> UInt8 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
  }

  /// Whether a range lies within the span.
  @inlinable package func contains(_ range: Range<Int>) -> Bool {
    range.lowerBound >= 0 && range.upperBound <= byteCount
  }
}

extension MutableSpan where Element == UInt8 {
  /// Writes a number in network byte order; traps when it doesn't fit, which is a bug of the caller.
  @inlinable package mutating func writeBigEndian<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    let size = T.bitWidth / 8
    for index in 0..<size {
      self[offset + index] = UInt8(truncatingIfNeeded: value >> T((size - 1 - index) * 8))
    }
  }

  /// Copies a range of `source` to `offset` and returns the offset after it; traps when it doesn't fit.
  @inlinable package mutating func copy(_ range: Range<Int>, of source: RawSpan, at offset: Int) -> Int {
    let piece = source.extracting(range)
    precondition(offset >= 0 && piece.byteCount <= count - offset, "the copy must fit")
    unsafe withUnsafeMutableBytes { target in
      unsafe piece.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: bytes)
      }
    }
    return offset + piece.byteCount
  }
}

extension [UInt8] {
  /// Appends a range of `source`; traps when it doesn't lie within it, which is a bug of the caller.
  @inlinable package mutating func append(_ range: Range<Int>, of source: RawSpan) {
    let piece = source.extracting(range)
    unsafe piece.withUnsafeBytes { bytes in unsafe append(contentsOf: bytes) }
  }
}
