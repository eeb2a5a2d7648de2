import Foundation
import Reporting
import Statistics
import Testing

struct ReportJSONTests {
  /// The keys of a JSON text in the order in which they stand, with the path of objects before each.
  private func keys(_ value: Any, _ path: String = "") -> Set<String> {
    if let object = value as? [String: Any] {
      return object.reduce(into: []) { result, member in
        result.insert(path + member.key)
        result.formUnion(keys(member.value, path + member.key + "."))
      }
    }
    return (value as? [Any])?.reduce(into: []) { $0.formUnion(keys($1, path)) } ?? []
  }

  private func parsed(_ report: Report) throws -> [String: Any] {
    let plain = try JSONSerialization.jsonObject(with: Data(report.json().utf8))
    let pretty = try JSONSerialization.jsonObject(with: Data(report.json(pretty: true).utf8))
    #expect(plain as? NSDictionary == pretty as? NSDictionary)
    return try #require(plain as? [String: Any])
  }

  @Test func `a receiver's report has every key of the design`() throws {
    let report = try parsed(SampleReport.receiving())
    let design = """
      tool version verb link streams streams.ssrc streams.source streams.encoding streams.payload_type streams.cname
      streams.packets streams.packets.expected streams.packets.received streams.packets.unique streams.packets.lost
      streams.packets.duplicates streams.packets.reordered streams.packets.late streams.packets.recovered
      streams.packets.played streams.packets.concealed streams.packets.discarded streams.loss_ratio streams.bursts
      streams.bursts.count streams.bursts.mean streams.bursts.max streams.gilbert streams.gilbert.p streams.gilbert.r
      streams.jitter_ms streams.jitter_ms.last streams.jitter_ms.mean streams.jitter_ms.max streams.delay_variation_ms
      streams.delay_variation_ms.p50 streams.delay_variation_ms.p95 streams.delay_variation_ms.p99
      streams.delay_variation_ms.max streams.buffer_ms streams.buffer_ms.target streams.buffer_ms.mean
      streams.buffer_ms.min streams.buffer_ms.max streams.round_trip_ms streams.round_trip_ms.min
      streams.round_trip_ms.mean streams.round_trip_ms.max streams.media streams.media.duration_ms
      streams.media.concealed_ms streams.media.stretched_ms streams.quality streams.quality.r_factor streams.quality.mos
      """
    let missing = Set(design.split { $0 == " " || $0 == "\n" }.map(String.init)).subtracting(keys(report))
    #expect(missing.isEmpty)
  }

