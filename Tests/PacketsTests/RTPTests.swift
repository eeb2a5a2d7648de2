import Packets
import Testing
import Timeline

@Test func `placeholder header size`() { #expect(RTPHeader.size == 12) }
