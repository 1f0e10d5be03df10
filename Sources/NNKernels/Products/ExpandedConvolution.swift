import CPlatform

// A convolution and the depthwise one that alone reads its outputs, as mobile networks have them by the dozen. They run as one, some
// channels at a time: a strip of rows is computed into scratch, and from there the rows of the depthwise convolution that it completes.
// So what lies between the two stays in the cache, and with the thread that made it.

/// y = depthwise convolution of a convolution of x; the bits are those of one after the other.
///
/// Work units: ``workUnits``. Scratch of one call: ``scratchSize`` bytes.
public struct ExpandedConvolutionArguments {
  /// Its y is not used.
  public var expansion: ConvolutionArguments
  /// Its x is not used, nor its y where a projection follows.
  public var depthwise: ConvolutionArguments
  /// What alone reads the depthwise convolution's outputs, see ``projecting(_:among:)``; nil for none. Its x is not used.
  public var projection: ConvolutionArguments?
  /// Rows of the depthwise convolution in one unit, where a projection follows.
  @usableFromInline var rowsPerUnit: Int
  /// Channels of one unit at most; see ``share(among:)``.
  @usableFromInline var channelsPerUnit: Int

  /// Nil where the second reads other than the first one's outputs channel by channel, or where the first would gather its inputs for
  /// every unit.
  public init?(expansion: ConvolutionArguments, depthwise: ConvolutionArguments) {
    let channels = expansion.outputChannels
    guard depthwise.algorithm == .depthwise, depthwise.channels == channels, depthwise.groups == channels,
      depthwise.outputChannels == channels, expansion.algorithm == .panels, expansion.groups == 1,
      expansion.readsImage || expansion.outputRowsPerUnit > 0,
      expansion.outputHeight > 0, expansion.outputWidth > 0
    else { return nil }
    self.expansion = expansion
    self.depthwise = depthwise
    channelsPerUnit = Self.mostChannels
    projection = nil
    rowsPerUnit = 0
    self.expansion.filtersPerUnit = Self.mostChannels
  }

  @usableFromInline static var mostChannels: Int { 64 }
  /// Elements of a strip of so many channels: what leaves more than half of a second-level cache of 1 MiB to the inputs. Higher strips would
  /// leave less, lower ones begin more often.
  static var stripSize: Int { 114688 }

  /// Makes units small enough for all of `threads` to have as much to do as the others. To be called before anything asks for units.
  public mutating func share(among threads: Int) {
    guard threads > 1, projection == nil else { return }
    var best = Int.max
    for size in [64, 48, 32, 24, 16] where size % 16 == 0 || !expansion.packsWeights {
      let (blocks, rest) = (expansion.outputChannels / size, expansion.outputChannels % size)
      let units = expansion.batch &* (rest > 0 ? blocks &+ 1 : blocks)
      let load = (units &+ threads &- 1) / threads &* min(size, expansion.outputChannels)
      if load < best { (best, channelsPerUnit) = (load, size) }
    }
  }

  /// How many units the work has: blocks of channels, of each image; with a projection, bands of rows.
  @inlinable public var workUnits: Int {
    if depthwise.outputHeight == 0 || depthwise.outputWidth == 0 { return 0 }
    return expansion.batch &* (projection == nil ? channelBlocks : bands)
  }

  @inlinable @inline(__always) var channelBlocks: Int {
    (expansion.outputChannels &+ channelsPerUnit &- 1) / channelsPerUnit
  }

  /// Bytes of scratch one thread needs.
  public var scratchSize: Int {
    (projectedOffset &+ (projection == nil ? 0 : expansion.outputChannels &* projectedSize)) &* 4
  }

  /// Rows of the expansion that are computed at a time: all of an image's where they are few, else as many as give whole tiles.
  var stripRows: Int {
    let (height, width) = (expansion.outputHeight, expansion.outputWidth)
    if expansion.packsWeights { return height }
    let copied = expansion.outputRowsPerUnit
    // The least that ends with a tile's 64 columns.
    let whole = copied > 0 ? copied : 64 >> min(6, width.trailingZeroBitCount)
    let rows = Self.stripSize / (min(Self.mostChannels, expansion.outputChannels) &* width)
    return min(height, max(copied, rows >= whole ? rows / whole &* whole : rows, 1))
  }

  /// Rows of the expansion under a window.
  var windowRows: Int {
    depthwise.window.dilationHeight &* (depthwise.window.kernelHeight &- 1) &+ 1
  }

  /// From a channel of a strip to the next, with the rows that stay from the strip before: an odd number of cache lines, which spread
  /// over all of the first-level cache.
  var planeSize: Int {
    let rows = min(expansion.outputHeight, stripRows &+ windowRows &- 1)
    return ((rows &* expansion.outputWidth &+ 15) / 16 | 1) &* 16
  }

