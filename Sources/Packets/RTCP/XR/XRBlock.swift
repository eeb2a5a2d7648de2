/// A block of an extended report, read by the type that it says it has.
public enum XRBlock: Equatable, Sendable {
  /// Which packets came, which didn't (RFC 3611 section 4.1).
  case lossRLE(XRRunLengthBlock)
  /// Which packets came more than once (section 4.2).
  case duplicateRLE(XRRunLengthBlock)
  /// When packets came (section 4.3).
  case receiptTimes(XRReceiptTimesBlock)
  /// The reporter's clock (section 4.4).
  case referenceTime(XRReferenceTimeBlock)
  /// The answers to others' reference times (section 4.5).
  case delay(XRDelayBlock)
  /// Losses, duplicates and jitter in figures (section 4.6).
  case summary(XRSummaryBlock)
  /// What a call is judged by (section 4.7).
  case voipMetrics(XRVoIPMetricsBlock)
  /// A type that isn't known here, or a length that doesn't suit its type; only its place is known.
  case other(XRBlockHeader)

  /// Reads a block whose header has been checked.
  init(parsing header: XRBlockHeader, in datagram: RawSpan) {
    self = Self.known(header, in: datagram) ?? .other(header)
  }

  private static func known(_ header: XRBlockHeader, in datagram: RawSpan) -> XRBlock? {
    switch header.type {
    case XRBlockHeader.BlockType.lossRLE:
      XRRunLengthBlock(parsing: header, in: datagram).map { .lossRLE($0) }
    case XRBlockHeader.BlockType.duplicateRLE:
      XRRunLengthBlock(parsing: header, in: datagram).map { .duplicateRLE($0) }
    case XRBlockHeader.BlockType.receiptTimes:
      XRReceiptTimesBlock(parsing: header, in: datagram).map { .receiptTimes($0) }
    case XRBlockHeader.BlockType.referenceTime:
      XRReferenceTimeBlock(parsing: header, in: datagram).map { .referenceTime($0) }
    case XRBlockHeader.BlockType.delay:
      XRDelayBlock(parsing: header).map { .delay($0) }
    case XRBlockHeader.BlockType.summary:
      XRSummaryBlock(parsing: header, in: datagram).map { .summary($0) }
    case XRBlockHeader.BlockType.voipMetrics:
      XRVoIPMetricsBlock(parsing: header, in: datagram).map { .voipMetrics($0) }
    default: nil
    }
  }

  /// Writes the block's fields over a copy of it; false when they don't fit.
  func rewrite(from source: RawSpan, into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    switch self {
    case .lossRLE(let block), .duplicateRLE(let block): block.rewrite(into: &bytes, at: offset)
    case .receiptTimes(let block): block.rewrite(from: source, into: &bytes, at: offset)
    case .referenceTime(let block): block.write(into: &bytes, at: offset)
    case .delay(let block): block.rewrite(from: source, into: &bytes, at: offset)
    case .summary(let block): block.write(into: &bytes, at: offset)
    case .voipMetrics(let block): block.write(into: &bytes, at: offset)
    case .other: true
    }
  }
}
