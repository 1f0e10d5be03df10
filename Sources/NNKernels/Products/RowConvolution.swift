import CPlatform

// Convolutions of few channels, as of an image's first: the rows of the image under some rows of outputs are copied once, with their
// padding and, where windows move by 2, even columns apart from odd ones. There a tap of sixteen neighbouring pixels is one load,
// so that products read their panels where they lie, and none is gathered.

extension ConvolutionArguments {
  /// Rows of outputs of one unit where rows are copied, 0 where panels are gathered: where windows are one pixel or move farther than 2,
  /// where too much of a row's last vector would stay empty, and where the copies would leave the second-level cache.
  @usableFromInline var outputRowsPerUnit: Int {
    @inline(never) @export(interface) get {
      // Gathering a vector takes as long as ten filters' products with it.
      let emptyLanes = (0 &- outputWidth) & 7
      let isFit =
        window.strideWidth <= 2 && !joinsImages && !packsWeights
        && window.kernelHeight &* window.kernelWidth > 1
        && outputWidth > 0 && emptyLanes &* (outputChannels / groups) <= 10 &* outputWidth
        && reductionLength <= 1024
      guard isFit else { return 0 }
      let (fitting, least) = (65536 / copiedRowSize, window.dilationHeight &* (window.kernelHeight &- 1) &+ 1)
      guard fitting >= least else { return 0 }
      let most = (fitting &- least) / window.strideHeight &+ 1
      return min(most, max(1, min(512 / outputWidth, (outputHeight &+ 3) / 4)))
    }
  }

  /// From one of a row's one or two copies to the next: an odd number of cache lines, which spread over all of the first-level cache.
  @inlinable @inline(__always) var copiedRowLength: Int {
    let lines =
      (outputWidth &+ 15) / 16
      &+ (window.dilationWidth &* (window.kernelWidth &- 1) / window.strideWidth &+ 15) / 16
    return (lines | 1) &* 16
  }

  /// Elements of the copies of one row, of all channels of a group.
  @inlinable @inline(__always) var copiedRowSize: Int {
    max(1, channels / groups &* window.strideWidth &* copiedRowLength)
  }

  /// Rows of the image under `rows` rows of outputs.
  @inlinable @inline(__always) func copiedRows(_ rows: Int) -> Int {
    (rows &- 1) &* window.strideHeight &+ window.dilationHeight &* (window.kernelHeight &- 1) &+ 1
  }

  /// Elements of scratch before the copies: where each tap lies.
  @inlinable @inline(__always) var tapOffsetsSize: Int { (reductionLength &* 2 &+ 15) / 16 &* 16 }

  /// Where the copies hold the taps of the first output, in the order of the weights; `rows` are those of each channel.
  func findTaps(_ offsets: UnsafeMutablePointer<Int>, _ rows: Int) {
    let (length, stride) = (copiedRowLength, window.strideWidth)
    var offset = offsets
    var channel = 0
    while channel < channels / groups {
      var tapRow = 0
      while tapRow < window.kernelHeight {
        let row = channel &* rows &+ tapRow &* window.dilationHeight
        var column = 0
        while column < window.kernelWidth &* window.dilationWidth {
          let copy = row &* stride &+ (stride == 2 ? column & 1 : 0)
          offset.pointee = copy &* length &+ (stride == 2 ? column / 2 : column)
          offset += 1
          column &+= window.dilationWidth
        }
        tapRow &+= 1
      }
      channel &+= 1
    }
  }

  /// Copies `rows` rows of each channel of a group, from row `top` on, which may lie in the padding.
  @inlinable @inline(never) @_optimize(size)
  func copyRows<I: InstructionSet>(
    _ image: UnsafePointer<Float>, _ top: Int, _ rows: Int, _ copies: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let (length, stride) = (copiedRowLength, window.strideWidth)
    var target = copies
    var plane = image
    var channel = channels / groups
    while channel > 0 {
      var y = top
      while y < top &+ rows {
        if y >= 0 && y < height {
          let row = plane + y &* width
          var column = 0
          while column < length {
            let strip = Strip(x: column &* stride &- window.padLeft, width: width, stride: stride)
            let isInside = strip.x >= 0 && strip.x &+ 32 <= width
            let first = strip.load(row, 0, isInside)
            if stride == 1 {
              nnp_store(target + column, first)
            } else {
              let second = strip.load(row, 16, isInside)
              nnp_store(target + column, evenLanes(first, second))
              nnp_store(target + (length &+ column), oddLanes(first, second))
            }
            column &+= 16
          }
        } else {
          nnp_clear(target, stride &* length)
        }
        target += stride &* length
        y &+= 1
      }
      plane += height &* width
      channel &-= 1
    }
  }
}

