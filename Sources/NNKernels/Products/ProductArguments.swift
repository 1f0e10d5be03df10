// The arguments of matrix products, convolutions and pooling.

/// C = epilogue(A·B + bias), for each of `batch` products.
///
/// A is (M, K) with rows `aRowStride` and columns `aColumnStride` apart, C is (M, N) with rows `cRowStride` apart and overlaps
/// nothing. B is (K, N) in panels (see ``Panels``), or row-major if N is a multiple of 16, see ``readRowMajor(rowStride:)``.
/// `bias` is (N) or nil. Batch strides may be 0 to share an operand.
/// Each output starts at +0, or at what C holds if `accumulates`, and takes fused multiply–adds with k ascending; then bias is
/// added; then the epilogue applied. Where N ≤ 16 and K ≥ 128 there are four such sums s₀ … s₃, sᵢ of k = i, i + 4, …, and
/// (s₀ + s₁) + (s₂ + s₃) takes their place; only s₀ starts at what C holds.
///
/// Work units: ``workUnits``, each a block of rows times a group of panels of one product.
public struct MatmulArguments {
  public var a: UnsafePointer<Float>
  public var panels: UnsafePointer<Float>
  public var c: UnsafeMutablePointer<Float>
  /// The same numbers in half the space, read instead of `panels` where m is 1 and the instruction set widens them; nil for none.
  public var narrowPanels: NarrowPanels?
  public var bias: UnsafePointer<Float>?
  public var epilogue: Epilogue
  public var m: Int
  public var n: Int
  public var k: Int
  public var aRowStride: Int
  public var aColumnStride: Int
  /// From one panel of B to the next, and from one row of a panel to the next.
  public var panelStride: Int
  public var panelRowStride: Int
  public var cRowStride: Int
  public var accumulates: Bool
  /// Whether rows of B that zeros of A meet may be left out: of one product of one row, whose elements follow each other, with panels
  /// and a bias, which ``allowSkipping(panels:k:bias:columns:)``, and which has single sums.
  public var skipsZeros: Bool
  public var batch: Int
  public var aBatchStride: Int
  public var panelsBatchStride: Int
  public var cBatchStride: Int

  /// Rows of A and C are contiguous (strides K and N) and there is one product, unless the fields are set otherwise.
  @inlinable public init(
    a: UnsafePointer<Float>, panels: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>,
    bias: UnsafePointer<Float>? = nil, epilogue: Epilogue = .none, m: Int, n: Int, k: Int
  ) {
    self.a = a
    self.panels = panels
    narrowPanels = nil
    self.c = c
    self.bias = bias
    self.epilogue = epilogue
    self.m = m
    self.n = n
    self.k = k
    aRowStride = k
    aColumnStride = 1
    panelStride = k &* Panels.width
    panelRowStride = Panels.width
    cRowStride = n
    accumulates = false
    skipsZeros = false
    batch = 1
    aBatchStride = 0
    panelsBatchStride = 0
    cBatchStride = 0
  }

  /// Says that `panels` points to a row-major B instead, whose columns are a multiple of 16: then its rows hold each panel's
  /// rows side by side.
  @inlinable public mutating func readRowMajor(rowStride: Int) {
    panelStride = Panels.width
    panelRowStride = rowStride
  }

  /// Rows in one work unit: a multiple of every instruction set's tile height.
  @inlinable public static var rowsPerUnit: Int { 96 }
  /// Panels in one work unit.
  @inlinable public static var panelsPerUnit: Int { 16 }

  /// How many units the work has.
  @inlinable public var workUnits: Int {
    let rowBlocks = (m &+ Self.rowsPerUnit &- 1) / Self.rowsPerUnit
    let panelGroups = (Panels.count(columns: n) &+ Self.panelsPerUnit &- 1) / Self.panelsPerUnit
    return batch &* rowBlocks &* panelGroups
  }
}

/// How a window slides over the last two axes of (N, C, H, W).
public struct Window {
  public var kernelHeight: Int
  public var kernelWidth: Int
  public var strideHeight: Int
  public var strideWidth: Int
  public var dilationHeight: Int
  public var dilationWidth: Int
  public var padTop: Int
  public var padLeft: Int
  public var padBottom: Int
  public var padRight: Int

