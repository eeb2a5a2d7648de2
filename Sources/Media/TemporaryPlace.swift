import Glibc

/// Where files go that nobody needs afterwards.
public enum TemporaryPlace {
  /// Nothing can be made there.
  public struct Failure: Error {
    /// Why, in the system's words.
    public let reason: String
  }

  /// The folder that TMPDIR names, or /tmp where it names none.
  public static var path: String {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    return folder.isEmpty ? "/tmp" : folder
  }

  /// Makes an empty folder for one process, and returns its path; `use` is part of its name.
  public static func makeFolder(for use: String) throws(Failure) -> String {
    try make("jitterbug-\(use)") { mkdtemp($0) == nil ? nil : 0 }.path
  }

  /// Makes an empty file that nobody else can open, and returns its descriptor: it goes when that is closed.
  static func makeFile() throws(Failure) -> CInt {
    let (descriptor, path) = try make("jitterbug") { name in
      let descriptor = mkstemp(name)
      return descriptor < 0 ? nil : descriptor
    }
    _ = unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  /// Lets `body` make something with a name that nothing has.
  private static func make(
    _ name: String, _ body: (UnsafeMutablePointer<CChar>) -> CInt?
  ) throws(Failure) -> (result: CInt, path: String) {
    var template = Array("\(path)/\(name)-XXXXXX".utf8CString)
    let result = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(body) }
    guard let result else { throw Failure(reason: systemReason(errno)) }
    return (result, String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
}
