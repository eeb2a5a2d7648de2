// modules: Timeline Packets
// Any datagram: the compound is refused, or each packet that parses writes the same bytes again.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeBufferPointer(start: start, count: count)
  let datagram = UnsafeRawBufferPointer(input).bytes
  guard var cursor = try? CompoundCursor(validating: datagram, reducedSize: true) else {
    precondition((try? CompoundCursor(validating: datagram)) == nil, "the strict check lets more through")
    return 0
  }
  var end = 0
  while let part = cursor.next(in: datagram) {
    precondition(part.range.lowerBound == end, "a gap between packets")
    end = part.range.upperBound
    guard let packet = try? RTCPPacket(parsing: part, in: datagram) else { continue }
    readAll(packet, in: datagram)
    var buffer = [UInt8](repeating: 0xee, count: part.range.count)
    var span = buffer.mutableSpan
    precondition(packet.write(from: datagram, into: &span) == part.range.count, "the length changed")
    precondition(buffer.elementsEqual(input[part.range]), "the bytes changed")
  }
  precondition(end == count, "the lengths don't add up")
  return 0
}

/// Reads everything that a packet offers, one more than it has each time.
func readAll(_ packet: RTCPPacket, in datagram: RawSpan) {
  switch packet {
  case .senderReport(let report):
    for index in 0...report.reportCount {
      precondition((report.block(index, in: datagram) == nil) == (index == report.reportCount))
    }
  case .receiverReport(let report):
    for index in 0...report.reportCount {
      precondition((report.block(index, in: datagram) == nil) == (index == report.reportCount))
    }
  case .sourceDescription(let description):
    var items = description.items
    while let item = items.next(in: datagram) { precondition(item.text.upperBound <= datagram.byteCount) }
  case .goodbye(let goodbye):
    for index in 0...goodbye.sourceCount {
      precondition((goodbye.source(index, in: datagram) == nil) == (index == goodbye.sourceCount))
    }
    if let reason = goodbye.reason { precondition(reason.upperBound <= datagram.byteCount) }
  case .application(let packet):
    precondition(packet.data.upperBound <= datagram.byteCount && packet.data.count % 4 == 0)
  case .payloadFeedback(let packet):
    for index in 0...packet.requestCount {
      precondition((packet.request(index, in: datagram) == nil) == (index == packet.requestCount))
    }
    if let request = packet.request(0, in: datagram) {
      precondition(packet.asksForKeyFrame(of: request.ssrc, in: datagram), "a request that asks for nothing")
    }
  case .extendedReport(let report): readAll(report, in: datagram)
  case .other: break
  }
}

/// Reads every block of an extended report to its end.
func readAll(_ report: ExtendedReport, in datagram: RawSpan) {
  var blocks = report.blocks
  while let block = blocks.next(in: datagram) {
    switch block {
    case .lossRLE(let block), .duplicateRLE(let block):
      var runs = block.runs
      var next = 0
      while let run = runs.next(in: datagram) {
        precondition(run.first == next && run.count > 0, "a gap between runs")
        next += run.count
      }
      precondition(next <= block.numbers.count && block.numbers.count <= 65_535, "more bits than numbers")
    case .receiptTimes(let block):
      for index in 0...block.count {
        precondition((block.time(index, in: datagram) == nil) == (index == block.count))
      }
    case .delay(let block):
      for index in 0...block.count {
        precondition((block.answer(index, in: datagram) == nil) == (index == block.count))
      }
    case .summary(let block): _ = block.isValid
    case .referenceTime, .voipMetrics, .other: break
    }
  }
}
