import CPlatform
import NNGraph

// A block of tiles at a time: its tiles transformed (n² times C x 64), the products with the transformed weights of 32 filters
// (n² times 32 x 64), and their outputs. So what passes between the three stays in the second-level cache.

extension ConvolutionArguments {
  /// Filters of one work unit.
  @inlinable static var winogradFilters: Int { WinogradWeightsArguments.filtersPerBlock }
  /// Tiles of a block: four panels, which the widest register tile takes side by side.
  @inlinable static var winogradTiles: Int { 64 }

  @inlinable @inline(__always)
  func winogradGrid(_ tile: WinogradTile) -> WinogradGrid {
    WinogradGrid(
      tile, outputHeight: outputHeight, outputWidth: outputWidth, images: batch,
      blockLength: Self.winogradTiles)
  }

  @inlinable @inline(__always) var winogradFilterBlocks: Int {
    (outputChannels &+ Self.winogradFilters &- 1) / Self.winogradFilters
  }

  /// Elements from one frequency to the next: a line more than the data, so that they do not share the cache's sets.
  @inlinable @inline(__always)
  func winogradStrides(_ grid: WinogradGrid) -> (inputs: Int, products: Int) {
    (
      channels &* grid.blockColumns &+ 16,
      min(outputChannels, Self.winogradFilters) &* grid.blockColumns &+ 16
    )
  }

  @inlinable @inline(__always)
  func winogradUnits(_ tile: WinogradTile) -> Int { winogradGrid(tile).blocks &* winogradFilterBlocks }

  /// Elements of scratch.
  @inlinable func winogradScratch(_ tile: WinogradTile) -> Int {
    let strides = winogradStrides(winogradGrid(tile))
    return tile.frequencies &* (strides.inputs &+ strides.products) &+ WinogradOperand.stagingSize
  }

  /// Elements of the transformed weights that ``transformedWeights`` points to; 0 if the algorithm has none.
  @inlinable public var transformedWeightsSize: Int {
    guard case .winograd(let tile) = algorithm else { return 0 }
    return WinogradWeightsArguments.size(tile, filters: outputChannels, channels: channels)
  }
}

/// See ``ConvolutionAlgorithm/winograd(_:)``.
@inlinable @inline(__always)
func winogradConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ tile: WinogradTile, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, _: I.Type
) {
  guard let weights = arguments.transformedWeights else { return }
  let grid = arguments.winogradGrid(tile)
  let channels = arguments.channels
  let strides = arguments.winogradStrides(grid)
  let products = scratch + tile.frequencies &* strides.inputs
  let staging = products + tile.frequencies &* strides.products
  let operand = WinogradOperand(
    grid, arguments.x, imageStride: channels &* arguments.height &* arguments.width, channels: channels,
    height: arguments.height, width: arguments.width, padTop: arguments.window.padTop,
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
        operand.transform(
          first &+ done, min(16, tiles &- done), staging, scratch + done &* channels,
          frequencyStride: strides.inputs, channelStride: 16, I.self)
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
      let product = ProductBlock(
        a: weights + (stored.start &+ frequency &* stored.frequencyStride), aStride: 0,
        panels: UnsafePointer(scratch) + frequency &* strides.inputs, panelStride: channels &* 16,
        c: products + frequency &* strides.products, cStride: grid.blockColumns, columnBias: nil,
        rowBias: nil, rows: filters, columns: Panels.count(columns: tiles) &* 16, k: channels,
        aInPanels: true, readsAhead: true)
      I.multiply(product)
      frequency &+= 1
    }
    arguments.winogradOutputs(
      grid, filter, filters, first, tiles, products, strides.products, staging, I.self)
    unit &+= 1
  }
}

extension ConvolutionArguments {
  /// Transforms the products of `filters` filters with the `tiles` tiles from `first` on into outputs.
  @inlinable @inline(never)
  func winogradOutputs<I: InstructionSet>(
    _ grid: WinogradGrid, _ filter: Int, _ filters: Int, _ first: Int, _ tiles: Int,
    _ products: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ staging: UnsafeMutablePointer<Float>,
    _: I.Type
  ) {
    let function = unaryKernel(epilogue.function, I.self)
    let m = grid.tile.outputs
    let pixels = outputHeight &* outputWidth
    var i = 0
    while i < filters {
      let shift = bias?[filter &+ i] ?? 0
      let plane = y + (filter &+ i) &* pixels
      var done = 0
      while done < tiles {
        let sums = products + (i &* grid.blockColumns &+ done)
        winogradOutputs(grid.tile, sums, frequencyStride, bias == nil ? nil : shift, staging, I.self)
        if epilogue.function != .identity {
          function(UnsafePointer(staging), staging, m &* m &* 16, epilogue.alpha, epilogue.beta)
        }
        grid.forEachRun(first &+ done, min(16, tiles &- done)) { image, row, column, lane, run in
          let count = min(run &* m, outputWidth &- column &* m)
          let rows = min(m, outputHeight &- row &* m)
          let corner = image &* outputChannels &* pixels &+ row &* m &* outputWidth &+ column &* m
          var r = 0
          while r < rows {
            nnp_copy_bytes(
              plane + (corner &+ r &* outputWidth), staging + (r &* m &* 16 &+ lane &* m), count &* 4)
            r &+= 1
          }
        }
        done &+= 16
      }
      i &+= 1
    }
  }

  /// The outputs of sixteen tiles as m rows of 16·m pixels. `sums` are overwritten.
  @inlinable @inline(__always)
  func winogradOutputs<I: InstructionSet>(
    _ tile: WinogradTile, _ sums: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ bias: Float?,
    _ rows: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let n = tile.inputs
    var i = 0
    while i < n {
      let column = sums + i &* frequencyStride
      tile.transformOutput(I.self) {
        nnp_load(UnsafePointer(column) + $0 &* n &* frequencyStride)
      } _: {
        nnp_store(column + $0 &* n &* frequencyStride, $1)
      }
      i &+= 1
    }
    let shift = nnp_splat(bias ?? 0)
    i = 0
    while i < tile.outputs {
      let line = UnsafePointer(sums) + i &* n &* frequencyStride
      var outputs = (nnp_splat(0), nnp_splat(0), nnp_splat(0), nnp_splat(0))
      tile.transformOutput(I.self) {
        nnp_load(line + $0 &* frequencyStride)
      } _: { j, value in
        let result = bias == nil ? value : value + shift
        switch j {
        case 0: outputs.0 = result
        case 1: outputs.1 = result
        case 2: outputs.2 = result
        default: outputs.3 = result
        }
      }
      let target = rows + i &* tile.outputs &* 16
      if tile == .two {
        nnp_store(target, nnp_interleave_low(outputs.0, outputs.1))
        nnp_store(target + 16, nnp_interleave_high(outputs.0, outputs.1))
      } else {
        let low: Vector = nnp_interleave_low(outputs.0, outputs.2)
        let high: Vector = nnp_interleave_high(outputs.0, outputs.2)
        let low2: Vector = nnp_interleave_low(outputs.1, outputs.3)
        let high2: Vector = nnp_interleave_high(outputs.1, outputs.3)
        nnp_store(target, nnp_interleave_low(low, low2))
        nnp_store(target + 16, nnp_interleave_high(low, low2))
        nnp_store(target + 32, nnp_interleave_low(high, high2))
        nnp_store(target + 48, nnp_interleave_high(high, high2))
      }
      i &+= 1
    }
  }
}