  @inlinable public init(
    kernel: (Int, Int), stride: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1),
    padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0)
  ) {
    kernelHeight = kernel.0
    kernelWidth = kernel.1
    strideHeight = stride.0
    strideWidth = stride.1
    dilationHeight = dilation.0
    dilationWidth = dilation.1
    padTop = padding.top
    padLeft = padding.left
    padBottom = padding.bottom
    padRight = padding.right
  }

  /// ⌊(H + pads − dilation·(kernel − 1) − 1)/stride⌋ + 1, or 0 if the window does not fit.
  @inlinable public func outputHeight(_ height: Int) -> Int {
    let room = height &+ padTop &+ padBottom &- dilationHeight &* (kernelHeight &- 1) &- 1
    return room < 0 ? 0 : room / strideHeight &+ 1
  }

  /// As ``outputHeight(_:)``, of the width.
  @inlinable public func outputWidth(_ width: Int) -> Int {
    let room = width &+ padLeft &+ padRight &- dilationWidth &* (kernelWidth &- 1) &- 1
    return room < 0 ? 0 : room / strideWidth &+ 1
  }
}

/// y = epilogue(x ∗ weights + bias).
///
/// x is (N, C, H, W), weights (M, C/groups, kH, kW) row-major, bias (M) or nil, y (N, M, oH, oW); all contiguous.
/// Each output starts at +0 and takes fused multiply–adds over (channel in group, kernel row, kernel column) ascending,
/// taps in the padding as zeros; then bias is added; then the epilogue applied. Where ``algorithm`` is Winograd's, a product of
/// each frequency takes fused multiply–adds over the channels ascending instead (over (phase, channel) ascending where windows move two
/// pixels at a time, see ``ChannelTile`` and ``WinogradTile/wide``), between the transforms of ``WinogradTile``: then an input that is not finite spoils all
/// outputs of its tiles.
///
/// Work units: ``workUnits``. Scratch of one call: ``scratchSize`` bytes.
public struct ConvolutionArguments {
  public var x: UnsafePointer<Float>
  public var weights: UnsafePointer<Float>
  /// What is read instead of the weights, of ``transformedWeightsSize`` elements if that is not 0: panels of their transpose where
  /// ``readsFilterPanels`` says so, else what ``WinogradWeightsArguments`` make of them. Winograd's algorithms cannot do without.
  public var transformedWeights: UnsafePointer<Float>?
  public var bias: UnsafePointer<Float>?
  public var y: UnsafeMutablePointer<Float>
  public var epilogue: Epilogue
  /// Whether y is (N, M, ⌊oH/2⌋, ⌊oW/2⌋) instead, the largest of each square of 2 x 2 outputs as ``pool(_:_:_:_:)`` gives it; see
  /// ``canPool``.
  public var pools: Bool
  /// What is added to y before the epilogue, of the same shape; nil for nothing. See ``canAddResidual``.
  public var residual: UnsafePointer<Float>?
  /// Filters of one unit at most, a multiple of 16; see ``share(among:)``.
  @usableFromInline var filtersPerUnit: Int
  /// Panels of 16 pixels that a unit takes at most.
  @usableFromInline var mostPanelsPerUnit: Int
  /// Tiles that Winograd's algorithm works on together: four panels, which the widest register tile takes side by side, or fewer.
  @usableFromInline var tilesPerBlock: Int
  public var window: Window
  public var batch: Int
  public var channels: Int
  public var height: Int
  public var width: Int
  public var outputChannels: Int
  public var groups: Int
  public var outputHeight: Int
  public var outputWidth: Int

  /// The output's height and width follow from the window.
  @inlinable public init(
    x: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    y: UnsafeMutablePointer<Float>, epilogue: Epilogue = .none, window: Window, batch: Int, channels: Int,
    height: Int, width: Int, outputChannels: Int, groups: Int = 1
  ) {
    self.x = x
    self.weights = weights
    transformedWeights = nil
    self.bias = bias
    self.y = y
    self.epilogue = epilogue
    pools = false
    residual = nil
    filtersPerUnit = 64
    mostPanelsPerUnit = 16
    tilesPerBlock = 64
    self.window = window
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.outputChannels = outputChannels
    self.groups = groups
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
    // Of a long sum, a part of the pixels' taps stays in the second-level cache while all filters pass by.
    if packsWeights && reductionLength > ProductBlock.longestPart { filtersPerUnit = 512 }
  }
}

