import CPlatform

/// A transposed convolution of stride 2 that doubles an image, with channels and filters in the lanes.
///
/// x is (N, C, H, W), y (N, M, 2H, 2W), both contiguous; C and M are multiples of 16. y is what folding the product of the weights
/// (M·kH·kW, C) with x gives, but for rounding. Each product takes fused multiply–adds over the channels ascending.
///
/// Mostly it goes by Winograd's algorithm: even and odd rows and columns of y are four convolutions of x with windows of at most 3 x 3 (see
/// ``DoubledAxis``), whose tiles are transformed once for all four, and which skip the frequencies that missing taps leave 0. An input that
/// is not finite spoils all outputs of its tiles. Where an image has so few pixels that reading the transformed weights would take longer
/// than they save, it is multiplied with the taps themselves (``multipliesTaps``).
///
/// Work units: ``workUnits``. Scratch of one call: ``scratchSize`` bytes.
public struct TransposedConvolutionArguments {
  public var x: UnsafePointer<Float>
  /// Of ``transformedWeightsSize`` elements, from ``TransposedWeightsArguments``.
  public var transformedWeights: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  /// Without meaning where ``multipliesTaps``.
  public let tile: WinogradTile
  public let batch: Int
  public let channels: Int
  public let height: Int
  public let width: Int
  public let filters: Int
  @usableFromInline let down: DoubledAxis
  @usableFromInline let across: DoubledAxis
  @usableFromInline let blocks: TileBlocks
  /// Whether there are no tiles: every pixel of an image meets every tap.
  @usableFromInline let multipliesTaps: Bool
  /// Products of a tile, or of a pixel without tiles, with one channel, that make the outputs of one filter.
  @usableFromInline let products: Int

  /// Filters of one work unit at most.
  @inlinable static var filtersPerBlock: Int { 32 }
  /// Tiles of a block, where an image has as many.
  private static var tilesPerBlock: Int { 16 }
  /// Tiles of an image that make up for reading more weights than smaller tiles have, or the taps.
  private static var fewestTiles: Int { 5 }
  /// Elements of transformed weights that are read in no time.
  private static var smallWeights: Int { 1 &<< 15 }

  /// nil where the product and its fold are the better way. The choice follows from the shapes of one image alone. `window` slides over the
  /// output. The pointers are not set.
  public init?(_ window: Window, batch: Int, channels: Int, height: Int, width: Int, filters: Int) {
    let down = DoubledAxis(kernel: window.kernelHeight, padding: window.padTop)
    let across = DoubledAxis(kernel: window.kernelWidth, padding: window.padLeft)
    guard window.strideHeight == 2, window.strideWidth == 2, window.dilationHeight == 1,
      window.dilationWidth == 1, window.outputHeight(2 &* height) == height,
      window.outputWidth(2 &* width) == width, height > 0, width > 0, channels > 0, filters > 0,
      channels % 16 == 0, filters % 16 == 0, window.kernelHeight <= 6, window.kernelWidth <= 6,
      down.isWithinReach, across.isWithinReach
    else { return nil }
    func products(_ tile: WinogradTile) -> Int { down.products(tile) &* across.products(tile) }
    func productsOfImage(_ tile: WinogradTile) -> Int { tile.count(height, width) &* products(tile) }
    func pays(_ tile: WinogradTile) -> Bool {
      tile.count(height, width) >= Self.fewestTiles
        || products(tile) <= Self.smallWeights / channels / filters
    }
    let tile: WinogradTile =
      pays(.four) && productsOfImage(.four) < productsOfImage(.two) ? .four : .two
    let taps = window.kernelHeight &* window.kernelWidth
    multipliesTaps = !pays(tile)
    guard multipliesTaps || productsOfImage(tile) &* 3 <= height &* width &* taps &* 2 else { return nil }
    let unset = UnsafeMutablePointer<Float>(bitPattern: 64)!
    (x, transformedWeights, y) = (UnsafePointer(unset), UnsafePointer(unset), unset)
    (self.down, self.across, self.tile) = (down, across, tile)
    self.products = multipliesTaps ? taps : products(tile)
    blocks = TileBlocks(
      height: height, width: width, side: tile.outputs, tilesPerBlock: Self.tilesPerBlock)
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.filters = filters
  }
}

extension TransposedConvolutionArguments {
  @inlinable @inline(__always) var filterBlocks: Int {
    (filters &+ Self.filtersPerBlock &- 1) / Self.filtersPerBlock
  }

  /// Pixels down and across the inputs of a block.
  @inlinable @inline(__always) var regionHeight: Int { blocks.blockRows &* tile.outputs &+ 2 }
  @inlinable @inline(__always) var regionWidth: Int { blocks.blockColumns &* tile.outputs &+ 2 }

