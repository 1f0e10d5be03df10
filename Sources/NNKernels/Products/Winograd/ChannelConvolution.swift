import CPlatform
import NNGraph

// A block of tiles at a time: its tiles transformed, lanes being channels, the products with the transformed weights of some filters, and
// their outputs, lanes being filters.

extension ConvolutionArguments {
  @inlinable @inline(__always)
  func channelGrid(_ tile: ChannelTile) -> ChannelGrid { ChannelGrid(self, tile) }
}

/// The blocks of tiles over a batch of images, and the sizes of their parts of scratch.
public struct ChannelGrid {
  @usableFromInline let tile: ChannelTile
  @usableFromInline let channels: Int
  @usableFromInline let filters: Int
  /// Filters of a unit: four panels, for which a last row of tiles alone still has enough sums on their way, or fewer. Never of two blocks
  /// of weights.
  @usableFromInline let filtersPerUnit: Int
  @usableFromInline let images: Int
  /// More than one where an image has few tiles, so that more of them share the weights.
  @usableFromInline let imagesPerBlock: Int
  @usableFromInline let blocks: TileBlocks
  /// Whether the weights are panels of filters, which units transform on their way: where they become so much larger, and serve so few tiles,
  /// that reading transformed ones would take longer.
  let transformsWeights: Bool

  @inline(never) @export(interface)
  public init(_ arguments: ConvolutionArguments, _ tile: ChannelTile) {
    self.tile = tile
    channels = arguments.channels
    filters = arguments.outputChannels
    filtersPerUnit = min(arguments.filtersPerUnit, WinogradWeightsArguments.channelFiltersPerBlock)
    images = arguments.batch
    blocks = TileBlocks(
      height: arguments.outputHeight, width: arguments.outputWidth, side: tile.outputs,
      tilesPerBlock: arguments.tilesPerBlock)
    imagesPerBlock = blocks.count == 1 ? max(1, min(images, Self.fewTiles / blocks.largest)) : 1
    transformsWeights =
      tile.channelsPerPart > 0 && images <= imagesPerBlock
      && tile.tile.count(arguments.outputHeight, arguments.outputWidth) <= Self.manyTiles
      && channels >= Self.largeWeights / tile.products / filters
  }

  /// Rows of tiles that products go through without stopping.
  @inlinable static var fewTiles: Int { 16 }
  /// Tiles of an image that make up for reading transformed weights.
  static var manyTiles: Int { 36 }
  /// Elements of transformed weights that do not stay in the second-level cache. 2 MiB.
  static var largeWeights: Int { 512 << 10 }

  @inlinable @inline(__always) var filterBlocks: Int { (filters &+ filtersPerUnit &- 1) / filtersPerUnit }
  @inlinable @inline(__always) var units: Int {
    (images &+ imagesPerBlock &- 1) / imagesPerBlock &* blocks.count &* filterBlocks
  }
  /// Tiles of the largest block.
  @inlinable @inline(__always) var largest: Int { blocks.largest &* imagesPerBlock }

  /// Pixels down and across the inputs of a block.
  @inlinable @inline(__always) var regionHeight: Int {
    tile.stride &* resultHeight &+ 3 &- tile.stride
  }
  @inlinable @inline(__always) var regionWidth: Int { tile.stride &* resultWidth &+ 3 &- tile.stride }
  /// Pixels down and across the outputs of a block.
  @inlinable @inline(__always) var resultHeight: Int { blocks.blockRows &* tile.outputs }
  @inlinable @inline(__always) var resultWidth: Int { blocks.blockColumns &* tile.outputs }

  /// Whether no square of 2 x 2 outputs lies in two blocks, which begin at any row of tiles.
  @inlinable @inline(__always) var keepsSquares: Bool {
    (blocks.down == 1 || tile.outputs & 1 == 0) && (blocks.across == 1 || resultWidth & 1 == 0)
  }

  // Elements from one tile to the next, and from the products of one frequency to the next: a line more than the data, so that they do not
  // share the cache's sets.
  @inlinable @inline(__always) var tileStride: Int { tile.products &* channels &+ 16 }
  @inlinable @inline(__always) var productStride: Int {
    largest &* min(filters, filtersPerUnit) &+ 16
  }

  /// Elements of scratch; see ``ChannelBlock``.
  public var scratch: Int {
    let vectors = regionHeight &* regionWidth &+ max(tile.products, tile.tile.frequencies)
    return vectors &* 16 &+ largest &* tileStride
      &+ tile.frequencies &* tile.frequencies &* productStride
      &+ (transformsWeights ? tile.products &* (tile.channelsPerPart &* filtersPerUnit &+ 16) : 0)
  }
}

