import CPlatform
import NNGraph

// A block of tiles at a time: its tiles transformed, lanes being channels, the products with the transformed weights of 64 filters, and
// their outputs, lanes being filters.

extension ConvolutionArguments {
  /// Filters of one work unit at most: four panels, for which a last row of tiles alone still has enough sums on their way.
  @inlinable static var stridedFilters: Int { WinogradWeightsArguments.stridedFiltersPerBlock }

  @inlinable @inline(__always)
  func stridedGrid(_ tile: WinogradTile) -> StridedGrid { StridedGrid(self, StridedTile(tile)) }
}

/// The blocks of tiles over a batch of images, and the sizes of their parts of scratch.
public struct StridedGrid {
  @usableFromInline let tile: StridedTile
  @usableFromInline let channels: Int
  @usableFromInline let filters: Int
  @usableFromInline let images: Int
  @usableFromInline let blocks: TileBlocks

  @inlinable @inline(__always)
  init(_ arguments: ConvolutionArguments, _ tile: StridedTile) {
    self.tile = tile
    channels = arguments.channels
    filters = arguments.outputChannels
    images = arguments.batch
    blocks = TileBlocks(
      height: arguments.outputHeight, width: arguments.outputWidth, side: tile.outputs,
      tilesPerBlock: arguments.tilesPerBlock)
  }

  @inlinable @inline(__always) var filterBlocks: Int {
    (filters &+ ConvolutionArguments.stridedFilters &- 1) / ConvolutionArguments.stridedFilters
  }
  @inlinable @inline(__always) var units: Int { images &* blocks.count &* filterBlocks }

  /// Pixels down and across the inputs of a block.
  @inlinable @inline(__always) var regionHeight: Int { 2 &* blocks.blockRows &* tile.outputs &+ 1 }
  @inlinable @inline(__always) var regionWidth: Int { 2 &* blocks.blockColumns &* tile.outputs &+ 1 }

  // Elements from one tile to the next, and from the products of one frequency to the next: a line more than the data, so that they do not
  // share the cache's sets.
  @inlinable @inline(__always) var tileStride: Int { tile.products &* channels &+ 16 }
  @inlinable @inline(__always) var productStride: Int {
    blocks.largest &* min(filters, ConvolutionArguments.stridedFilters) &+ 16
  }

  /// Elements of scratch; see ``StridedBlock``.
  @inlinable @inline(__always) var scratch: Int {
    let vectors = regionHeight &* regionWidth &+ tile.products &+ tile.outputs &* tile.outputs
    return vectors &* 16 &+ blocks.largest &* tileStride
      &+ tile.frequencies &* tile.frequencies &* productStride
  }
}

/// A block of tiles, and where its numbers lie in scratch.
public struct StridedBlock {
  @usableFromInline let arguments: ConvolutionArguments
  @usableFromInline let grid: StridedGrid
  @usableFromInline let tiles: TileBlocks.Block
  /// The pixels of sixteen channels, (pixels, 16), zeros around the image.
  @usableFromInline let region: UnsafeMutablePointer<Float>
  /// (2m + 1)² vectors, and m² of outputs.
  @usableFromInline let values: UnsafeMutablePointer<Float>
  @usableFromInline let outputs: UnsafeMutablePointer<Float>
  /// The transformed inputs: (tiles, (2m + 1)², C), in the order of ``StridedTile``.
  @usableFromInline let inputs: UnsafeMutablePointer<Float>
  /// The products: for each frequency (tiles, filters).
  @usableFromInline let products: UnsafeMutablePointer<Float>

  @inline(never) @export(interface)
  public init(
    _ arguments: ConvolutionArguments, _ grid: StridedGrid, _ block: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    self.arguments = arguments
    self.grid = grid
    tiles = grid.blocks.block(block)
    region = scratch
    values = region + grid.regionHeight &* grid.regionWidth &* 16
    outputs = values + grid.tile.products &* 16
    inputs = outputs + grid.tile.outputs &* grid.tile.outputs &* 16
    products = inputs + grid.blocks.largest &* grid.tileStride
  }
}

/// See ``ConvolutionAlgorithm/stridedWinograd(_:)``.
@inlinable @inline(__always)
func stridedConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ tile: WinogradTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, _: I.Type
) {
  guard let weights = arguments.transformedWeights else { return }
  let grid = arguments.stridedGrid(tile)
  /// The block whose tiles lie transformed in scratch.
  var present = -1
  var unit = units.lowerBound
  while unit < units.upperBound {
    let place = unit / grid.filterBlocks
    let block = StridedBlock(arguments, grid, place, scratch)
    if place != present {
      block.transformInputs(I.self)
      present = place
    }
    let filter = unit % grid.filterBlocks &* ConvolutionArguments.stridedFilters
    let filters = min(ConvolutionArguments.stridedFilters, grid.filters &- filter)
    block.multiply(weights + grid.tile.products &* grid.channels &* filter, filters, I.self)
    block.transformOutputs(filter, filters, I.self)
    unit &+= 1
  }
}

