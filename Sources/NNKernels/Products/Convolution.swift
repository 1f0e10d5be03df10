import CPlatform
import NNGraph

// Convolution as a product: weights (M, K) times the image's columns (K, pixels), gathered into panels of 16 pixels.

extension ConvolutionArguments {
  /// Fills `panel`, K rows of 16 that are ``gatheredStrides`` apart, with the taps of `count` output pixels from `pixel` on, counted over all
  /// images; further pixels and taps in the padding are zeros. `image` is the first image's first input channel of the group.
  ///
  /// The pixels are runs within output rows. Which of a run's taps lie in the image is found once and serves all channels.
  @inlinable @inline(never)
  func gatherPanel<I: InstructionSet>(
    _ image: UnsafePointer<Float>, _ pixel: Int, _ count: Int, _ panel: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let pixels = outputHeight &* outputWidth
    var image = image + pixel / pixels &* channels &* height &* width
    var row = pixel % pixels / outputWidth
    var column = pixel % outputWidth
    var lane = 0
    while lane < count {
      let run = min(count &- lane, outputWidth &- column)
      var target = panel
      var tapRow = 0
      while tapRow < window.kernelHeight {
        var tapColumn = 0
        while tapColumn < window.kernelWidth {
          gatherRun(image, row, column, lane, run, tapRow, tapColumn, target, I.self)
          target += gatheredStrides.step
          tapColumn &+= 1
        }
        tapRow &+= 1
      }
      lane &+= run
      column = 0
      row &+= 1
      if row == outputHeight {
        row = 0
        image += channels &* height &* width
      }
    }
  }

  /// Copies columns of a block's results, whose rows are `filters` and `stride` apart, to where they belong in the images, from `pixel`
  /// on.
  func scatter(
    _ block: UnsafePointer<Float>, _ stride: Int, _ filters: Range<Int>, _ pixel: Int, _ columns: Int
  ) {
    let pixels = outputHeight &* outputWidth
    var done = 0
    while done < columns {
      let (item, first) = ((pixel &+ done) / pixels, (pixel &+ done) % pixels)
      let run = min(columns &- done, pixels &- first)
      let target = y + (item &* outputChannels &* pixels &+ first)
      var filter = filters.lowerBound
      while filter < filters.upperBound {
        nnp_copy(
          target + filter &* pixels, block + ((filter &- filters.lowerBound) &* stride &+ done), run)
        filter &+= 1
      }
      done &+= run
    }
  }

  /// One tap of `run` pixels from (row, column) on, into the lanes from `lane` on, for every channel of the group.
  @inlinable @inline(__always)
  func gatherRun<I: InstructionSet>(
    _ image: UnsafePointer<Float>, _ row: Int, _ column: Int, _ lane: Int, _ run: Int, _ tapRow: Int,
    _ tapColumn: Int, _ panel: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let stride = window.strideWidth
    let y = row &* window.strideHeight &+ tapRow &* window.dilationHeight &- window.padTop
    let x = column &* stride &+ tapColumn &* window.dilationWidth &- window.padLeft
    // The first pixel whose tap is at column 0 or more, and the first past the last column.
    let first = x >= 0 ? 0 : min(run, (stride &- 1 &- x) / stride)
    let room = width &- x
    let isInside = y >= 0 && y < height
    var last = first
    if isInside && room > 0 {
      // Mostly all of them, which takes no division to see.
      last = max(first, (run &- 1) &* stride < room ? run : (room &+ stride &- 1) / stride)
    }
    let channelStep = height &* width
    let panelStep = window.kernelHeight &* window.kernelWidth &* gatheredStrides.step
    var source = image + (y &* width &+ x)
    var target = panel
    var channel = channels / groups
    if first == 0 && last == 16 && stride <= 2 {
      while channel > 0 {
        nnp_store(target, stride == 1 ? nnp_load(source) : nnp_load_every_other(source))
        source += channelStep
        target += panelStep
        channel &-= 1
      }
      return
    }
    while channel > 0 {
      // The first run also clears the lanes of the others, and those past the end.
      var values = lane == 0 ? nnp_splat(0) : nnp_load(UnsafePointer(target))
      if stride == 1 {
        values = nnp_load_lanes(source - lane, lane &+ first, lane &+ last, values)
        nnp_store(target, values)
      } else if stride == 2 {
        values = nnp_load_every_other_lanes(source - 2 &* lane, lane &+ first, lane &+ last, values)
        nnp_store(target, values)
      } else {
        nnp_store(target, values)
        var i = first
        while i < last {
          target[lane &+ i] = source[i &* stride]
          i &+= 1
        }
      }
      source += channelStep
      target += panelStep
      channel &-= 1
    }
  }
}

