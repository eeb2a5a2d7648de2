import CPcap
import Glibc

/// A file of captured packets: by libpcap, or a recording by rtpdump.
public enum CaptureFile: ~Copyable {
  /// A pcap or pcapng file.
  case frames(CaptureSource)
  /// A recording by rtpdump.
  case recording(RTPRecording)

  /// Opens a file, or standard input for `-`, and tells by its first bytes what it is.
  public static func open(_ path: String) throws(CaptureError) -> CaptureFile {
    let name = path == "-" ? "standard input" : path
    var information = stat()
    if path != "-", stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
      throw .cannotOpen(path: path, reason: "it is a directory")
    }
    guard let file = path == "-" ? fdopen(STDIN_FILENO, "rb") : fopen(path, "rbe") else {
      throw .cannotOpen(path: name, reason: String(cString: strerror(errno)))
    }
    setvbuf(file, nil, _IOFBF, 1 << 20)
    let first = getc(file)
    guard first != EOF else {
      let reason = ferror(file) != 0 ? String(cString: strerror(errno)) : "it is empty"
      fclose(file)
      throw .cannotOpen(path: name, reason: reason)
    }
    ungetc(first, file)
    switch UInt8(truncatingIfNeeded: first) {
    case UInt8(ascii: "#"): return .recording(try RTPRecording(file, path: name))
    // gzip, zstd, xz, bzip2: none of a capture's magic numbers begins so.
    case 0x1f, 0x28, 0xfd, 0x42:
      fclose(file)
      throw .compressed(path: name)
    default: return .frames(try CaptureSource(pcap: file, path: name))
    }
  }
}
