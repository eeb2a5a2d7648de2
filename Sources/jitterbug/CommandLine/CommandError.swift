/// What went wrong while a verb ran: one sentence, and the exit status is 1.
struct CommandError: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