/// y = pooling of x. x is (planes, H, W), y (planes, oH, oW), planes = N·C. Work units: planes.
public struct PoolArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int
  /// Average pooling divides by the whole window, padding included, instead of by the taps inside the image.
  public var countIncludesPadding: Bool

  /// The output's height and width follow from the window, whose dilation is 1.
  @inlinable public init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, window: Window, planes: Int, height: Int,
    width: Int, countIncludesPadding: Bool = false
  ) {
    self.x = x
    self.y = y
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    self.countIncludesPadding = countIncludesPadding
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

/// dx from dy of a pooling; shapes as in ``PoolArguments``, dy as y and dx as x (overwritten). Work units: planes.
///
/// Maximum pooling gives dy to the first maximum of its window (NaN counts as maximum); average pooling spreads it.
public struct PoolGradientArguments {
  /// Read by maximum pooling only.
  public var x: UnsafePointer<Float>?
  public var dy: UnsafePointer<Float>
  public var dx: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int
  /// As in ``PoolArguments/countIncludesPadding``.
  public var countIncludesPadding: Bool

  /// The output's height and width follow from the window, whose dilation is 1.
  @inlinable public init(
    x: UnsafePointer<Float>?, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, window: Window,
    planes: Int, height: Int, width: Int, countIncludesPadding: Bool = false
  ) {
    self.x = x
    self.dy = dy
    self.dx = dx
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    self.countIncludesPadding = countIncludesPadding
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

/// Columns of windows: unfold gives `out` (N·C, kH·kW, oH·oW) from `input` (N·C, H, W), zeros where a tap is in the
/// padding; fold is its adjoint, `out` (N·C, H, W) overwritten with the sums of `input` (N·C, kH·kW, oH·oW), taps
/// ascending. Work units: planes = N·C.
public struct UnfoldArguments {
  public var input: UnsafePointer<Float>
  public var out: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int

  /// `height` and `width` are the image's; the number of windows follows.
  @inlinable public init(
    input: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, window: Window, planes: Int, height: Int,
    width: Int
  ) {
    self.input = input
    self.out = out
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

extension ConvolutionArguments {
  /// Multiply–adds behind each output: K = C/groups · kH · kW.
  @inlinable @inline(__always) public var reductionLength: Int {
    channels / groups &* window.kernelHeight &* window.kernelWidth
  }

  /// How it is computed.
  public var algorithm: ConvolutionAlgorithm {
    @inline(never) @export(interface) get {
      ConvolutionAlgorithm(
        window, channels: channels, filters: outputChannels, groups: groups, outputHeight: outputHeight,
        outputWidth: outputWidth)
    }
  }

  /// Panels of 16 output pixels that a work unit gathers: as many as fit in 256 KiB, a multiple of the widest tile's four, if there are
  /// not to be fewer.
  @inlinable @inline(__always) var panelsPerUnit: Int {
    min(mostPanelsPerUnit, max(4, 4096 / max(1, reductionLength) / 4 &* 4))
  }

  @inlinable @inline(__always) var pixelsPerImage: Int { outputHeight &* outputWidth }

  /// Whether units take pixels of several images, so that small images leave no panel half empty.
  @inlinable @inline(__always) var joinsImages: Bool {
    batch > 1 && pixelsPerImage < 256 && pixelsPerImage & 15 != 0
  }

  /// Whether the image's own rows are panels, but for pixels left over from whole ones: a window of one pixel, and rows that do not all
  /// fall on the same lines of the first-level cache, or few, or so few filters that gathering would show.
  @inlinable @inline(__always) var readsImage: Bool {
    let isPixel =
      window.kernelHeight == 1 && window.kernelWidth == 1 && window.strideHeight == 1
      && window.strideWidth == 1 && outputHeight == height && outputWidth == width
    let isFast =
      pixelsPerImage & 255 != 0 || reductionLength <= 64
      || outputChannels / groups <= 64 && pixelsPerImage <= 4096
    return isPixel && isFast && !joinsImages
  }

  /// Whether the pixels of an image are so few that the weights, in panels, fill the lanes instead; see
  /// ``ProductBlock/multiplyExchanged(_:_:)``.
  @inlinable @inline(__always) var packsWeights: Bool {
    let rest = pixelsPerImage & 15
    let lanes = pixelsPerImage &- rest &+ (rest == 0 ? 0 : rest <= 8 ? 8 : 16)
    return groups == 1 && !joinsImages && outputChannels >= 32
      && ProductBlock.gainsByExchange(columns: pixelsPerImage, lanes: lanes, k: reductionLength)
  }

  /// Panels of a unit that scratch has room for.
  @inlinable @inline(__always) var gatheredPanels: Int { readsImage ? 1 : panelsPerUnit }

  /// Whether weights in panels fill the lanes; the pixels' rows then hold all of a unit.
  @inlinable @inline(__always) var exchangesOperands: Bool { packsWeights && transformedWeights != nil }
  /// From one panel of gathered pixels to the next, and from one tap to the next.
  @inlinable @inline(__always) var gatheredStrides: (panel: Int, step: Int) {
    exchangesOperands
      ? (16, min(panelsPerUnit, Panels.count(columns: pixelsPerImage)) &* 16) : (reductionLength &* 16, 16)
  }

  /// Blocks of pixels of one group, and of one image where images are not joined; of rows of pixels where rows are copied.
  @inlinable @inline(__always) var pixelBlocks: Int {
    let rows = outputRowsPerUnit
    if rows > 0 { return (outputHeight &+ rows &- 1) / rows }
    let panels = Panels.count(columns: pixelsPerImage &* (joinsImages ? batch : 1))
    return (panels &+ panelsPerUnit &- 1) / panelsPerUnit
  }

  /// Blocks of filters of one group: so that threads find enough units in the smallest image.
  @inlinable @inline(__always) var filterBlocks: Int {
    (outputChannels / groups &+ filtersPerUnit &- 1) / filtersPerUnit
  }

  /// The filters of a unit: of `outputs` in each group, shared out evenly in multiples of 16.
  @inlinable @inline(__always)
  func filters(ofBlock block: Int, group: Int, of outputs: Int) -> Range<Int> {
    let each = ((outputs &+ filterBlocks &- 1) / filterBlocks &+ 15) / 16 &* 16
    let begin = min(outputs, block &* each)
    return group &* outputs &+ begin..<group &* outputs &+ min(outputs, begin &+ each)
  }

  /// Width of a padded input row in the scratch of a depthwise convolution, with room for a whole last vector.
  @inlinable @inline(__always) var paddedRowLength: Int {
    (((outputWidth &+ 15) / 16 &* 16) &- 1) &* window.strideWidth
      &+ window.dilationWidth &* (window.kernelWidth &- 1) &+ 16
  }

  /// How many units the work has.
  @inlinable public var workUnits: Int {
    if outputHeight == 0 || outputWidth == 0 { return 0 }
    switch algorithm {
    case .depthwise: return batch &* outputChannels
    case .panels: return (joinsImages ? 1 : batch) &* groups &* pixelBlocks &* filterBlocks
    case .winograd(let tile): return winogradUnits(tile)
    case .channelWinograd(let tile): return channelGrid(tile).units
    }
  }

  /// Bytes of scratch one thread needs.
  @inlinable public var scratchSize: Int {
    switch algorithm {
    case .depthwise:
      (max(window.kernelHeight &* paddedRowLength, width) &+ (pools ? pixelsPerImage : 0)) &* 4
    case .panels where outputRowsPerUnit > 0:
      (tapOffsetsSize &+ copiedRows(outputRowsPerUnit) &* copiedRowSize) &* 4
    case .panels:
      gatheredPanels &* 64 &* max(1, reductionLength)
        &+ (joinsImages || packsWeights
          ? panelsPerUnit &* 64 &* min(filtersPerUnit, (outputChannels / groups &+ 15) / 16 &* 16) : 0)
    case .winograd(let tile): winogradScratch(tile) &* 4
    case .channelWinograd(let tile): channelGrid(tile).scratch &* 4
    }
  }
}