  /// Pixels down and across the outputs of a block.
  @inlinable @inline(__always) var resultHeight: Int { blocks.blockRows &* tile.outputs &* 2 }
  @inlinable @inline(__always) var resultWidth: Int { blocks.blockColumns &* tile.outputs &* 2 }
  /// Elements of the inputs of a block, or of the outputs of sixteen filters, whichever are more.
  @inlinable @inline(__always) var regionSize: Int {
    max(channels &* regionHeight &* regionWidth, 16 &* resultHeight &* resultWidth)
  }

  // Elements from one frequency to the next: a line more than the data, so that they do not share the cache's sets.
  @inlinable @inline(__always) var inputStride: Int { blocks.largest &* channels &+ 16 }
  @inlinable @inline(__always) var productStride: Int {
    blocks.largest &* 4 &* min(filters, Self.filtersPerBlock) &+ 16
  }

  public var workUnits: Int { batch &* blocks.count &* filterBlocks }
  public var transformedWeightsSize: Int { products &* filters &* channels }
  /// Multiply–adds.
  public var multiplyAdds: Int {
    let uses = multipliesTaps ? height &* width : tile.count(height, width)
    return batch &* uses &* products &* filters &* channels
  }

  /// See ``TransposedBlock`` and ``TransposedImage``.
  public var scratchSize: Int {
    let floats =
      multipliesTaps
      ? height &* width &* (channels &+ (products &+ 4) &* 16)
      : regionSize &+ tile.frequencies &* (inputStride &+ productStride &+ 16)
    return floats &* 4
  }
}

/// A block of tiles, and where its numbers lie in scratch.
public struct TransposedBlock {
  @usableFromInline let arguments: TransposedConvolutionArguments
  @usableFromInline let tiles: TileBlocks.Block
  /// The inputs: panels of 16 channels, each (pixels, 16), zeros around the image; then the outputs of sixteen filters.
  @usableFromInline let region: UnsafeMutablePointer<Float>
  /// The transformed inputs: for each frequency (tiles, C).
  @usableFromInline let inputs: UnsafeMutablePointer<Float>
  /// The products: for each frequency (tiles, 4, filters), of the phases that have it.
  @usableFromInline let products: UnsafeMutablePointer<Float>
  /// n² vectors.
  @usableFromInline let values: UnsafeMutablePointer<Float>

  init(
    _ arguments: TransposedConvolutionArguments, _ block: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    self.arguments = arguments
    tiles = arguments.blocks.block(block)
    let frequencies = arguments.tile.frequencies
    region = scratch
    inputs = region + arguments.regionSize
    products = inputs + frequencies &* arguments.inputStride
    values = products + frequencies &* arguments.productStride
  }
}

/// See ``TransposedConvolutionArguments``.
@inlinable
func transposedConvolution<I: InstructionSet>(
  _ arguments: TransposedConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>,
  _: I.Type
) {
  let tile = arguments.tile
  transposedConvolution(
    arguments, scratch, units, transpose: { I.transpose($0, $1, $2, $3, $4, $5) },
    inputLine: { tile.inputLine($0, $1, 0..<tile.inputs, $2, $3, I.self) },
    multiply: { $0.run(I.self) }, outputLine: { tile.outputLine($0, $1, $2, $3, $4, I.self) })
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface)
public func transposedConvolution(
  _ arguments: TransposedConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>,
  transpose: FloatTransposition, inputLine: WinogradLine, multiply: (ProductBlock) -> Void,
  outputLine: PartialWinogradLine
) {
  let floats = scratch.assumingMemoryBound(to: Float.self)
  let filterBlocks = arguments.filterBlocks
  if arguments.multipliesTaps {
    return TransposedImage.convolve(arguments, floats, units, transpose: transpose, multiply: multiply)
  }
  /// The block whose tiles lie transformed in scratch.
  var present = -1
  var unit = units.lowerBound
  while unit < units.upperBound {
    let block = TransposedBlock(arguments, unit / filterBlocks, floats)
    if unit / filterBlocks != present {
      block.transformInputs(transpose, inputLine)
      present = unit / filterBlocks
    }
    let filter = unit % filterBlocks &* TransposedConvolutionArguments.filtersPerBlock
    let filters = min(TransposedConvolutionArguments.filtersPerBlock, arguments.filters &- filter)
    block.multiply(filter, filters, multiply)
    var panel = 0
    while panel < filters / 16 {
      block.transformOutputs(panel, of: filters, outputLine)
      block.scatter(filter &+ panel &* 16, transpose)
      panel &+= 1
    }
    unit &+= 1
  }
}

