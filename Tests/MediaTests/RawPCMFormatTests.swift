import Media
import Testing

@Suite struct RawPCMFormatTests {
  @Test func `encoding, rate and channels are read, the last two with defaults`() throws {
    let format = try RawPCMFormat(parsing: "s24le,44100,1")
    #expect(format.encoding == .s24le)
    #expect(format.rate == 44_100)
    #expect(format.channels == 1)
    #expect(format.frameBytes == 3)
    let short = try RawPCMFormat(parsing: "f32le")
    #expect(short.rate == 48_000)
    #expect(short.channels == 2)
    #expect(short.frameBytes == 8)
  }

  @Test(arguments: [
    ("", RawPCMFormatError.unknownEncoding("")),
    ("s16be,48000,2", .unknownEncoding("s16be")),
    ("48000,2", .unknownEncoding("48000")),
    ("s16le,,2", .badRate("")),
    ("s16le,48k,2", .badRate("48k")),
    ("s16le,999", .badRate("999")),
    ("s16le,99999999999999999999,2", .badRate("99999999999999999999")),
    ("s16le,48000,0", .badChannels("0")),
    ("s16le,48000,9", .badChannels("9")),
    ("s16le,48000,stereo", .badChannels("stereo")),
    ("s16le,48000,2,1", .tooManyParts("s16le,48000,2,1")),
  ])
  func `a bad format gets an error that names the part`(text: String, error: RawPCMFormatError) {
    #expect(throws: error) { try RawPCMFormat(parsing: text) }
    #expect(error.description.contains("s16le,48000,2"), "it shows what is right")
  }
}
