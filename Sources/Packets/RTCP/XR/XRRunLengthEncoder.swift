/// Writes Loss RLE and Duplicate RLE blocks in as few chunks as greed finds.
///
/// A run of 15 or more equal bits is a run-length chunk, and so is the run that ends the range; everything else goes
/// into bit vectors.
public enum XRRunLengthEncoder {
  /// The longest run that a chunk holds.
  static let maximumRun = 16_383
  /// The bytes of a block without chunks.
  static let fixedSize = XRBlockHeader.size + XRSequenceRange.size

  /// Writes one block at `offset` over as much of `numbers` as fits in `capacity` bytes.
  ///
  /// - Parameters:
  ///   - kind: What the bits say.
  ///   - numbers: The range, at most `XRSequenceRange.limit` numbers.
  ///   - capacity: The most bytes that the block may have.
  ///   - isOne: The bit of the number at a place, counted from the range's beginning.
  /// - Returns: the block's size and how many places of the range it covers; nil when not even one chunk fits.
  static func write(
    _ kind: XRRunLengthBlock.Kind, of numbers: XRSequenceRange, capacity: Int,
    into bytes: inout MutableSpan<UInt8>, at offset: Int, isOne: (Int) -> Bool
  ) -> (size: Int, covered: Int)? {
    // Chunks come in pairs, because blocks consist of words.
    let room = min(capacity, bytes.count - offset) - fixedSize
    let chunkLimit = room / 4 * 2
    guard chunkLimit > 0, numbers.span > 0, numbers.span <= XRSequenceRange.limit, (0...15).contains(numbers.thinning)
    else { return nil }
    let count = numbers.count
    var index = 0
    var chunk = 0
    while index < count, chunk < chunkLimit {
      let next = self.chunk(at: index, of: numbers, isOne: isOne)
      bytes.writeBigEndian(next.value, at: offset + fixedSize + 2 * chunk)
      chunk += 1
      index += next.length
    }
    if chunk % 2 == 1 {
      bytes.writeBigEndian(UInt16(0), at: offset + fixedSize + 2 * chunk)
      chunk += 1
    }
    let covered = index == count ? numbers.span : numbers.place(of: index)
    let size = fixedSize + 2 * chunk
    let type = kind == .loss ? XRBlockHeader.BlockType.lossRLE : XRBlockHeader.BlockType.duplicateRLE
    XRBlockHeader.write(
      type: type, specific: UInt8(numbers.thinning), length: size, into: &bytes, at: offset)
    var written = numbers
    written.end = numbers.begin &+ UInt16(truncatingIfNeeded: covered)
    written.write(into: &bytes, at: offset + XRBlockHeader.size)
    return (size, covered)
  }

  /// The bytes that one block over all of `numbers` needs.
  public static func size(of numbers: XRSequenceRange, isOne: (Int) -> Bool) -> Int {
    var index = 0
    var chunks = 0
    while index < numbers.count {
      index += chunk(at: index, of: numbers, isOne: isOne).length
      chunks += 1
    }
    return fixedSize + (chunks + 1) / 2 * 4
  }

  /// The chunk that begins with the number of `index`, and how many numbers it holds.
  private static func chunk(
    at index: Int, of numbers: XRSequenceRange, isOne: (Int) -> Bool
  ) -> (value: UInt16, length: Int) {
    let count = numbers.count
    let first = isOne(numbers.place(of: index))
    var length = 1
    while index + length < count, length < maximumRun, isOne(numbers.place(of: index + length)) == first {
      length += 1
    }
    if length >= 15 || index + length == count { return ((first ? 0x4000 : 0) | UInt16(length), length) }
    length = min(15, count - index)
    var value: UInt16 = 0x8000
    for bit in 0..<length where isOne(numbers.place(of: index + bit)) { value |= 0x4000 >> UInt16(bit) }
    return (value, length)
  }
}
