/// Which pictures of a transport stream can be decoded: all from a key picture up to the next damaged one.
///
/// Those are left out that are sent after the key picture and shown before it: they refer to what lies before it.
public struct TransportReferences: Sendable {
  /// Steps of the timestamps by more than this aren't those of pictures in another order: 10 s.
  private static let leap: Int64 = 900_000

  /// Whether pictures are missing that those to come refer to.
  public private(set) var isBroken = true
  /// When the key picture is shown with which decoding began after a break, while some may follow that are shown earlier.
  private var leadingBefore: Int64?

  /// Starts before a stream's first picture, or anywhere within it.
  public init() {}

  /// Takes the next picture, in the order of sending; whether it can be decoded.
  public mutating func take(_ picture: TransportStreamMonitor.Frame) -> Bool {
    if picture.isDamaged {
      noteLoss()
    } else if picture.isKey {
      leadingBefore = isBroken && !picture.isClosed ? picture.presentation : nil
      isBroken = false
    } else if let leadingBefore {
      let lead = picture.presentation.map { (leadingBefore &- $0) & 0x1_ffff_ffff } ?? 0
      // Once one came that is shown later none is left that is shown earlier.
      guard lead > 0, lead < Self.leap else {
        self.leadingBefore = nil
        return !isBroken
      }
      return false
    }
    return !isBroken
  }

  /// Something is missing that the pictures to come refer to.
  public mutating func noteLoss() {
    isBroken = true
    leadingBefore = nil
  }
}