  /// Where in scratch the depthwise convolution's lies, and the strip: after those of the convolutions.
  var depthwiseOffset: Int { (expansion.scratchSize / 4 &+ 15) / 16 &* 16 }
  var planesOffset: Int { (depthwiseOffset &+ depthwise.scratchSize / 4 &+ 15) / 16 &* 16 }
  /// Where what is projected lies, behind the strip.
  var projectedOffset: Int {
    planesOffset &+ min(Self.mostChannels, expansion.outputChannels) &* planeSize
  }
}

/// Nil where convolutions do not run together with what reads their outputs.
@inlinable @inline(__always)
func expandedConvolutionKernel<I: InstructionSet>(_: I.Type) -> ScratchKernel<ExpandedConvolutionArguments>? {
  if !I.fusesConvolutions { return nil }
  return { expandedConvolution($0, $1, $2, I.self) }
}

/// See ``ConvolutionArguments/depthwiseChannels(_:_:_:_:_:_:_:)``.
public typealias DepthwiseChannels = (
  _ arguments: ConvolutionArguments, _ channels: Range<Int>, _ planes: UnsafePointer<Float>,
  _ planeSize: Int, _ scratch: UnsafeMutablePointer<Float>, _ results: UnsafeMutablePointer<Float>,
  _ resultSize: Int
) -> Void

/// See ``ExpandedConvolutionArguments``.
@inlinable @inline(__always)
func expandedConvolution<I: InstructionSet>(
  _ arguments: ExpandedConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>,
  _: I.Type
) {
  expandedConvolution(arguments, scratch, units, PanelFunctions(I.self)) {
    $0.depthwiseChannels($1, $2, $3, $4, $5, $6, I.self)
  }
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface) @_optimize(size)
public func expandedConvolution(
  _ arguments: ExpandedConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>,
  _ functions: PanelFunctions, _ depthwiseChannels: DepthwiseChannels
) {
  let floats = scratch.assumingMemoryBound(to: Float.self)
  let copiedRows = arguments.expansion.outputRowsPerUnit
  if copiedRows > 0 {
    arguments.expansion.findTaps(
      scratch.assumingMemoryBound(to: Int.self), arguments.expansion.copiedRows(copiedRows))
  }
  if arguments.depthwise.window.isStrip {
    nnp_clear(floats + arguments.depthwiseOffset, arguments.depthwise.width)
  }
  var unit = units.lowerBound
  while unit < units.upperBound {
    if arguments.projection == nil {
      arguments.runUnit(unit, copiedRows, floats, functions, depthwiseChannels)
    } else {
      arguments.projectUnit(unit, copiedRows, floats, functions, depthwiseChannels)
    }
    unit &+= 1
  }
}

extension ExpandedConvolutionArguments {
  /// Some channels of an image.
  func runUnit(
    _ unit: Int, _ copiedRows: Int, _ floats: UnsafeMutablePointer<Float>, _ functions: PanelFunctions,
    _ depthwiseChannels: DepthwiseChannels
  ) {
    let item = unit / channelBlocks
    let first = unit % channelBlocks &* channelsPerUnit
    let last = min(expansion.outputChannels, first &+ channelsPerUnit)
    let pixels = depthwise.pixelsPerImage
    run(
      item, first..<last, 0..<depthwise.outputHeight, copiedRows, floats,
      depthwise.y + (item &* depthwise.outputChannels &+ first) &* pixels, pixels, functions,
      depthwiseChannels)
  }