/// A block of tiles, and where its numbers lie in scratch.
public struct ChannelBlock {
  @usableFromInline let arguments: ConvolutionArguments
  @usableFromInline let grid: ChannelGrid
  /// The tiles of its first image.
  @usableFromInline let tiles: TileBlocks.Block
  @usableFromInline let images: Int
  /// The pixels of sixteen channels, (pixels, 16), zeros around the image; then the outputs of sixteen filters.
  @usableFromInline let region: UnsafeMutablePointer<Float>
  /// The vectors of a tile between its two transforms.
  @usableFromInline let values: UnsafeMutablePointer<Float>
  /// The transformed inputs: (tiles, products, C), in the order of ``ChannelTile``.
  @usableFromInline let inputs: UnsafeMutablePointer<Float>
  /// The products: for each frequency (tiles, filters).
  @usableFromInline let products: UnsafeMutablePointer<Float>
  /// The transformed weights of a part of the channels: for each frequency panels of (channels, 16), and a line more.
  let weights: UnsafeMutablePointer<Float>

  init(
    _ arguments: ConvolutionArguments, _ grid: ChannelGrid, _ block: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    self.arguments = arguments
    self.grid = grid
    tiles = grid.blocks.block(block &* grid.imagesPerBlock)
    images = min(grid.imagesPerBlock, grid.images &- tiles.image)
    region = scratch
    values = region + grid.regionHeight &* grid.regionWidth &* 16
    inputs = values + max(grid.tile.products, grid.tile.tile.frequencies) &* 16
    products = inputs + grid.largest &* grid.tileStride
    weights = products + grid.tile.frequencies &* grid.tile.frequencies &* grid.productStride
  }
}

/// See ``ConvolutionAlgorithm/channelWinograd(_:)``.
@inlinable @inline(__always)
func channelConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ tile: ChannelTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, _: I.Type
) {
  channelConvolution(
    arguments, tile, scratch, units, transpose: { I.transpose($0, $1, $2, $3, $4, $5) },
    inputLine: { tile.inputLine($0, $1, $2, $3, I.self) },
    weightSquares: { $0.weightSquares($1, $2, $3, $4, I.self) },
    multiply: { $0.run(I.self) }, outputLine: { tile.outputLine($0, $1, $2, $3, I.self) },
    finish: { $0.finish($1, $2, I.self) })
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface)
public func channelConvolution(
  _ arguments: ConvolutionArguments, _ tile: ChannelTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, transpose: FloatTransposition, inputLine: WinogradLine,
  weightSquares: WinogradWeightSquares, multiply: (ProductBlock) -> Void, outputLine: WinogradLine,
  finish: (_ block: ChannelBlock, _ image: Int, _ filter: Int) -> Void
) {
  guard let weights = arguments.transformedWeights else { return }
  let grid = arguments.channelGrid(tile)
  /// The block whose tiles lie transformed in scratch.
  var present = -1
  var unit = units.lowerBound
  while unit < units.upperBound {
    let place = unit / grid.filterBlocks
    let block = ChannelBlock(arguments, grid, place, scratch)
    if place != present {
      block.transformInputs(transpose, inputLine)
      present = place
    }
    let filter = unit % grid.filterBlocks &* grid.filtersPerUnit
    let filters = min(grid.filtersPerUnit, grid.filters &- filter)
    if grid.transformsWeights {
      block.multiplyInPassing(weights + filter &* grid.channels &* 9, filters, weightSquares, multiply)
    } else {
      block.multiply(weights, filter, filters, multiply)
    }
    var part = 0
    while part < filters / 16 &* block.images {
      let (panel, image) = (part / block.images, part % block.images)
      block.transformOutputs(image, panel, of: filters, outputLine)
      finish(block, image, filter &+ panel &* 16)
      part &+= 1
    }
    unit &+= 1
  }
}

extension ChannelBlock {
  /// The pixels of sixteen channels of an image from `channel` on.
  private func gather(_ image: Int, _ channel: Int, _ transpose: FloatTransposition) {
    let (height, width) = (arguments.height, arguments.width)
    let step = grid.tile.stride &* grid.tile.outputs
    ImageRegion(
      top: tiles.row &* step &- arguments.window.padTop,
      left: tiles.column &* step &- arguments.window.padLeft,
      height: grid.regionHeight, width: grid.regionWidth
    ).gather(
      arguments.x + ((tiles.image &+ image) &* grid.channels &+ channel) &* height &* width, height, width,
      panels: 1,
      into: region, transpose)
  }

  /// Lanes are channels.
  func transformInputs(_ transpose: FloatTransposition, _ inputLine: WinogradLine) {
    let (tile, channels, width) = (grid.tile, grid.channels, grid.regionWidth)
    let side = tile.inputs
    nnp_clear(region, grid.regionHeight &* width &* 16)
    var part = 0
    while part < images &* (channels / 16) {
      let (image, channel) = (part / (channels / 16), part % (channels / 16) &* 16)
      gather(image, channel, transpose)
      var target = inputs + (image &* tiles.count &* grid.tileStride &+ channel)
      var place = 0
      while place < tiles.count {
        let first = (place / tiles.columns &* width &+ place % tiles.columns) &* tile.stride &* tile.outputs
        let corner = UnsafePointer(region) + first &* 16
        // The rows, then the columns.
        var i = 0
        while i < side {
          inputLine(corner + i &* width &* 16, 16, values + i &* 16, side &* 16)
          i &+= 1
        }
        i = 0
        while i < side {
          let (j, phase) = (i / tile.stride, i % tile.stride)
          inputLine(
            UnsafePointer(values) + i &* side &* 16, 16,
            target + (tile.place(0, j) &+ phase) &* channels, tile.phases(j) &* channels)
          i &+= 1
        }
        target += grid.tileStride
        place &+= 1
      }
      part &+= 1
    }
  }

