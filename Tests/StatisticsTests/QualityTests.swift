import Foundation
import Testing
import Timeline

@testable import Statistics

struct QualityTests {
  private func inputs(_ encoding: String = "opus", missing: Int = 0, burst: Double = 1, buffer: Int64 = 40)
    -> Quality.Inputs
  {
    Quality.Inputs(
      encoding: encoding, expected: 1000, missing: missing, meanBurst: burst, packetization: .milliseconds(20),
      bufferDelay: .milliseconds(buffer), roundTrip: nil)
  }

  @Test func `a clean stream has only the codec's impairment`() throws {
    let estimate = try Quality.estimate(inputs()).get()
    #expect(estimate.scale == .fullband && estimate.source.contains("rtpengine"))
    #expect((estimate.rating - 137.8).magnitude < 1e-9)
    let scaled = 137.8 / 1.48
    let score = 1 + 0.035 * scaled + 7e-6 * scaled * (scaled - 60) * (100 - scaled)
    #expect((estimate.meanOpinionScore - score).magnitude < 1e-9)
  }

  @Test func `5 % of single losses by hand`() throws {
    let estimate = try Quality.estimate(inputs(missing: 50)).get()
    // Ie,eff = 10.2 + 121.8 * 5 / (5 / 1 + 4.3)
    #expect((estimate.rating - (148 - 10.2 - 121.8 * 5 / 9.3)).magnitude < 1e-9)
  }

  @Test func `losses in bursts weigh more`() throws {
    let single = try Quality.estimate(inputs(missing: 50)).get()
    let bursts = try Quality.estimate(inputs(missing: 50, burst: 4)).get()
    #expect((bursts.rating - (148 - 10.2 - 121.8 * 5 / (5 / 3.8 + 4.3))).magnitude < 1e-9)
    #expect(bursts.meanOpinionScore < single.meanOpinionScore)
  }

  @Test func `nothing is made up for other encodings or for nothing due`() {
    #expect(Quality.estimate(inputs("L16")) == .failure(.unknownEncoding("L16")))
    #expect(Quality.estimate(inputs("AMR-WB")) == .failure(.unknownEncoding("AMR-WB")))
    var nothing = inputs()
    nothing.expected = 0
    #expect(Quality.estimate(nothing) == .failure(.nothingDue))
    #expect(throws: Never.self) { try Quality.estimate(inputs("OPUS")).get() }
    #expect(Quality.estimate(inputs("G722", missing: 1)) == .failure(.unknownUnderLoss("G722")))
  }

  @Test func `each encoding is rated on the scale that its figures belong to`() throws {
    let clean = try Quality.estimate(inputs("PCMU")).get()
    #expect(clean.scale == .narrowband && clean.rating == 93.2 && clean.source.contains("25.1"))
    // The score of G.107's default connection.
    #expect((clean.meanOpinionScore - 4.41).magnitude < 0.005)
    let lossy = try Quality.estimate(inputs("pcma", missing: 50)).get()
    #expect((lossy.rating - (93.2 - 95 * 5 / (5 + 25.1))).magnitude < 1e-9)
    let coded = try Quality.estimate(inputs("G729", missing: 20)).get()
    #expect((coded.rating - (93.2 - 11 - 84 * 2 / (2 + 19.0))).magnitude < 1e-9)
    let wide = try Quality.estimate(inputs("G722")).get()
    #expect(wide.scale == .wideband && wide.rating == 116)
    let score = 1 + 0.035 * 116 / 1.29 + 7e-6 * (116 / 1.29) * (116 / 1.29 - 60) * (100 - 116 / 1.29)
    #expect((wide.meanOpinionScore - score).magnitude < 1e-9)
  }

  @Test func `the score stays within 1 and 4.5`() throws {
    let lost = try Quality.estimate(inputs(missing: 1000, burst: 1000)).get()
    #expect(lost.meanOpinionScore >= 1 && lost.rating >= 0)
    for rating in stride(from: 0.0, through: 110, by: 0.5) {
      let score = Quality.meanOpinionScore(narrowbandRating: rating)
      #expect(score >= 1 && score <= 4.5)
    }
  }

  @Test func `delay costs nothing up to 100 ms and more and more beyond`() {
    #expect(Quality.delayImpairment(milliseconds: 100, on: .fullband) == 0)
    for delay in [101.0, 150, 200, 400, 1000, 5000] {
      let x = log2(delay / 100)
      let formula = 1.48 * 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2)
      #expect((Quality.delayImpairment(milliseconds: delay, on: .fullband) - formula).magnitude < 1e-9)
      #expect((Quality.delayImpairment(milliseconds: delay, on: .narrowband) - formula / 1.48).magnitude < 1e-9)
    }
  }

  @Test func `logarithm and cube root equal the library's`() {
    for value in [1.0, 1.0001, 1.5, 1.9999, 2, 3, 10, 99.5, 1e9, 1e300] {
      #expect((Quality.binaryLogarithm(value) - log2(value)).magnitude < 1e-12)
      #expect((Quality.cubeRoot(value) / cbrt(value) - 1).magnitude < 1e-12)
    }
    #expect((Quality.binaryLogarithm(0.3) - log2(0.3)).magnitude < 1e-12)
  }

  @Test func `half the round trip adds to the delay`() throws {
    var far = inputs(buffer: 100)
    let near = try Quality.estimate(far).get()
    far.roundTrip = .milliseconds(400)
    let estimate = try Quality.estimate(far).get()
    #expect((near.rating - estimate.rating) > 5)
    let impairment = Quality.delayImpairment(milliseconds: 326.5, on: .fullband)
    #expect((148 - 10.2 - impairment - estimate.rating).magnitude < 1e-9)
  }
}