/// See ``ConvolutionArguments``.
@inlinable @inline(never)
func convolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>, _: I.Type
) {
  let floats = scratch.assumingMemoryBound(to: Float.self)
  switch arguments.algorithm {
  case .depthwise:
    if arguments.isPooled(I.self) {
      pooledDepthwiseConvolution(arguments, floats, units, I.self)
    } else {
      depthwiseConvolution(arguments, floats, units, I.self)
    }
  case .panels:
    panelConvolution(arguments, floats, units, PanelFunctions(I.self))
  case .winograd(let tile): winogradConvolution(arguments, tile, floats, units, I.self)
  case .channelWinograd(let tile): channelConvolution(arguments, tile, floats, units, I.self)
  }
}

/// What of a convolution by panels is compiled for an instruction set: so everything around it is compiled once.
public struct PanelFunctions {
  /// What brings `count` pixels, or rows, of an image from the `first` on into scratch.
  public typealias Copy = (
    _ arguments: ConvolutionArguments, _ image: UnsafePointer<Float>, _ first: Int, _ count: Int,
    _ target: UnsafeMutablePointer<Float>
  ) -> Void

  /// See ``ConvolutionArguments/gatherPanel(_:_:_:_:_:)``.
  let gather: Copy
  /// See ``ConvolutionArguments/copyRows(_:_:_:_:_:)``.
  let copyRows: Copy
  let multiply: (ProductBlock) -> Void
  let multiplyExchanged: (ProductBlock, _ scratch: UnsafeMutablePointer<Float>) -> Void
  let finish: (ProductBlock, Epilogue) -> Void
  let addsResiduals: Bool

  @inline(never) @export(interface)
  public init(
    gather: @escaping Copy, copyRows: @escaping Copy, multiply: @escaping (ProductBlock) -> Void,
    multiplyExchanged: @escaping (ProductBlock, UnsafeMutablePointer<Float>) -> Void,
    finish: @escaping (ProductBlock, Epilogue) -> Void, addsResiduals: Bool
  ) {
    self.gather = gather
    self.copyRows = copyRows
    self.multiply = multiply
    self.multiplyExchanged = multiplyExchanged
    self.finish = finish
    self.addsResiduals = addsResiduals
  }

  @inlinable @inline(__always)
  init<I: InstructionSet>(_: I.Type) {
    self.init(
      gather: { $0.gatherPanel($1, $2, $3, $4, I.self) }, copyRows: { $0.copyRows($1, $2, $3, $4, I.self) },
      multiply: { $0.run(I.self) },
      multiplyExchanged: { $0.multiplyExchanged($1, I.self) }, finish: { $0.finish($1, I.self) },
      addsResiduals: I.fusesConvolutions)
  }
}

/// See ``ConvolutionAlgorithm/panels``.
@inline(never) @export(interface)
public func panelConvolution(
  _ arguments: ConvolutionArguments, _ floats: UnsafeMutablePointer<Float>, _ units: Range<Int>,
  _ functions: PanelFunctions
) {
  let rows = arguments.outputRowsPerUnit
  if rows > 0 { return rowConvolution(arguments, rows, floats, units, functions) }
  let filterBlocks = arguments.filterBlocks
  let blocksPerGroup = arguments.pixelBlocks
  let inputs = arguments.channels / arguments.groups
  let outputs = arguments.outputChannels / arguments.groups
  // What the units of a group share out: the pixels of an image, or of all images where one is small.
  let joins = arguments.joinsImages
  let pixels = arguments.pixelsPerImage
  let all = joins ? pixels &* arguments.batch : pixels
  let pixelsPerUnit = arguments.panelsPerUnit &* 16
  /// The block whose panels lie in scratch.
  var present = -1
  var unit = units.lowerBound
  while unit < units.upperBound {
    let place = unit / filterBlocks
    let first = place % blocksPerGroup &* pixelsPerUnit
    let group = place / blocksPerGroup % arguments.groups
    let item = place / (blocksPerGroup &* arguments.groups)
    let columns = min(pixelsPerUnit, all &- first)
    let image = arguments.x + group &* inputs &* arguments.height &* arguments.width
    let pixel = item &* pixels &+ first
    if place != present { arguments.gatherPanels(image, pixel, columns, floats, functions) }
    present = place
    let filters = arguments.filters(ofBlock: unit % filterBlocks, group: group, of: outputs)
    let start = (item &* arguments.outputChannels &+ filters.lowerBound) &* pixels &+ first
    let results = floats + arguments.resultsOffset
    var residual = arguments.residual
    if let all = arguments.residual { residual = all + start }
    arguments.multiplyPanels(
      image + (item &* arguments.channels &* pixels &+ first), filters, columns, floats,
      joins ? results : arguments.y + start, joins ? pixelsPerUnit : pixels, residual, functions)
    if joins { arguments.scatter(results, pixelsPerUnit, filters, pixel, columns) }
    unit &+= 1
  }
}