extension TransposedBlock {
  /// Lanes are channels.
  func transformInputs(_ transpose: FloatTransposition, _ inputLine: WinogradLine) {
    let (tile, channels) = (arguments.tile, arguments.channels)
    let (n, m) = (tile.inputs, tile.outputs)
    let (width, pixels) = (arguments.regionWidth, arguments.regionHeight &* arguments.regionWidth)
    let stride = arguments.inputStride
    gather(transpose)
    var panel = 0
    while panel < channels / 16 {
      var place = 0
      while place < tiles.count {
        let first = place / tiles.columns &* m &* width &+ place % tiles.columns &* m
        let corner = UnsafePointer(region) + (panel &* pixels &+ first) &* 16
        let target = inputs + (place &* channels &+ panel &* 16)
        var i = 0
        while i < n {
          inputLine(corner + i &* 16, width &* 16, values + i &* 16, n &* 16)
          i &+= 1
        }
        i = 0
        while i < n {
          inputLine(UnsafePointer(values) + i &* n &* 16, 16, target + i &* n &* stride, stride)
          i &+= 1
        }
        place &+= 1
      }
      panel &+= 1
    }
  }

  /// The products of all frequencies with the weights of `filters` filters.
  func multiply(_ filter: Int, _ filters: Int, _ multiply: (ProductBlock) -> Void) {
    let (tile, channels, down, across) = (
      arguments.tile, arguments.channels, arguments.down, arguments.across
    )
    var weights = arguments.transformedWeights + arguments.products &* filter &* channels
    var frequency = 0
    while frequency < tile.frequencies {
      let (i, j) = (frequency / tile.inputs, frequency % tile.inputs)
      let (above, beside) = (down.phases(i, tile), across.phases(j, tile))
      // Phases side by side are one product.
      let joined = beside == 2 && above == 2 ? 4 : beside
      var phase = 0
      while phase < above &* beside {
        let row = above == 2 ? phase / beside : down.first(i, tile)
        let column = beside == 2 ? 0 : across.first(j, tile)
        let target = products + frequency &* arguments.productStride
        multiply(
          ProductBlock(
            a: UnsafePointer(inputs) + frequency &* arguments.inputStride, aStride: channels, panels: weights,
            panelStride: channels &* 16, c: target + (row &* 2 &+ column) &* filters, cStride: 4 &* filters,
            columnBias: nil, rowBias: nil, rows: tiles.count, columns: joined &* filters, k: channels))
        weights += joined &* filters &* channels
        phase &+= joined
      }
      frequency &+= 1
    }
  }

  /// A panel of the products of `filters` filters to outputs. Lanes are filters.
  func transformOutputs(_ panel: Int, of filters: Int, _ outputLine: PartialWinogradLine) {
    let (tile, down, across) = (arguments.tile, arguments.down, arguments.across)
    let (n, m) = (tile.inputs, tile.outputs)
    let (stride, pitch) = (arguments.productStride, arguments.resultWidth)
    var vector = 0
    while vector < tiles.count &* 4 {
      let (place, phase) = (vector / 4, vector % 4)
      let lines = down.frequencies(phase / 2, tile)
      let places = across.frequencies(phase % 2, tile)
      let source = products + (vector &* filters &+ panel &* 16)
      var j = places.lowerBound
      while j < places.upperBound {
        outputLine(UnsafePointer(source) + j &* stride, n &* stride, lines, values + j &* 16, n &* 16)
        j &+= 1
      }
      let (row, column) = (place / tiles.columns &* m, place % tiles.columns &* m)
      let corner = region + ((2 &* row &+ phase / 2) &* pitch &+ 2 &* column &+ phase % 2) &* 16
      var i = 0
      while i < m {
        outputLine(UnsafePointer(values) + i &* n &* 16, 16, places, corner + i &* 2 &* pitch &* 16, 32)
        i &+= 1
      }
      vector &+= 1
    }
  }

  /// The pixels under the block's tiles, channels side by side.
  private func gather(_ transpose: FloatTransposition) {
    let m = arguments.tile.outputs
    let pixels = ImageRegion(
      top: tiles.row &* m &- 1, left: tiles.column &* m &- 1, height: arguments.regionHeight,
      width: arguments.regionWidth
    )
    nnp_clear(region, arguments.channels &* pixels.height &* pixels.width)
    pixels.gather(
      arguments.x + tiles.image &* arguments.channels &* arguments.height &* arguments.width,
      arguments.height,
      arguments.width, panels: arguments.channels / 16, into: region, transpose)
  }

  /// The block's outputs of sixteen filters from `filter` on to their planes.
  func scatter(_ filter: Int, _ transpose: FloatTransposition) {
    let size = 2 &* arguments.tile.outputs
    let (height, width) = (2 &* arguments.height, 2 &* arguments.width)
    let (top, left) = (tiles.row &* size, tiles.column &* size)
    let plane = arguments.y + (tiles.image &* arguments.filters &+ filter) &* height &* width
    scatterPanel(
      UnsafePointer(region), arguments.resultWidth, min(tiles.rows &* size, height &- top),
      min(tiles.columns &* size, width &- left), plane + (top &* width &+ left), height, width, transpose)
  }
}
