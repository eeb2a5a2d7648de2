// modules: Timeline Packets Statistics Sending
// Reports from anybody about a stream of 40,000 packets: whatever they claim, the tables stay within what was sent.
import Packets
import Sending
import Statistics
import Timeline

/// A session that has sent so much that its numbers have wrapped; made once, copied for each input.
private let template: SendSession = {
  var session = SendSession(
    SendSession.Configuration(
      ssrc: 0xaaaa_aaaa, payloadType: 111, clockRate: 48_000, firstSequence: SequenceNumber(60_000),
      firstTimestamp: RTPTimestamp(9), cname: "fuzz", bandwidth: 64_000, wallClockOffset: 0, seed: 1))
  let payload: [UInt8] = [1]
  var bytes = [UInt8](repeating: 0, count: 100)
  for index in Int64(0)..<40_000 {
    var span = bytes.mutableSpan
    _ = session.packetize(
      payload.span.bytes, timestampOffset: index * 960, marker: false, into: &span,
      deadline: .zero + .milliseconds(index * 20))
  }
  return session
}()

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = UnsafeBufferPointer(start: start, count: count)[...]
  var session = template
  var now = Instant.zero + .seconds(800)
  // A byte of length, and a datagram of four times that.
  while let length = input.first {
    let datagram = Array(input.dropFirst().prefix(Int(length) * 4))
    input = input.dropFirst(1 + datagram.count)
    session.handleRTCP(datagram.span.bytes, at: now)
    now += .milliseconds(500)
    var buffer = [UInt8](repeating: 0, count: 1500)
    var span = buffer.mutableSpan
    if let size = session.pollReport(into: &span, at: now) { precondition(size <= 1200, "a report is too long") }
  }
  precondition(session.farEnds.all.count <= FarEndTable.limit)
  precondition(session.keyFrameRequests.total <= count / 8, "a request takes more bytes than that")
  for farEnd in session.farEnds.all {
    precondition((farEnd.highest ?? 0) < 40_000)
    guard let table = farEnd.extended?.reception.summary() else { continue }
    precondition(table.covered <= 40_000 && table.lost + table.lostAtEnd <= table.covered)
    precondition(table.covered == 0 || table.first >= 0 && table.last < 40_000)
  }
  return 0
}