  @Test func `the stream's JSON is exactly this`() throws {
    let json = SampleReport.receiving().json()
    let start = try #require(json.range(of: "\"streams\":"))
    #expect(
      json[start.lowerBound...] == """
        "streams":[{"ssrc":"0x001a2b3c","source":"127.0.0.1:40000","encoding":"opus/48000/2",\
        "encoding_source":"sdp","payload_type":111,"cname":"speaker@\\u001b[2Jhost",\
        "ended":"the sender said goodbye","restarts":0,"bytes":16684,"first_arrival_unix_ms":1700000000123.457,\
        "last_arrival_unix_ms":1700000002123.457,"packets":{"expected":100,"received":97,"unique":96,"lost":4,\
        "duplicates":1,"reordered":1,"late":2,"recovered":1,"played":93,"concealed":6,"discarded":1,\
        "still_buffered":0,"too_old":0,"rfc3550_lost":3,"sent":101,"sent_at_least":101,"lost_at_ends":1,\
        "lost_before_first":null,"lost_after_last":null,"before_listening":0},\
        "tail":"known by the sender's final count","loss":{"total":101,"is_complete":true,"played":93,"network":3,\
        "dropped_by_socket":2,"too_late":2,"discarded":1,"still_buffered":0,"at_ends":1,"never_sent":0},\
        "discarded_reasons":{"invalid_payload":1},"sender":{"packets":101,"bytes":16160},"loss_ratio":0.04,\
        "bursts":{"count":2,"mean":2,"max":3,"histogram":[1,0,1,0,0,0,0,0,0,0]},"gilbert":{"p":0.021053,"r":0.5,\
        "p_bounds":[0.005792,0.073543],"r_bounds":[0.150036,0.849964],"verdict":"not enough data"},\
        "gilbert_elliott":{"verdict":"not enough data","losses":4,"p":null,"p_error":null,"r":null,"r_error":null,\
        "k":null,"k_error":null,"h":null,"h_error":null},"loss_distance":{"count":3,"mean":7.333,"max":20,\
        "histogram":[2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"noticeable":{"delta":16,"rate":0.5}},\
        "burst_gap":{"minimum_gap":16,"burst_count":1,"burst_packets":3,"burst_missing":3,"burst_density":1,\
        "burst_mean_ms":60,"gap_count":2,"gap_packets":97,"gap_missing":1,"gap_density":0.010309,"gap_mean_ms":970},\
        "reordering":{"max_extent":1,"max_late_ms":1,"ratio":0.010417,"mean_extent":1,"mean_late_ms":1,\
        "n_reordering":[1,0,0,0,0,0,0,0,0,0],"max_n":1},"jitter_ms":{"last":1.494,"mean":1.506,"max":3.709},\
        "delay_variation_ms":{"p50":1.05,"p95":2.05,"p99":23,"p999":23,"max":23,"drift_part":null},\
        "delay_histogram":{"upper_ms":[0.1,0.15,0.2,0.3,0.5,0.7,1,1.5,2,3,5,7,10,15,20,30,50,70,100,150,200,300,500,\
        700,1000,1500,2000,3000,5000,7000,10000],"counts":[31,0,0,0,0,0,0,32,0,32,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,\
        0,0,0,0,0]},"ipdv_ms":{"pairs":93,"mean_magnitude":1.774,"min":-21,"p1":-21,"p5":-2,"p50":1,"p95":1,\
        "p99":21.76,"p999":21.76,"max":22},"delay":{"kind":"one_way","basis":"round trip","obstacle":null,\
        "error_ms":15,"clock_offset_ms":5,"min_ms":15,"p50_ms":16.05,"p99_ms":38,"max_ms":38},"drift_ppm":null,\
        "drift_ppm_bounds":null,"buffer_ms":{"target":60,"mean":40,"min":20,"max":60,"policy":"fixed",\
        "late_budget":null,"target_min":null,"target_max":null,"target_mean":60,"delay_mean":50,"underruns":0,\
        "stalls":0,"recoveries":0,"recovering_ms":0,"drift_correction_ppm":0,"drift_lift_ppm":0,"jitterBufferDelay":4464,\
        "jitterBufferTargetDelay":5356.8,"jitterBufferMinimumDelay":null,"jitterBufferEmittedCount":89280},\
        "round_trip_ms":{"min":1.007,\
        "mean":1.007,"max":1.007},"lip_sync":null,"media":{"kind":"audio","duration_ms":2000,"played_ms":1860,"concealed_ms":120,"recovered_ms":20,\
        "silence_ms":0,"stretched_ms":0,"stretches":0,"inserted_ms":0,"removed_ms":0,"inserted_ms_per_s":0,\
        "removed_ms_per_s":0,"stalled_ms":0,"totalSamplesReceived":96000,"concealedSamples":5760,\
        "silentConcealedSamples":960,"concealmentEvents":3,"insertedSamplesForDeceleration":0,\
        "removedSamplesForAcceleration":0,"packetsDiscarded":2,"listener":"assumed","resampled_samples":0,\
        "samples_after_end":0},"lateness_curve":[{"delay_ms":20,"late":0.02},{"delay_ms":60,"late":0}],\
        "quality_withheld":null,"quality":{"r_factor":32.6,"mos":1.31,"scale":"fullband",\
        "source":"ITU-T G.107.2 with rtpengine's figures for Opus (Ie 10.2, Bpl 4.3; ITU-T has none)"}}]}
        """)
  }

  @Test func `the counts add up as the format promises`() throws {
    let stream = SampleReport.stream()
    let (counts, playout) = (stream.reception, stream.playout)
    #expect(counts.expected == counts.unique + counts.lost)
    #expect(counts.received == counts.unique + counts.duplicates)
    #expect(counts.unique == playout.played + playout.late + playout.discarded.total + playout.stillBuffered)
    #expect(counts.expected == playout.played + playout.recovered + playout.concealed)
  }

  @Test func `a sender's report`() {
    #expect(
      SampleReport.sending().json() == """
        {"tool":"jitterbug","version":"0.1.0","verb":"send","link":null,"duration_ms":30000,"ended":null,\
        "link_record":null,"datagrams":null,"sending":{"destinations":["rtp://127.0.0.1:5004"],"ssrc":"0xdeadbeef",\
        "encoding":"opus/48000/2","payload_type":111,"packets":1500,"bytes":258000,"rtcp_packets":1,\
        "media_ms":30000,"pacing_error_ms":{"mean":0.05,"p99":0.095,"max":0.099,"last":0.099},"sent_late":5,\
        "never_sent":2,"stalls":{"count":1,"total_ms":350},"socket_errors":{"ECONNREFUSED":2},\
        "far_ends":[{"ssrc":"0x00000007","reports":1,"cumulative_lost":-3,"last_fraction_lost":0.125,\
        "jitter_ms":{"min":1.25,"mean":1.25,"max":1.25},"round_trip_ms":null,"cname":null,"final":false,\
        "left_early":false,"missing_tail":null,"xr":null},{"ssrc":"0x00000008","reports":2,"cumulative_lost":1,"last_fraction_lost":0,\
        "jitter_ms":null,"round_trip_ms":null,"cname":"ear@host","final":true,"left_early":false,"missing_tail":4,\
        "xr":{"sent":1500,\
        "covered":1496,"received":1493,"lost":3,"lost_at_end":0,"loss_ratio":0.002005,"duplicated":2,"duplicates":2,\
        "thinning":0,"bursts":{"count":1,"mean":3,"max":3,"histogram":[0,0,1,0,0,0,0,0,0,0]},"receipt_times":0,\
        "delay_variation_ms":null,"interval_jitter_ms":{"min":0,"mean":1.5,"max":4,"deviation":1},\
        "voip":{"loss_rate":0,"discard_rate":0.0625,"burst_density":0,"burst_ms":0,"gap_density":0,"gap_ms":0,\
        "buffer_ms":60,"r_factor":null,"mos_lq":null}}}],"media":{"kind":"audio"}},"streams":[]}
        """)
  }

  @Test func `an empty stream has nulls where nothing is known`() throws {
    var report = Report(version: "0.1.0", verb: "receive")
    let nothing = ReceptionStatistics(clockRate: 8000).summary()
    report.streams = [
      StreamReport(ssrc: 1, source: "unix:", payloadType: 0, reception: nothing, playout: PlayoutStatistics())
    ]
    let stream = try #require((try parsed(report)["streams"] as? [[String: Any]])?.first)
    for key in ["cname", "encoding", "delay_variation_ms", "round_trip_ms", "quality", "sender"] {
      #expect(stream[key] is NSNull, "\(key)")
    }
    #expect((stream["gilbert"] as? [String: Any])?["p"] is NSNull)
  }
}