extension ConvolutionArguments {
  /// Where the results of a unit lie in scratch that do not go to memory from registers: after the gathered panels.
  @inlinable @inline(__always) var resultsOffset: Int { gatheredPanels &* 16 &* max(1, reductionLength) }

  /// How many of `columns` pixels are read where they lie in the image. With weights in the lanes, they need not be whole panels.
  @inlinable @inline(__always)
  func columnsInImage(_ columns: Int) -> Int {
    if !readsImage { return 0 }
    return exchangesOperands ? columns : columns / 16 &* 16
  }

  /// Gathers the panels of `columns` pixels from `pixel` on, counted over all images, but for those that are read in the image.
  func gatherPanels(
    _ image: UnsafePointer<Float>, _ pixel: Int, _ columns: Int, _ floats: UnsafeMutablePointer<Float>,
    _ functions: PanelFunctions
  ) {
    let inImage = columnsInImage(columns)
    // Where rows of outputs are rows of inputs, one after the other, they are one.
    var whole = self
    if isPixelwise {
      (whole.width, whole.height) = (pixelsPerImage, 1)
      (whole.outputWidth, whole.outputHeight) = (pixelsPerImage, 1)
    }
    var gathered = inImage
    while gathered < columns {
      functions.gather(
        whole, image, pixel &+ gathered, min(16, columns &- gathered),
        floats + (gathered &- inImage) / 16 &* gatheredStrides.panel)
      gathered &+= 16
    }
  }

  /// The products of `filters` with `columns` pixels, of which the first is at `source` and those not read there are in `floats`. What is
  /// added, if anything is, lies as the results do.
  func multiplyPanels(
    _ source: UnsafePointer<Float>, _ filters: Range<Int>, _ columns: Int,
    _ floats: UnsafeMutablePointer<Float>, _ c: UnsafeMutablePointer<Float>, _ cStride: Int,
    _ residual: UnsafePointer<Float>?, _ functions: PanelFunctions
  ) {
    let k = reductionLength
    let inImage = columnsInImage(columns)
    let packed = packsWeights ? transformedWeights : nil
    var block = ProductBlock(
      a: weights + filters.lowerBound &* k, aStride: k, panels: source, panelStride: 16,
      panelStep: pixelsPerImage, c: c, cStride: cStride, columnBias: nil, rowBias: nil, rows: filters.count,
      columns: inImage, k: k, readsAhead: true, epilogue: epilogue)
    if let bias { block.rowBias = bias + filters.lowerBound }
    if functions.addsResiduals { block.residual = residual }
    if inImage > 0 && packed == nil { functions.multiply(block) }
    if inImage < columns {
      block.panels = UnsafePointer(floats)
      (block.panelStride, block.panelStep) = gatheredStrides
    }
    if let packed {
      block.a = packed + filters.lowerBound &* k
      block.aInPanels = true
      block.columns = columns
      functions.multiplyExchanged(block, floats + resultsOffset)
    } else if inImage < columns {
      block.c += inImage
      if let residual = block.residual { block.residual = residual + inImage }
      block.columns = columns &- inImage
      functions.multiply(block)
      block.c -= inImage
    }
    if epilogue.isSeparate {
      block.columns = columns
      functions.finish(block, epilogue)
    }
  }
}
