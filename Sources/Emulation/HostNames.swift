internal import CLinux
import Glibc
internal import Sockets

/// Names that lead to addresses for the commands in a world, and for nobody else.
public enum HostNames {
  /// Puts the names before what /etc/hosts says, for this process and its children; the file itself stays as it is.
  public static func install(_ names: [(name: String, addresses: SideAddresses)]) throws(EmulationError) {
    let text = text(names, before: Isolation.read("/etc/hosts", limit: 1 << 20) ?? [])
    var code: CInt = 0
    for place in ["/tmp", "/run", "/mnt", "/var"] {
      code = -clinux_cover_file("/etc/hosts", place, text, UInt64(text.count))
      if code == 0 { return }
    }
    throw EmulationError("putting names into a private /etc/hosts", code: code)
  }

  /// The file: a line for each address, then the old text.
  ///
  /// A name leads to the IPv4 address alone and with a 6 behind it to the other: resolvers put IPv6 first, and datagrams
  /// to a program that waits for IPv4 would vanish without a word.
  static func text(_ names: [(name: String, addresses: SideAddresses)], before old: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for (name, addresses) in names { text += "\(addresses.v4)\t\(name)\n\(addresses.v6)\t\(name)6\n".utf8 }
    return text + old
  }
}
