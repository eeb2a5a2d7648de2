/// What became of a stream's frames in the order in which they are shown, in at most 2048 cells.
public struct PictureHistory: Equatable, Sendable {
  /// The fates of the frames of a cell.
  public struct Cell: Equatable, Sendable {
    /// Frames that could be shown.
    public var shown = 0
    /// Whole ones of which something that they refer to is missing.
    public var undecodable = 0
    /// Those of which a part never came.
    public var damaged = 0
    /// Those that weren't whole when they were due, and came after.
    public var late = 0
    /// Those of which nothing was there, and something never came.
    public var lost = 0

    /// No frames yet.
    public init() {}

    /// All frames of the cell.
    public var count: Int { shown + undecodable + damaged + late + lost }

    static func + (left: Self, right: Self) -> Self {
      var sum = left
      sum.shown += right.shown
      sum.undecodable += right.undecodable
      sum.damaged += right.damaged
      sum.late += right.late
      sum.lost += right.lost
      return sum
    }
  }

  /// The most cells; beyond, each holds twice as many frames.
  public static let cellLimit = 2048

  /// The cells; all but the last hold `framesPerCell` frames.
  public private(set) var cells: [Cell] = []
  /// How many frames a cell stands for.
  public private(set) var framesPerCell = 1

  /// No frames yet.
  public init() {}

  /// What became of a frame.
  public enum Fate: Sendable {
    /// It could be shown.
    case shown
    /// It was whole, but something that it refers to is missing.
    case undecodable
    /// A part of it never came.
    case damaged
    /// It wasn't whole when it was due, and came after.
    case late
    /// Nothing of it was there, and something never came.
    case lost
  }

  /// Takes in the next frame.
  public mutating func add(_ fate: Fate) {
    if cells.last.map({ $0.count >= framesPerCell }) ?? true {
      if cells.count == Self.cellLimit { coarsen() }
      if cells.last.map({ $0.count >= framesPerCell }) ?? true { cells.append(Cell()) }
    }
    let place = cells.count - 1
    switch fate {
    case .shown: cells[place].shown += 1
    case .undecodable: cells[place].undecodable += 1
    case .damaged: cells[place].damaged += 1
    case .late: cells[place].late += 1
    case .lost: cells[place].lost += 1
    }
  }

  private mutating func coarsen() {
    cells = stride(from: 0, to: cells.count, by: 2).map { cells[$0] + cells[$0 + 1] }
    framesPerCell *= 2
  }
}
