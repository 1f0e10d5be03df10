/// The tiles of images, cut into blocks that are worked on together, each part of one image.
public struct TileBlocks {
  /// Tiles down and across an image.
  @usableFromInline let tileRows: Int
  @usableFromInline let tileColumns: Int
  /// Tiles down and across the largest block.
  @usableFromInline let blockRows: Int
  @usableFromInline let blockColumns: Int

  /// `height` and `width` are those of what tiles of `side` x `side` cover.
  @inlinable @inline(__always)
  init(height: Int, width: Int, side: Int, tilesPerBlock: Int) {
    tileRows = (height &+ side &- 1) / side
    tileColumns = (width &+ side &- 1) / side
    blockColumns = min(tileColumns, tilesPerBlock)
    blockRows = min(tileRows, tilesPerBlock / max(1, blockColumns))
  }

  /// Blocks down and across an image.
  @inlinable @inline(__always) var down: Int { (tileRows &+ blockRows &- 1) / blockRows }
  @inlinable @inline(__always) var across: Int { (tileColumns &+ blockColumns &- 1) / blockColumns }
  /// Blocks of an image.
  @inlinable @inline(__always) var count: Int { down &* across }
  /// Tiles of the largest block.
  @inlinable @inline(__always) var largest: Int { blockRows &* blockColumns }

  /// The tiles of one block.
  public struct Block {
    @usableFromInline let image: Int
    /// The first tile's place in the image.
    @usableFromInline let row: Int
    @usableFromInline let column: Int
    @usableFromInline let rows: Int
    @usableFromInline let columns: Int

    @inlinable @inline(__always)
    init(image: Int, row: Int, column: Int, rows: Int, columns: Int) {
      self.image = image
      self.row = row
      self.column = column
      self.rows = rows
      self.columns = columns
    }

    @inlinable @inline(__always) var count: Int { rows &* columns }
  }

  /// Blocks are counted row by row, image by image. Rows of tiles are shared out evenly.
  @inlinable @inline(__always)
  func block(_ index: Int) -> Block {
    let (line, column) = (index / across % down, index % across &* blockColumns)
    let row = line &* tileRows / down
    return Block(
      image: index / count, row: row, column: column, rows: (line &+ 1) &* tileRows / down &- row,
      columns: min(blockColumns, tileColumns &- column))
  }
}
