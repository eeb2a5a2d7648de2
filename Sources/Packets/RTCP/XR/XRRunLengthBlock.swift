/// A Loss RLE or Duplicate RLE block (RFC 3611 sections 4.1 and 4.2): one bit a sequence number, in chunks.
///
/// In Loss RLE a one means received and a zero lost; in Duplicate RLE a zero means received more than once and a one
/// not so.
public struct XRRunLengthBlock: Equatable, Sendable {
  /// What the bits say.
  public enum Kind: Equatable, Sendable {
    /// A zero is a packet lost.
    case loss
    /// A zero is a packet received more than once.
    case duplicate
  }

  /// A run of equal bits.
  public struct Run: Equatable, Sendable {
    /// The index of its first number among those reported on.
    public var first: Int
    /// How many numbers it has: at least 1.
    public var count: Int
    /// The bit.
    public var isOne: Bool
  }

  /// What the bits say.
  public let kind: Kind
  /// The numbers reported on.
  public let numbers: XRSequenceRange
  /// Where the chunks lie in the datagram.
  public let chunks: Range<Int>
  private let header: XRBlockHeader

  init?(parsing header: XRBlockHeader, in datagram: RawSpan) {
    guard header.body.count >= XRSequenceRange.size, datagram.contains(header.range) else { return nil }
    kind = header.type == XRBlockHeader.BlockType.lossRLE ? .loss : .duplicate
    numbers = XRSequenceRange(parsing: header, in: datagram)
    chunks = (header.body.lowerBound + XRSequenceRange.size)..<header.body.upperBound
    self.header = header
  }

  /// A cursor at the first run of bits.
  public var runs: Runs { Runs(self) }

  /// The range's fields over a copy of the block; the chunks stay.
  func rewrite(into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= header.range.count else { return false }
    let specific = header.specific & 0xf0 | UInt8(numbers.thinning)
    let type = kind == .loss ? XRBlockHeader.BlockType.lossRLE : XRBlockHeader.BlockType.duplicateRLE
    XRBlockHeader.write(type: type, specific: specific, length: header.range.count, into: &bytes, at: offset)
    numbers.write(into: &bytes, at: offset + XRBlockHeader.size)
    return true
  }

  /// Walks the runs in order, without allocating; no more numbers than the block reports on, fewer when its chunks end
  /// before.
  public struct Runs: Equatable, Sendable {
    private let chunks: Range<Int>
    private let count: Int
    private var offset: Int
    private var next = 0
    /// The bits of a vector that are left, the next one highest, and how many.
    private var vector: UInt16 = 0
    private var vectorCount = 0

    init(_ block: XRRunLengthBlock) {
      chunks = block.chunks
      count = block.numbers.count
      offset = block.chunks.lowerBound
    }

    /// The next run, or nil after the last one; runs that follow each other may have the same bit.
    public mutating func next(in datagram: RawSpan) -> Run? {
      guard next < count else { return nil }
      while vectorCount == 0 {
        guard chunks.upperBound - offset >= 2, datagram.contains(chunks) else { return nil }
        let chunk = datagram.bigEndian(at: offset, as: UInt16.self)
        offset += 2
        guard chunk != 0 else {
          offset = chunks.upperBound
          return nil
        }
        if chunk & 0x8000 != 0 {
          vector = chunk << 1
          vectorCount = 15
        } else if chunk & 0x3fff != 0 {
          return take(Int(chunk & 0x3fff), isOne: chunk & 0x4000 != 0)
        }
        // Else a run of no ones, which nobody should write.
      }
      let isOne = vector & 0x8000 != 0
      let length = min(isOne ? (~vector).leadingZeroBitCount : vector.leadingZeroBitCount, vectorCount)
      vector <<= UInt16(length)
      vectorCount -= length
      return take(length, isOne: isOne)
    }

    private mutating func take(_ length: Int, isOne: Bool) -> Run {
      let run = Run(first: next, count: min(length, count - next), isOne: isOne)
      next += run.count
      return run
    }
  }
}
