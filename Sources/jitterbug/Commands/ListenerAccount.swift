import Reporting
import Statistics

/// What the player of one stream knows, and the buffer that it plays from doesn't.
struct ListenerAccount: Sendable {
  /// Whether audio was made of the packets.
  var listener = PlayoutStatistics.Listener.assumed
  /// Packets that the decoder refused; their time was concealed.
  var undecodable = 0
  /// By how many samples resampling made the audio longer.
  var resampled = 0
  /// Whether what was filled in behind the last packet was heard: a pipe gets it at once, a file doesn't.
  var hearsEnd = false
}

extension StreamReport {
  /// Corrects what the buffer counted by what the player knows.
  mutating func take(_ account: ListenerAccount) {
    // The session takes what it hands out as played; the decoder knows better, and its time was concealed.
    playout.played -= account.undecodable
    playout.concealed += account.undecodable
    playout.discarded[.undecodable] += account.undecodable
    playout.listener = account.listener
    playout.samples?.resample(by: account.resampled)
    if account.hearsEnd { playout.samples?.hearEnd() }
  }
}