extension StridedBlock {
  /// The pixels of sixteen channels from `channel` on.
  @inline(never) @export(interface)
  public func gather(_ channel: Int) {
    let (height, width) = (arguments.height, arguments.width)
    ImageRegion(
      top: 2 &* tiles.row &* grid.tile.outputs &- arguments.window.padTop,
      left: 2 &* tiles.column &* grid.tile.outputs &- arguments.window.padLeft, height: grid.regionHeight,
      width: grid.regionWidth
    ).gather(
      arguments.x + (tiles.image &* grid.channels &+ channel) &* height &* width, height, width, panels: 1,
      into: region)
  }

  /// Lanes are channels.
  @inlinable @inline(__always)
  func transformInputs<I: InstructionSet>(_: I.Type) {
    let (tile, channels, width) = (grid.tile, grid.channels, grid.regionWidth)
    let side = tile.inputs
    nnp_clear(region, grid.regionHeight &* width &* 16)
    var channel = 0
    while channel < channels {
      gather(channel)
      var target = inputs + channel
      var place = 0
      while place < tiles.count {
        let first = (place / tiles.columns &* width &+ place % tiles.columns) &* 2 &* tile.outputs
        let corner = UnsafePointer(region) + first &* 16
        // The rows, then the columns.
        var i = 0
        while i < side {
          tile.transformLine(corner + i &* width &* 16, 16, values + i &* 16, side &* 16, I.self)
          i &+= 1
        }
        i = 0
        while i < side {
          let (j, phase) = (i / 2, i % 2)
          tile.transformLine(
            UnsafePointer(values) + i &* side &* 16, 16,
            target + (tile.place(0, j) &+ phase) &* channels, tile.phases(j) &* channels, I.self)
          i &+= 1
        }
        target += grid.tileStride
        place &+= 1
      }
      channel &+= 16
    }
  }

  /// The products of all frequencies with the weights of `filters` filters.
  @inlinable @inline(__always)
  func multiply<I: InstructionSet>(_ weights: UnsafePointer<Float>, _ filters: Int, _: I.Type) {
    let (tile, channels) = (grid.tile, grid.channels)
    let side = tile.frequencies
    var frequency = 0
    while frequency < side &* side {
      let (i, j) = (frequency % side, frequency / side)
      let k = tile.phases(i) &* tile.phases(j) &* channels
      let first = tile.place(i, j) &* channels
      ProductBlock(
        a: UnsafePointer(inputs) + first, aStride: grid.tileStride, panels: weights + first &* filters,
        panelStride: k &* 16, c: products + frequency &* grid.productStride, cStride: filters,
        columnBias: nil, rowBias: nil, rows: tiles.count, columns: filters, k: k,
        readsPanelsAhead: true
      ).run(I.self)
      frequency &+= 1
    }
  }

  /// Lanes are filters.
  @inlinable @inline(__always)
  func transformOutputs<I: InstructionSet>(_ filter: Int, _ filters: Int, _: I.Type) {
    let tile = grid.tile.tile
    let (n, m) = (tile.inputs, tile.outputs)
    let epilogue = arguments.epilogue
    let (low, high) = (nnp_splat(epilogue.low), nnp_splat(epilogue.high))
    var vector = 0
    while vector < tiles.count &* (filters / 16) {
      let (place, panel) = (vector / (filters / 16), vector % (filters / 16))
      // The columns, then the rows. The first frequency of the tile is missing.
      var source = UnsafePointer(products) + vector &* 16
      var i = 1
      while i < n {
        tile.outputLine(
          source - grid.productStride, grid.productStride, 1..<n, values + i &* 16, n &* 16, I.self)
        source += (m &+ 1) &* grid.productStride
        i &+= 1
      }
      i = 0
      while i < m {
        tile.outputLine(
          UnsafePointer(values) + i &* n &* 16, 16, 1..<n, outputs + i &* m &* 16, 16, I.self)
        i &+= 1
      }
      var shift = nnp_splat(-0.0)
      if let bias = arguments.bias { shift = nnp_load(bias + (filter &+ panel &* 16)) }
      i = 0
      while i < m &* m {
        let output = outputs + i &* 16
        nnp_store(output, clipped(nnp_load(UnsafePointer(output)) + shift, low, high))
        i &+= 1
      }
      if epilogue.isSeparate { epilogue.apply(to: outputs, m &* m &* 16, I.self) }
      scatter(place, filter &+ panel &* 16)
      vector &+= 1
    }
  }

  /// A tile's outputs of sixteen filters from `filter` on to their planes.
  @inline(never) @export(interface)
  public func scatter(_ place: Int, _ filter: Int) {
    let m = grid.tile.outputs
    let (height, width) = (arguments.outputHeight, arguments.outputWidth)
    let (top, left) = (
      (tiles.row &+ place / tiles.columns) &* m, (tiles.column &+ place % tiles.columns) &* m
    )
    let plane = arguments.y + (tiles.image &* grid.filters &+ filter) &* height &* width
    scatterTile(
      outputs, m, min(m, height &- top), min(m, width &- left), plane + (top &* width &+ left), height, width)
  }
}
