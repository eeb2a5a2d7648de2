import Glibc

/// Where files go that nobody needs afterwards.
public enum TemporaryPlace {
  /// The folder that TMPDIR names, or /tmp where it names none.
  public static var path: String {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    return folder.isEmpty ? "/tmp" : folder
  }
}
