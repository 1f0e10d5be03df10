/// The tiles over a batch of images, counted row by row, image by image.
@usableFromInline struct WinogradGrid {
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

  /// Runs of neighbours in one row of tiles among the `length` tiles from `first` on: `lane` is the first's place among them.
  @inlinable @inline(__always)
  func forEachRun(
    _ first: Int, _ length: Int,
    _ body: (_ image: Int, _ row: Int, _ column: Int, _ lane: Int, _ count: Int) -> Void
  ) {
    var image = first / (rows &* columns)
    var row = first % (rows &* columns) / columns
    var column = first % columns
    var lane = 0
    while lane < length {
      let run = min(length &- lane, columns &- column)
      body(image, row, column, lane, run)
      lane &+= run
      column = 0
      row &+= 1
      if row == rows {
        row = 0
        image &+= 1
      }
    }
  }
}