/// A unit of a convolution whose rows are copied.
struct RowUnit {
  /// Which rows of which images it reads: units of one place follow each other.
  let place: Int
  /// The first channel.
  let image: UnsafePointer<Float>
  /// The first row of the image, which may lie in the padding.
  let top: Int
  /// Rows of outputs.
  let count: Int
  /// The product for the first of them, but for its panels.
  var block: ProductBlock
}

extension ConvolutionArguments {
  /// `panels` and `rowOffsets` are where scratch has the copies and the offsets of taps.
  func rowUnit(
    _ unit: Int, _ rowsPerUnit: Int, _ panels: UnsafePointer<Float>, _ rowOffsets: UnsafePointer<Int>
  ) -> RowUnit {
    let (inputs, outputs, k) = (channels / groups, outputChannels / groups, reductionLength)
    let (filterBlocks, rowBlocks) = (filterBlocks, pixelBlocks)
    let place = unit / filterBlocks
    let first = place % rowBlocks &* rowsPerUnit
    let group = place / rowBlocks % groups
    let item = place / (rowBlocks &* groups)
    let filters = filters(ofBlock: unit % filterBlocks, group: group, of: outputs)
    let plane = item &* outputChannels &+ filters.lowerBound
    var block = ProductBlock(
      a: weights + filters.lowerBound &* k, aStride: k, panels: panels, panelStride: 16, panelStep: 0,
      c: y + (plane &* outputHeight &+ first) &* outputWidth, cStride: pixelsPerImage, columnBias: nil,
      rowBias: nil, rows: filters.count, columns: outputWidth, k: k, readsAhead: true, epilogue: epilogue)
    block.rowOffsets = rowOffsets
    if let bias { block.rowBias = bias + filters.lowerBound }
    return RowUnit(
      place: place, image: x + (item &* channels &+ group &* inputs) &* height &* width,
      top: first &* window.strideHeight &- window.padTop, count: min(rowsPerUnit, outputHeight &- first),
      block: block)
  }
}

/// ``ConvolutionAlgorithm/panels`` read from copied rows; `rowsPerUnit` are ``ConvolutionArguments/outputRowsPerUnit``.
func rowConvolution(
  _ arguments: ConvolutionArguments, _ rowsPerUnit: Int, _ scratch: UnsafeMutablePointer<Float>,
  _ units: Range<Int>, _ functions: PanelFunctions
) {
  let rows = arguments.copiedRows(rowsPerUnit)
  let offsets = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int.self)
  let copies = scratch + arguments.tapOffsetsSize
  arguments.findTaps(offsets, rows)
  /// Of the rows whose copies lie in scratch.
  var place = -1
  var number = units.lowerBound
  while number < units.upperBound {
    let unit = arguments.rowUnit(number, rowsPerUnit, UnsafePointer(copies), UnsafePointer(offsets))
    if unit.place != place { functions.copyRows(arguments, unit.image, unit.top, rows, copies) }
    place = unit.place
    arguments.multiplyRows(unit.block, unit.count, functions)
    number &+= 1
  }
}

extension ConvolutionArguments {
  /// `count` rows of outputs from the copies of the rows under them.
  func multiplyRows(_ first: ProductBlock, _ count: Int, _ functions: PanelFunctions) {
    var block = first
    var row = 0
    while row < count {
      functions.multiply(block)
      block.readsAhead = false
      block.panels += window.strideHeight &* window.strideWidth &* copiedRowLength
      block.c += outputWidth
      row &+= 1
    }
    if epilogue.isSeparate {
      block.c = first.c
      block.columns = count &* outputWidth
      functions.finish(block, epilogue)
    }
  }
}
