import CPlatform
import NNGraph

// A block of tiles at a time: its tiles transformed (n² times C x 64), the products with the transformed weights of 32 filters
// (n² times 32 x 64), and their outputs. So what passes between the three stays in the second-level cache.

extension ConvolutionArguments {
  /// Filters of one work unit.
  @inlinable static var winogradFilters: Int { WinogradWeightsArguments.filtersPerBlock }
  @inlinable @inline(__always)
  func winogradGrid(_ tile: WinogradTile) -> WinogradGrid {
    WinogradGrid(
      tile, outputHeight: outputHeight, outputWidth: outputWidth, images: batch,
      blockLength: tilesPerBlock)
  }

  @inlinable @inline(__always) var winogradFilterBlocks: Int {
    (outputChannels &+ Self.winogradFilters &- 1) / Self.winogradFilters
  }

  /// Elements from one frequency to the next: a line more than the data, so that they do not share the cache's sets.
  @inlinable @inline(__always)
  func winogradStrides(_ grid: WinogradGrid) -> (inputs: Int, products: Int) {
    (
      channels &* grid.tile.phases &* grid.blockColumns &+ 16,
      min(outputChannels, Self.winogradFilters) &* grid.blockColumns &+ 16
    )
  }

  @inlinable @inline(__always)
  func winogradUnits(_ tile: WinogradTile) -> Int { winogradGrid(tile).blocks &* winogradFilterBlocks }

  /// Elements of scratch.
  @inlinable func winogradScratch(_ tile: WinogradTile) -> Int {
    let grid = winogradGrid(tile)
    let strides = winogradStrides(grid)
    return tile.frequencies &* (strides.inputs &+ strides.products)
      &+ WinogradOperand.stagingSize(tile)
  }
}

/// See ``ConvolutionAlgorithm/winograd(_:)``.
@inlinable @inline(__always)
func winogradConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ tile: WinogradTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, _: I.Type
) {
  winogradConvolution(
    arguments, tile, scratch, units,
    transform: { operand, first, count, staging, target, stride in
      if tile == .wide {
        operand.transformPhases(first, count, staging, target, frequencyStride: stride, I.self)
      } else {
        operand.transform(
          first, count, staging, target, frequencyStride: stride, channelStride: 16, I.self)
      }
    }, multiply: { $0.run(I.self) },
    outputs: { arguments.winogradOutputs($0, $1, $2, $3, $4, $5, $6, $7, I.self) })
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface)
public func winogradConvolution(
  _ arguments: ConvolutionArguments, _ tile: WinogradTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>,
  transform: (
    _ operand: WinogradOperand, _ first: Int, _ count: Int, _ staging: UnsafeMutablePointer<Float>,
    _ target: UnsafeMutablePointer<Float>, _ frequencyStride: Int
  ) -> Void,
  multiply: (ProductBlock) -> Void,
  outputs: (
    _ grid: WinogradGrid, _ filter: Int, _ filters: Int, _ first: Int, _ tiles: Int,
    _ products: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ staging: UnsafeMutablePointer<Float>
  ) -> Void
) {
  guard let weights = arguments.transformedWeights else { return }
  let grid = arguments.winogradGrid(tile)
  // Those of all phases.
  let channels = arguments.channels &* tile.phases
  let strides = arguments.winogradStrides(grid)
  let products = scratch + tile.frequencies &* strides.inputs
  let staging = products + tile.frequencies &* strides.products
  let operand = WinogradOperand(
    grid, arguments.x, imageStride: arguments.channels &* arguments.height &* arguments.width,
    channels: arguments.channels, height: arguments.height, width: arguments.width,
    padTop: arguments.window.padTop,
    padLeft: arguments.window.padLeft, isGradient: false)
  /// The block whose tiles lie transformed in scratch.
  var present = -1
  var unit = units.lowerBound
  while unit < units.upperBound {
    let block = unit / arguments.winogradFilterBlocks
    let first = block &* grid.blockLength
    let tiles = min(grid.blockLength, grid.count &- first)
    if block != present {
      var done = 0
      while done < tiles {
        let (place, count) = (first &+ done, min(16, tiles &- done))
        transform(operand, place, count, staging, scratch + done &* channels, strides.inputs)
        done &+= 16
      }
      present = block
    }
    let filter = unit % arguments.winogradFilterBlocks &* ConvolutionArguments.winogradFilters
    let filters = min(ConvolutionArguments.winogradFilters, arguments.outputChannels &- filter)
    let stored = WinogradWeightsArguments.block(
      of: filter, tile, filters: arguments.outputChannels, channels: channels)
    var frequency = 0
    while frequency < tile.frequencies {
      multiply(
        ProductBlock(
          a: weights + (stored.start &+ frequency &* stored.frequencyStride), aStride: 0,
          panels: UnsafePointer(scratch) + frequency &* strides.inputs, panelStride: channels &* 16,
          c: products + frequency &* strides.products, cStride: grid.blockColumns, columnBias: nil,
          rowBias: nil, rows: filters, columns: Panels.count(columns: tiles) &* 16, k: channels,
          aInPanels: true, readsAhead: true))
      frequency &+= 1
    }
    outputs(grid, filter, filters, first, tiles, products, strides.products, staging)
    unit &+= 1
  }
}
