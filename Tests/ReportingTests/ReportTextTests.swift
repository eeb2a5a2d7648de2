import Reporting
import Statistics
import Testing

struct ReportTextTests {
  @Test func `a receiver's report`() {
    #expect(
      SampleReport.receiving().text() == """
        jitterbug receive · 2.1 s · ended: the sender said goodbye
        Link in this process: loss=4%,seed=1

        Datagrams
          arrived     101 datagrams · 97 RTP · 2 RTCP
          invalid     2 malformed
          this host   3 datagrams dropped: its socket buffer was full · 1 of them in no stream's account
          read after  mean 50.0 ms in this host · 99 % within 80.0 ms · worst 80.0 ms; arrivals are the kernel's, so this isn't jitter
          stamps      1 arrival known only as read: a busy host shows as jitter

        Stream 0x001a2b3c from 127.0.0.1:40000
          media       opus/48000/2, payload type 111, known from the SDP · sent by speaker@?[2Jhost
          packets     100 expected · 96 arrived · 4 lost (4 %) · 1 duplicate
          sent        101 by the sender's final count · 1 lost before the first or after the last that arrived
          not played  3 lost on the network · 2 dropped by this host · 2 too late · 1 discarded · of 101 packets
          lost in     2 runs · mean 2.0 · longest 3 packets · 50 % within 16 of the one before · 1 before the first or after the last that arrived
          bursts      1 of 60 ms · 100 % missing in them · 1.03 % in the gaps of 970 ms
          loss model  not enough data for one
          reordered   1 packet (1.04 %) · by up to 1 place · up to 1.00 ms behind · 0 would look lost to TCP
          jitter      mean 1.51 ms · max 3.71 ms · last 1.49 ms
          spread      50 % within 1.05 ms of the fastest · 95 % 2.05 ms · 99 % 23.0 ms · 99.9 % 23.0 ms · all 23.0 ms
          steps       98 % of changes from packet to packet are -21.0 ms to 21.8 ms · mean 1.77 ms
          delay       one way 15.0 ms at least · 50 % 16.1 ms · 99 % 38.0 ms · ±15.0 ms, half the round trip
          playout     93 played · 2 too late · 1 recovered · 6 concealed · 1 discarded (1 invalid payload)
          heard       2.0 s of media · 120 ms concealed (6 %) · 20 ms recovered
          buffer      target 60.0 ms · mean 40.0 ms · 20.0 ms to 60.0 ms
          late with   a fixed buffer of 20 ms: 2 %, 60 ms: 0 %
          round trip  mean 1.01 ms · 1.01 ms to 1.01 ms
          quality     MOS 1.31 · R 32.6 of 148 (fullband)
                      for speech, by ITU-T G.107.2 with rtpengine's figures for Opus (Ie 10.2, Bpl 4.3; ITU-T has none)
          ended       the sender said goodbye

        What the link did, beside what the receiver counted
                                         link   receiver
          offered / expected              101        100
          dropped / lost                    5          4
          duplicated                        1          1
          reordered                         1          1
          runs of losses                    3          2
          longest run                       3          3
          1 packet before the first or after the last one that arrived.

        """)
  }

  @Test func `a sender's report`() {
    #expect(
      SampleReport.sending().text() == """
        jitterbug send · 30.0 s

        Sent as 0xdeadbeef, opus/48000/2, payload type 111
          to          rtp://127.0.0.1:5004
          packets     1,500 packets · 258.0 kB · 30.0 s of media · 1 RTCP packet
          timing      mean 0.05 ms late · 99 % within 0.10 ms · worst 0.10 ms · at the end 0.10 ms
          this host   5 packets late by more than half an interval · 2 never sent: no socket took them
          stalls      1 stall · 350 ms in all
          errors      2 ECONNREFUSED

        Far end 0x00000007, by its reports
          reports     1 report · jitter 1.25 ms at last, max 1.25 ms
          RFC 3550    -3 lost, duplicates taken off · 12.5 % at last

        Far end 0x00000008 (ear@host), by its reports
          reports     2 reports
          RFC 3550    1 lost, duplicates taken off · 0 % at last
          packets     1,496 of 1,500 reported on · 1,493 arrived · 3 lost (0.2 %) · 2 duplicates
          lost in     1 run · mean 3.0 · longest 3 packets
          playout     6.3 % too late or discarded · buffer 60.0 ms
          tail        the last 4 packets sent never arrived

        """)
  }

  @Test func `a receiver that left early is said to have left, and one never heard of is missed`() throws {
    var report = SampleReport.sending()
    report.sending?.farEnds[1].hasLeftEarly = true
    #expect(report.text().contains("  tail        it left before the end · the last 4 packets sent not reported on\n"))
    report.sending?.farEnds = []
    let line = "  far end     no receiver sent a report (RTCP), so what arrived isn't known here\n"
    #expect(report.text().hasSuffix(line))
    report.sending?.destinations = ["unix:/tmp/socket"]
    #expect(!report.text().contains(line))
  }

  @Test func `no stream, one stream, many streams`() {
    var report = Report(version: "0.1.0", verb: "receive")
    report.datagrams = DatagramReport()
    #expect(report.text() == "jitterbug receive · 0 s\nNo stream arrived.\n")
    report.streams = [SampleReport.stream(), SampleReport.stream()]
    #expect(report.text().split(separator: "Stream 0x001a2b3c").count == 3)
  }
}
