import Glibc
public import Packets

/// A file or pipe that was named for reading, opened, and looked at so far as to tell what it is.
///
/// Open it, ask for its ``format``, and turn it into the reader that fits:
///
///     let input = try MediaInput(path: name)
///     switch input.format {
///     case .oggOpus: var reader = try input.oggOpusReader()
///     case .wave, .other: var source = try input.audioSource()
///     case .h264, .ivf, .transportStream: var source = try input.videoSource()
///     }
public struct MediaInput: ~Copyable {
  /// What the first bytes look like.
  public enum Format: Hashable, Sendable {
    /// Ogg with an Opus stream: its packets can be sent as they are.
    case oggOpus
    /// RIFF WAVE.
    case wave
    /// H.264 with start codes (annex B).
    case h264
    /// IVF, which holds VP8 or something like it.
    case ivf
    /// An MPEG transport stream.
    case transportStream
    /// Something else: libsndfile is to say.
    case other

    /// The video that it is; nil for audio and what isn't known.
    public var video: VideoEncoding? {
      switch self {
      case .h264: .h264
      case .ivf: .vp8
      case .transportStream: .mpegTS
      case .oggOpus, .wave, .other: nil
      }
    }
  }

  /// The name as the person gave it; `-` is standard input.
  public let name: String
  /// What the first bytes look like.
  public let format: Format
  /// Whether it is a regular file, which can be read again and from anywhere; a pipe can't.
  public let isSeekable: Bool

  private var bytes: InputBytes

  /// An Ogg page header of 27 bytes, 255 lacing values and more than the name of the codec.
  private static let sniffedBytes = 512

  /// Opens a file, or standard input for `-`; throws when it can't be read, is a directory or holds nothing.
  public init(path: String) throws(MediaError) {
    try self.init(InputDescriptor(path: path), name: path)
  }

  /// Looks at what lies open on a descriptor.
  init(_ descriptor: consuming InputDescriptor, name: String) throws(MediaError) {
    var information = stat()
    guard fstat(descriptor.value, &information) == 0 else {
      throw .cannotOpen(path: name, reason: systemReason(errno))
    }
    let kind = information.st_mode & S_IFMT
    if kind == S_IFDIR { throw .isDirectory(path: name) }
    let offset = kind == S_IFREG ? lseek(descriptor.value, 0, SEEK_CUR) : -1
    var bytes = InputBytes(descriptor, name: name, prefix: [])
    _ = try bytes.lookAhead(to: Self.sniffedBytes)
    if bytes.prefix.isEmpty { throw .empty(path: name) }
    self.name = name
    format = Self.format(of: bytes.prefix)
    // A regular file goes back to where it was; of a pipe the bytes read ahead are kept.
    isSeekable = offset >= 0 && lseek(bytes.descriptor.value, offset, SEEK_SET) == offset
    if isSeekable { bytes.dropPrefix(.max) }
    self.bytes = bytes
  }

  /// The reader for ``Format/oggOpus``.
  public consuming func oggOpusReader() throws(MediaError) -> OggOpusReader {
    let name = name
    let (descriptor, prefix) = bytes.release()
    return try OggOpusReader(descriptor: descriptor, name: name, prefix: prefix)
  }

  /// The samples of any other format.
  ///
  /// From a pipe, a WAV of whole samples (16, 24, 32 bit or float) is read as it comes, which may be for ever. What
  /// else comes by a pipe is first written to a file without a name until the pipe ends, for libsndfile needs to seek;
  /// more than `spoolLimit` bytes of it are refused.
  public consuming func audioSource(spoolLimit: Int64 = Self.spoolLimit) throws(MediaError) -> AudioSource {
    let name = name
    if isSeekable { return AudioSource(try SoundFileReader(InputDescriptor(bytes.release().descriptor), name: name)) }
    if format == .wave, let header = try Self.streamableHeader(&bytes) {
      return AudioSource(RawPCMReader(bytes, format: header.format, byteCount: header.dataBytes))
    }
    let file = try MediaInputSpool.copy(&bytes, limit: spoolLimit)
    return AudioSource(try SoundFileReader(file, name: name))
  }

  /// Raw samples in a format that only the person knows; they are read as they come.
  public consuming func rawSource(_ format: RawPCMFormat) -> AudioSource {
    AudioSource(RawPCMReader(bytes, format: format, byteCount: nil))
  }

  /// The pictures of a video, or the packets of a transport stream.
  ///
  /// - Parameters:
  ///   - encoding: What it is, where only the person knows; nil for what it looks like.
  ///   - frameRate: A fraction of two numbers above zero that takes the place of the times that the input tells. A
  ///     transport stream has its clock, and none is taken.
  ///   - packetsPerFrame: The packets of a transport stream that go into one datagram: 1 to 340.
  public consuming func videoSource(
    as encoding: VideoEncoding? = nil, frameRate: (Int, Int)? = nil, packetsPerFrame: Int = 7
  ) throws(MediaError) -> VideoSource {
    let (name, format, isSeekable) = (name, format, isSeekable)
    guard let encoding = encoding ?? format.video else { throw .notVideo(path: name, detail: "") }
    do throws(MediaError) {
      switch encoding {
      case .h264: return VideoSource(try AnnexBReader(bytes, frameRate: frameRate), isLive: !isSeekable)
      case .vp8: return VideoSource(try IVFReader(bytes, frameRate: frameRate), isLive: !isSeekable)
      case .mpegTS:
        return VideoSource(try TransportStreamReader(bytes, packetsPerFrame: packetsPerFrame), isLive: !isSeekable)
      }
    } catch { throw error.atBeginning }
  }

  /// 2 GiB: what is written to a temporary file of a pipe that can't be read as it comes.
  public static let spoolLimit: Int64 = 2 << 30

  // MARK: -

  private static func format(of prefix: [UInt8]) -> Format {
    if OggOpusReader.recognizes(prefix) { return .oggOpus }
    if IVFReader.recognizes(prefix) { return .ivf }
    if TransportPacketReader.recognizes(prefix) { return .transportStream }
    if AnnexBReader.recognizes(prefix) { return .h264 }
    return prefix.count >= 12 && prefix.starts(with: "RIFF".utf8) && prefix[8...].starts(with: "WAVE".utf8)
      ? .wave : .other
  }

  /// Reads up to the first sample of a WAV; nil when its samples need libsndfile, with all that was read in the prefix.
  private static func streamableHeader(_ bytes: inout InputBytes) throws(MediaError) -> WAVStreamHeader? {
    while true {
      switch WAVStreamHeader.parse(bytes.prefix) {
      case .complete(let header):
        if let problem = AudioSource.problem(rate: header.format.rate, channels: header.format.channels) {
          throw .unsupported(path: bytes.name, detail: problem)
        }
        bytes.dropPrefix(header.headerBytes)
        return header
      case .needsMore(let total):
        guard try bytes.lookAhead(to: total) else {
          throw .damaged(path: bytes.name, detail: "it ends inside its WAV header")
        }
      case .otherEncoding: return nil
      case .damaged(let detail): throw .damaged(path: bytes.name, detail: detail)
      }
    }
  }
}