  /// Some channels of rows of an image, strip after strip, whose planes in `results` are `resultSize` apart.
  func run(
    _ item: Int, _ channels: Range<Int>, _ rows: Range<Int>, _ copiedRows: Int,
    _ floats: UnsafeMutablePointer<Float>, _ results: UnsafeMutablePointer<Float>, _ resultSize: Int,
    _ functions: PanelFunctions, _ depthwiseChannels: DepthwiseChannels
  ) {
    let width = expansion.outputWidth
    let (stripRows, windowRows, planeSize) = (stripRows, windowRows, planeSize)
    let planes = floats + planesOffset
    let (step, padTop) = (depthwise.window.strideHeight, depthwise.window.padTop)
    // The rows of the expansion under all windows.
    let wanted = expandedRows(rows, copiedRows)
    /// The rows of the expansion in scratch, and the first row of outputs that is still to come.
    var (top, bottom, row) = (wanted.lowerBound, wanted.lowerBound, rows.lowerBound)
    var strip = depthwise
    while row < rows.upperBound {
      let next = min(wanted.upperBound, bottom &+ stripRows)
      let target = planes + (bottom &- top) &* width
      if copiedRows > 0 {
        expandCopied(item, channels, bottom..<next, copiedRows, floats, target, planeSize, functions)
      } else {
        expand(item, channels, bottom..<next, floats, target, planeSize, functions)
      }
      bottom = next
      // The rows of outputs whose windows end above.
      let room = bottom &+ padTop &- windowRows
      let end =
        bottom == wanted.upperBound
        ? rows.upperBound : min(rows.upperBound, room < 0 ? 0 : room / step &+ 1)
      if end > row {
        let above = max(0, min(bottom, row &* step &- padTop) &- top)
        strip.window.padTop = padTop &+ top &+ above &- row &* step
        strip.height = bottom &- top &- above
        strip.outputHeight = end &- row
        depthwiseChannels(
          strip, channels, UnsafePointer(planes + above &* width), planeSize, floats + depthwiseOffset,
          results + (row &- rows.lowerBound) &* depthwise.outputWidth, resultSize)
        row = end
      }
      // What the next windows begin with moves to the top.
      let kept = min(bottom, max(top, row &* step &- padTop))
      if kept > top && row < rows.upperBound {
        keep((kept &- top)..<(bottom &- top), channels.count, planes, planeSize)
        top = kept
      }
    }
  }

  /// The rows of the expansion under the windows of `rows`; where rows are copied some at a time, all of those.
  func expandedRows(_ rows: Range<Int>, _ copiedRows: Int) -> Range<Int> {
    let height = expansion.outputHeight
    let (step, padTop) = (depthwise.window.strideHeight, depthwise.window.padTop)
    // All of them, lest strips end elsewhere.
    if rows.count == depthwise.outputHeight { return 0..<height }
    let unit = max(1, copiedRows)
    let first = min(height, max(0, rows.lowerBound &* step &- padTop)) / unit &* unit
    let end = (rows.upperBound &- 1) &* step &- padTop &+ windowRows
    return first..<max(first, min(height, (max(0, end) &+ unit &- 1) / unit &* unit))
  }

  /// Moves rows of a strip to its top.
  func keep(
    _ rows: Range<Int>, _ channels: Int, _ planes: UnsafeMutablePointer<Float>, _ planeSize: Int
  ) {
    let width = expansion.outputWidth
    var plane = planes
    var channel = channels
    while channel > 0 {
      var row = rows.lowerBound
      while row < rows.upperBound {
        nnp_copy(plane + (row &- rows.lowerBound) &* width, plane + row &* width, width)
        row &+= 1
      }
      plane += planeSize
      channel &-= 1
    }
  }

  /// Rows of some channels of the expansion, from panels that lie in the image but for the last pixels.
  func expand(
    _ item: Int, _ channels: Range<Int>, _ rows: Range<Int>, _ floats: UnsafeMutablePointer<Float>,
    _ target: UnsafeMutablePointer<Float>, _ planeSize: Int, _ functions: PanelFunctions
  ) {
    let pixels = expansion.pixelsPerImage
    let first = rows.lowerBound &* expansion.outputWidth
    let columns = rows.count &* expansion.outputWidth
    expansion.gatherPanels(expansion.x, item &* pixels &+ first, columns, floats, functions)
    expansion.multiplyPanels(
      expansion.x + (item &* expansion.channels &* pixels &+ first), channels, columns, floats, target,
      planeSize, nil, functions)
  }

  /// The same from copies of the rows of the image under each few of them.
  func expandCopied(
    _ item: Int, _ channels: Range<Int>, _ rows: Range<Int>, _ copiedRows: Int,
    _ floats: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ planeSize: Int,
    _ functions: PanelFunctions
  ) {
    let copies = floats + expansion.tapOffsetsSize
    let offsets = UnsafeMutableRawPointer(floats).assumingMemoryBound(to: Int.self)
    let (blocks, filterBlocks) = (expansion.pixelBlocks, expansion.filterBlocks)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let unit = expansion.rowUnit(
        (item &* blocks &+ row / copiedRows) &* filterBlocks, copiedRows, UnsafePointer(copies),
        UnsafePointer(offsets))
      functions.copyRows(expansion, unit.image, unit.top, expansion.copiedRows(copiedRows), copies)
      var block = unit.block
      block.a = expansion.weights + channels.lowerBound &* expansion.reductionLength
      if let bias = expansion.bias { block.rowBias = bias + channels.lowerBound }
      block.rows = channels.count
      block.c = target + (row &- rows.lowerBound) &* expansion.outputWidth
      block.cStride = planeSize
      expansion.multiplyRows(block, unit.count, functions)
      row &+= copiedRows
    }
  }
}