  /// The products of all frequencies with the weights of `filters` filters from `filter` on.
  func multiply(
    _ weights: UnsafePointer<Float>, _ filter: Int, _ filters: Int, _ multiply: (ProductBlock) -> Void
  ) {
    let (tile, channels) = (grid.tile, grid.channels)
    let side = tile.frequencies
    let stored = WinogradWeightsArguments.channelBlock(of: filter, grid.filters)
    let block = weights + tile.products &* channels &* stored.lowerBound
    var frequency = 0
    while frequency < side &* side {
      let (i, j) = (frequency % side, frequency / side)
      let k = tile.phases(i) &* tile.phases(j) &* channels
      let first = tile.place(i, j) &* channels
      multiply(
        ProductBlock(
          a: UnsafePointer(inputs) + first, aStride: grid.tileStride,
          panels: block + (first &* stored.count &+ (filter &- stored.lowerBound) &* k), panelStride: k &* 16,
          c: products + frequency &* grid.productStride, cStride: filters, columnBias: nil, rowBias: nil,
          rows: images &* tiles.count, columns: filters, k: k, readsPanelsAhead: true))
      frequency &+= 1
    }
  }

  /// A panel of an image's products with `filters` filters to outputs. Lanes are filters.
  func transformOutputs(_ image: Int, _ panel: Int, of filters: Int, _ outputLine: WinogradLine) {
    let tile = grid.tile
    let (n, m, first) = (tile.tile.inputs, tile.outputs, tile.firstFrequency)
    var place = 0
    while place < tiles.count {
      // The columns, then the rows.
      var source = UnsafePointer(products) + ((image &* tiles.count &+ place) &* filters &+ panel &* 16)
      var i = first
      while i < n {
        outputLine(source - first &* grid.productStride, grid.productStride, values + i &* 16, n &* 16)
        source += tile.frequencies &* grid.productStride
        i &+= 1
      }
      let corner = (place / tiles.columns &* grid.resultWidth &+ place % tiles.columns) &* m
      i = 0
      while i < m {
        outputLine(
          UnsafePointer(values) + i &* n &* 16, 16, region + (corner &+ i &* grid.resultWidth) &* 16, 16)
        i &+= 1
      }
      place &+= 1
    }
  }

  /// The block's outputs of an image and sixteen filters from `filter` on, or the largest of their squares, to their planes.
  @inlinable @inline(never) @_optimize(size)
  func finish<I: InstructionSet>(_ image: Int, _ filter: Int, _: I.Type) {
    let (top, left) = (tiles.row &* grid.tile.outputs, tiles.column &* grid.tile.outputs)
    let epilogue = arguments.epilogue
    let (low, high) = (nnp_splat(epilogue.low), nnp_splat(epilogue.high))
    var shift = nnp_splat(-0.0)
    if let bias = arguments.bias { shift = nnp_load(bias + filter) }
    let pitch = grid.resultWidth &* 16
    let isPooled = arguments.isPooled(I.self)
    let side = isPooled ? 2 : 1
    let rows = min(tiles.rows &* grid.tile.outputs, arguments.outputHeight &- top) / side
    let columns = min(tiles.columns &* grid.tile.outputs, arguments.outputWidth &- left) / side
    // What is kept moves together.
    var target = region
    var y = 0
    while y < rows {
      var source = UnsafePointer(region) + y &* side &* pitch
      var x = 0
      while x < columns {
        var value: Vector = clipped(nnp_load(source) + shift, low, high)
        if isPooled {
          let below = source + pitch
          let (right, diagonal): (Vector, Vector) = (nnp_load(source + 16), nnp_load(below + 16))
          let upper: Vector = firstLargest(value, clipped(right + shift, low, high))
          let lower: Vector = firstLargest(
            clipped(nnp_load(below) + shift, low, high), clipped(diagonal + shift, low, high))
          value = firstLargest(upper, lower)
        }
        nnp_store(target, value)
        target += 16
        source += side &* 16
        x &+= 1
      }
      y &+= 1
    }
    if epilogue.isSeparate { epilogue.apply(to: region, rows &* columns &* 16, I.self) }
    let (height, width) = (arguments.resultHeight(I.self), arguments.resultWidth(I.self))
    let plane = arguments.y + ((tiles.image &+ image) &* grid.filters &+ filter) &* height &* width
    scatterPanel(
      UnsafePointer(region), columns, rows, columns, plane + (top / side &* width &+ left / side), height,
      width
    ) { I.transpose($0, $1, $2, $3, $4, $5) }
  }
}
