import CPlatform

// dW = Gᵀ[Σ over tiles of (A dy Aᵀ) ⊙ (Bᵀ x B)]G: a product for each frequency whose sum runs over the tiles of all images.

extension ConvolutionWeightGradientArguments {
  /// Filters and channels of one work unit, and tiles of a block: their transforms and sums stay in the second-level cache.
  @inlinable static var winogradFilters: Int { 64 }
  @inlinable static var winogradChannels: Int { 64 }
  @inlinable static var winogradTiles: Int { 32 }

  @inlinable @inline(__always)
  func winogradGrid(_ tile: WinogradTile) -> WinogradGrid {
    WinogradGrid(
      tile, outputHeight: outputHeight, outputWidth: outputWidth, images: batch,
      blockLength: Self.winogradTiles)
  }

  @inlinable @inline(__always) var winogradChannelBlocks: Int {
    (channels &+ Self.winogradChannels &- 1) / Self.winogradChannels
  }

  @inlinable @inline(__always) func winogradUnits() -> Int {
    winogradChannelBlocks &* ((outputChannels &+ Self.winogradFilters &- 1) / Self.winogradFilters)
  }

  /// Elements from one frequency to the next, and of a row of sums; see ``ConvolutionArguments/winogradStrides(_:)``.
  @inlinable @inline(__always)
  func winogradStrides(_ grid: WinogradGrid) -> (inputs: Int, gradients: Int, sums: Int, row: Int) {
    let filters = min(outputChannels, Self.winogradFilters)
    let row = Panels.count(columns: min(channels, Self.winogradChannels)) &* 16
    return (
      row &* grid.blockColumns &+ 16, filters &* grid.blockColumns &+ 16, filters &* row &+ 16, row
    )
  }

  /// Elements of scratch: transformed inputs, transformed gradients, sums, the panels of one frequency, staging.
  @inlinable func winogradScratch(_ tile: WinogradTile) -> Int {
    let grid = winogradGrid(tile)
    let strides = winogradStrides(grid)
    return tile.frequencies &* (strides.inputs &+ strides.gradients &+ strides.sums)
      &+ strides.row &* grid.blockColumns &+ WinogradOperand.stagingSize
  }
}

/// See ``ConvolutionWeightGradientArguments``.
@inlinable
func convolutionWeightGradient<I: InstructionSet>(
  _ arguments: ConvolutionWeightGradientArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>,
  _: I.Type
) {
  guard case .winograd(let tile) = arguments.algorithm else {
    arguments.run(scratch, units) { $0.run(I.self) }
    return
  }
  let floats = scratch.assumingMemoryBound(to: Float.self)
  var unit = units.lowerBound
  while unit < units.upperBound {
    let blocks = arguments.winogradChannelBlocks
    winogradWeightGradient(
      arguments, tile, floats, filter: unit / blocks &* ConvolutionWeightGradientArguments.winogradFilters,
      channel: unit % blocks &* ConvolutionWeightGradientArguments.winogradChannels, I.self)
    unit &+= 1
  }
}

/// The gradients of a unit's filters and channels, from the given ones on.
@inlinable @inline(__always)
func winogradWeightGradient<I: InstructionSet>(
  _ arguments: ConvolutionWeightGradientArguments, _ tile: WinogradTile,
  _ inputs: UnsafeMutablePointer<Float>,
  filter: Int, channel: Int, _: I.Type
) {
  let grid = arguments.winogradGrid(tile)
  let strides = arguments.winogradStrides(grid)
  let filters = min(ConvolutionWeightGradientArguments.winogradFilters, arguments.outputChannels &- filter)
  let channels = min(ConvolutionWeightGradientArguments.winogradChannels, arguments.channels &- channel)
  let gradients = inputs + tile.frequencies &* strides.inputs
  let sums = gradients + tile.frequencies &* strides.gradients
  let panels = sums + tile.frequencies &* strides.sums
  let staging = panels + strides.row &* grid.blockColumns
  let (pixels, outputs) = (
    arguments.height &* arguments.width, arguments.outputHeight &* arguments.outputWidth
  )
  let x = WinogradOperand(
    grid, arguments.x + channel &* pixels, imageStride: arguments.channels &* pixels, channels: channels,
    height: arguments.height, width: arguments.width, padTop: arguments.window.padTop,
    padLeft: arguments.window.padLeft, isGradient: false)
  let dy = WinogradOperand(
    grid, arguments.dy + filter &* outputs, imageStride: arguments.outputChannels &* outputs,
    channels: filters,
    height: arguments.outputHeight, width: arguments.outputWidth, padTop: 0, padLeft: 0, isGradient: true)
  nnp_clear(sums, tile.frequencies &* strides.sums)
  var first = 0
  while first < grid.count {
    let tiles = min(grid.blockLength, grid.count &- first)
    var done = 0
    while done < tiles {
      let count = min(16, tiles &- done)
      x.transform(
        first &+ done, count, staging, inputs + done, frequencyStride: strides.inputs,
        channelStride: grid.blockColumns, I.self)
      dy.transform(
        first &+ done, count, staging, gradients + done, frequencyStride: strides.gradients,
        channelStride: grid.blockColumns, I.self)
      done &+= 16
    }
    var frequency = 0
    while frequency < tile.frequencies {
      Panels.packTransposed(
        UnsafePointer(inputs) + frequency &* strides.inputs, k: tiles, columns: channels,
        rowStride: grid.blockColumns, into: panels, range: 0..<Panels.count(columns: channels),
        panelStride: nil)
      ProductBlock(
        a: UnsafePointer(gradients) + frequency &* strides.gradients, aStride: grid.blockColumns,
        panels: UnsafePointer(panels), panelStride: tiles &* 16, c: sums + frequency &* strides.sums,
        cStride: strides.row, columnBias: nil, rowBias: nil, rows: filters,
        columns: Panels.count(columns: channels) &* 16, k: tiles, accumulates: true
      ).run(I.self)
      frequency &+= 1
    }
    first &+= grid.blockLength
  }
  var i = 0
  while i < filters {
    let target = arguments.result + ((filter &+ i) &* arguments.channels &+ channel) &* 9
    winogradWeightGradientRow(tile, sums + i &* strides.row, strides.sums, channels, target, I.self)
    i &+= 1
  }
}

/// One filter's sums, which are overwritten, into gradients (channels, 3, 3). Lanes are channels.
@inlinable @inline(never) @_optimize(size)
func winogradWeightGradientRow<I: InstructionSet>(
  _ tile: WinogradTile, _ sums: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ channels: Int,
  _ target: UnsafeMutablePointer<Float>, _: I.Type
) {
  let n = tile.inputs
  var channel = 0
  while channel < channels {
    // In place: the columns, then the rows.
    var line = 0
    while line < n &+ 3 {
      let isRow = line >= n
      let (start, step) = isRow ? ((line &- n) &* n, 1) : (line, n)
      let first = sums + (channel &+ start &* frequencyStride)
      tile.transformWeightGradient(I.self) {
        nnp_load(UnsafePointer(first) + $0 &* step &* frequencyStride)
      } _: {
        nnp_store(first + $0 &* step &* frequencyStride, $1)
      }
      line &+= 1
    }
    let count = min(16, channels &- channel)
    var tap = 0
    while tap < 9 {
      let values = sums + (channel &+ (tap / 3 &* n &+ tap % 3) &* frequencyStride)
      var lane = 0
      while lane < count {
        target[(channel &+ lane) &* 9 &+ tap] = values[lane]
        lane &+= 1
      }
      tap &+= 1
    }
    channel &+= 16
  }
}
