/// What went wrong while a verb ran: one sentence, and the exit status, which is 1 unless it is about the command line.
struct CommandError: Error {
  let message: String
  let status: Int32

  init(_ message: String, status: Int32 = 1) {
    self.message = message
    self.status = status
  }

  /// What was asked for contradicts what the files turn out to be: wrong usage, which only a look at them could tell.
  static func usage(_ message: String) -> CommandError { CommandError(message, status: 2) }
}
