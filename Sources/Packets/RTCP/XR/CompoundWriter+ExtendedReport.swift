/// Writes extended reports (RFC 3611), block after block.
extension CompoundWriter {
  /// Appends an extended report without blocks; those appended next go into it, until another packet begins.
  public mutating func extendedReport(ssrc: UInt32, into bytes: inout MutableSpan<UInt8>) -> Bool {
    guard
      let body = begin(
        type: RTCPHeader.PacketType.extendedReport, count: 0, bodySize: ExtendedReport.fixedSize, in: &bytes)
    else { return false }
    bytes.writeBigEndian(ssrc, at: body)
    openReport = body - RTCPHeader.size
    return true
  }

  /// Appends a Loss RLE or Duplicate RLE block over as many of `numbers` as fit in `capacity` bytes.
  ///
  /// `isOne` gives the bit at a place counted from the range's beginning. Returns how many places are covered, or nil
  /// when nothing fits.
  public mutating func runLengths(
    _ kind: XRRunLengthBlock.Kind, of numbers: XRSequenceRange, capacity: Int = .max,
    into bytes: inout MutableSpan<UInt8>, isOne: (Int) -> Bool
  ) -> Int? {
    guard openReport != nil,
      let block = XRRunLengthEncoder.write(
        kind, of: numbers, capacity: min(capacity, room(in: bytes)), into: &bytes, at: count, isOne: isOne)
    else { return nil }
    append(block.size, in: &bytes)
    return block.covered
  }

  /// Appends a Packet Receipt Times block; there must be a time for each number reported on.
  public mutating func receiptTimes(
    of numbers: XRSequenceRange, times: Span<UInt32>, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    let size = XRBlockHeader.size + XRSequenceRange.size + 4 * times.count
    guard openReport != nil, numbers.count == times.count, numbers.span <= XRSequenceRange.limit,
      room(in: bytes) >= size
    else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.receiptTimes, specific: UInt8(numbers.thinning & 0x0f), length: size,
      into: &bytes, at: count)
    numbers.write(into: &bytes, at: count + XRBlockHeader.size)
    for index in 0..<times.count {
      bytes.writeBigEndian(times[index], at: count + XRBlockHeader.size + XRSequenceRange.size + 4 * index)
    }
    append(size, in: &bytes)
    return true
  }

  /// Appends a Receiver Reference Time block.
  public mutating func referenceTime(_ block: XRReferenceTimeBlock, into bytes: inout MutableSpan<UInt8>) -> Bool {
    guard openReport != nil, room(in: bytes) >= XRReferenceTimeBlock.size, block.write(into: &bytes, at: count)
    else { return false }
    append(XRReferenceTimeBlock.size, in: &bytes)
    return true
  }

  /// Appends a DLRR block with at least one answer.
  public mutating func delays(
    _ answers: Span<XRDelayBlock.Answer>, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    let size = XRBlockHeader.size + answers.count * XRDelayBlock.Answer.size
    guard openReport != nil, answers.count > 0, answers.count <= 5461, room(in: bytes) >= size else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.delay, specific: 0, length: size, into: &bytes, at: count)
    for index in 0..<answers.count {
      answers[index].write(into: &bytes, at: count + XRBlockHeader.size + index * XRDelayBlock.Answer.size)
    }
    append(size, in: &bytes)
    return true
  }

  /// Appends a Statistics Summary block.
  public mutating func summary(_ block: XRSummaryBlock, into bytes: inout MutableSpan<UInt8>) -> Bool {
    guard openReport != nil, room(in: bytes) >= XRSummaryBlock.size, block.write(into: &bytes, at: count)
    else { return false }
    append(XRSummaryBlock.size, in: &bytes)
    return true
  }

  /// Appends a VoIP Metrics block.
  public mutating func voipMetrics(_ block: XRVoIPMetricsBlock, into bytes: inout MutableSpan<UInt8>) -> Bool {
    guard openReport != nil, room(in: bytes) >= XRVoIPMetricsBlock.size, block.write(into: &bytes, at: count)
    else { return false }
    append(XRVoIPMetricsBlock.size, in: &bytes)
    return true
  }

  /// Counts a block that was written behind the others, and makes the report longer by it.
  private mutating func append(_ size: Int, in bytes: inout MutableSpan<UInt8>) {
    guard let start = openReport else { return }
    count += size
    RTCPHeader(
      type: RTCPHeader.PacketType.extendedReport, count: 0, hasPadding: false, length: count - start
    ).write(into: &bytes, at: start)
  }
}
