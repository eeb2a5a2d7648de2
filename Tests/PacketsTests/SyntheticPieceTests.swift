import Packets
import Testing

/// What packets of synthetic video say of themselves.
struct SyntheticPieceTests {
  private func payload(_ piece: SyntheticPiece, size: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xaa, count: size)
    var span = bytes.mutableSpan
    piece.write(into: &span)
    return bytes
  }

  @Test func `each piece is read as it was written, where there is room for it`() {
    for piece in SyntheticPiece.allCases {
      for size in 0..<40 {
        let bytes = payload(piece, size: size)
        #expect(bytes.count == size)
        let read = SyntheticPiece(parsing: bytes.span.bytes)
        let expected: SyntheticPiece? = size < SyntheticPiece.size ? nil : piece
        #expect(read == expected)
        #expect(bytes.dropFirst(SyntheticPiece.size).allSatisfy { $0 == 0xaa })
      }
    }
  }

  @Test func `no other bytes are taken for the piece, and none for Opus`() {
    for piece in SyntheticPiece.allCases {
      let bytes = payload(piece, size: 100)
      let opus = OpusPacket.duration(of: bytes.span.bytes)
      #expect(opus == nil)
      for bit in 0..<64 {
        var changed = bytes
        changed[bit / 8] ^= 1 << (bit % 8)
        let read = SyntheticPiece(parsing: changed.span.bytes)
        #expect(read != piece)
        if bit < 56 { #expect(read == nil) }
      }
    }
  }
}
