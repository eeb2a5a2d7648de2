/// Why bytes from outside are not the packet they were taken for.
///
/// Offsets count from the beginning of the datagram.
public enum PacketParseError: Error, Equatable, Sendable {
  /// The bytes end before a part that the packet says it has: `needed` bytes from the start, `available` are there.
  case truncated(needed: Int, available: Int)
  /// The version is not 2; it carries the two bits that were found.
  case wrongVersion(UInt8)
  /// The padding bit is set, but the padding count is zero, overlaps the header or isn't a multiple of 4 in RTCP.
  ///
  /// It carries the count.
  case badPadding(Int)
  /// The padding bit is set in an RTCP packet other than the last of its compound, which starts at `offset`.
  case misplacedPadding(offset: Int)
  /// A length field at `offset`, or the part that it measures, runs over the end of what it lies in.
  case badLength(offset: Int)
  /// The packet is of another type than the one asked for, or of one that may not stand first in a compound.
  ///
  /// It carries the RTCP packet type that was found.
  case wrongType(UInt8)
}
