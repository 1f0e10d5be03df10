/// The tiles over a batch of images, counted row by row, image by image.
public struct WinogradGrid {
  @usableFromInline let tile: WinogradTile
  /// Tiles down and across an image.
  @usableFromInline let rows: Int
  @usableFromInline let columns: Int
  @usableFromInline let images: Int
  /// Tiles that are worked on together, a multiple of 16.
  @usableFromInline let blockLength: Int

  @inlinable @inline(__always)
  init(_ tile: WinogradTile, outputHeight: Int, outputWidth: Int, images: Int, blockLength: Int) {
    self.tile = tile
    self.blockLength = blockLength
    rows = (outputHeight &+ tile.outputs &- 1) / tile.outputs
    columns = (outputWidth &+ tile.outputs &- 1) / tile.outputs
    self.images = images
  }

  /// Tiles of all images.
  @inlinable @inline(__always) var count: Int { images &* rows &* columns }

  @inlinable @inline(__always) var blocks: Int { (count &+ blockLength &- 1) / blockLength }
  /// Tiles of the largest block, in whole panels.
  @inlinable @inline(__always) var blockColumns: Int { min(blockLength, Panels.count(columns: count) &* 16) }

  /// Where a tile lies, or where the first one past the last would.
  @usableFromInline struct Place {
    @usableFromInline var image: Int
    @usableFromInline var row: Int
    @usableFromInline var column: Int

    @inlinable @inline(__always)
    init(image: Int, row: Int, column: Int) {
      self.image = image
      self.row = row
      self.column = column
    }
  }

  @inlinable @inline(__always)
  func place(_ tile: Int) -> Place {
    let (line, column) = (tile / columns, tile % columns)
    return Place(image: line / rows, row: line % rows, column: column)
  }

  /// Runs of neighbours in one row of tiles among the `length` tiles from `place` on, which becomes where the next one lies: `lane` is
  /// the first's place among them.
  @inlinable @inline(__always)
  func forEachRun(
    _ place: inout Place, _ length: Int, _ body: (_ start: Place, _ lane: Int, _ count: Int) -> Void
  ) {
    var lane = 0
    while lane < length {
      let run = min(length &- lane, columns &- place.column)
      body(place, lane, run)
      lane &+= run
      place.column &+= run
      if place.column < columns { return }
      place.column = 0
      place.row &+= 1
      if place.row == rows {
        place.row = 0
        place.image &+= 1
      }
    }
  }
}
