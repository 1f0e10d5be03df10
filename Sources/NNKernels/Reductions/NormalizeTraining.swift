import CPlatform

/// What training a normalisation by batch takes from each channel, see ``KernelTable/channelMoments`` and
/// ``KernelTable/channelProducts``.
///
/// x and dy are (outer, channels, inner), the result is (2, channels). Work units: channels.
public struct ChannelSumsArguments {
  public var x: UnsafePointer<Float>
  /// Of products only, as `moments`: (2, channels), means first.
  public var dy: UnsafePointer<Float>
  public var moments: UnsafePointer<Float>
  public var result: UnsafeMutablePointer<Float>
  public var outer: Int
  public var channels: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, moments: UnsafePointer<Float>,
    result: UnsafeMutablePointer<Float>, outer: Int, channels: Int, inner: Int
  ) {
    self.x = x
    self.dy = dy
    self.moments = moments
    self.result = result
    self.outer = outer
    self.channels = channels
    self.inner = inner
  }
}

/// dx of a normalisation of rows; x, dy and dx are (rows, inner), scale is (inner). dx may be x or dy. Work units: rows.
public struct LayerNormalizeGradientArguments {
  public var x: UnsafePointer<Float>
  public var scale: UnsafePointer<Float>
  public var dy: UnsafePointer<Float>
  public var dx: UnsafeMutablePointer<Float>
  public var epsilon: Float
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, scale: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>,
    epsilon: Float, inner: Int
  ) {
    self.x = x
    self.scale = scale
    self.dy = dy
    self.dx = dx
    self.epsilon = epsilon
    self.inner = inner
  }
}

/// dx of a normalisation by the moments of x itself; x, dy and dx are (outer, channels, inner), scale is (channels), moments and
/// products are (2, channels). dx may be x or dy. Work units: outer · channels.
public struct BatchNormalizeGradientArguments {
  public var x: UnsafePointer<Float>
  public var dy: UnsafePointer<Float>
  public var scale: UnsafePointer<Float>
  public var moments: UnsafePointer<Float>
  public var products: UnsafePointer<Float>
  public var dx: UnsafeMutablePointer<Float>
  public var epsilon: Float
  public var outer: Int
  public var channels: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, scale: UnsafePointer<Float>,
    moments: UnsafePointer<Float>, products: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    epsilon: Float, outer: Int, channels: Int, inner: Int
  ) {
    self.x = x
    self.dy = dy
    self.scale = scale
    self.moments = moments
    self.products = products
    self.dx = dx
    self.epsilon = epsilon
    self.outer = outer
    self.channels = channels
    self.inner = inner
  }
}

/// Walks the elements of one channel in row-major order, so that each meets the lane of its number modulo 16, and gives the lanes a run
/// fills: `body(offset in x, first lane, lane after the last)`; element i of the piece is at offset + lane.
@inlinable @inline(__always)
func forEachPiece(
  _ arguments: ChannelSumsArguments, _ channel: Int, _ body: (_ offset: Int, _ begin: Int, _ end: Int) -> Void
) {
  var lane = 0
  var item = 0
  while item < arguments.outer {
    let start = (item &* arguments.channels &+ channel) &* arguments.inner
    var i = 0
    while i < arguments.inner {
      let end = min(16, lane &+ arguments.inner &- i)
      body(start &+ i &- lane, lane, end)
      i &+= end &- lane
      lane = end & 15
    }
    item &+= 1
  }
}

@inlinable @inline(__always)
func loadPiece(_ x: UnsafePointer<Float>, _ begin: Int, _ end: Int, _ rest: Float) -> Vector {
  end &- begin == 16 ? nnp_load(x) : nnp_load_lanes(x, begin, end, nnp_splat(rest))
}

/// Mean and biased variance of each channel; the variance is taken around the mean.
@inlinable
func channelMoments<I: InstructionSet>(_ arguments: ChannelSumsArguments, _ range: Range<Int>, _: I.Type) {
  let count = Float(arguments.outer &* arguments.inner)
  var channel = range.lowerBound
  while channel < range.upperBound {
    var lanes = nnp_splat(0)
    forEachPiece(arguments, channel) { lanes = lanes + loadPiece(arguments.x + $0, $1, $2, 0) }
    let mean = SumFold.foldLanes(lanes, I.self) / count
    let centre = nnp_splat(mean)
    var squares = nnp_splat(0)
    forEachPiece(arguments, channel) {
      let distance = loadPiece(arguments.x + $0, $1, $2, mean) - centre
      squares = I.fma(distance, distance, squares)
    }
    arguments.result[channel] = mean
    arguments.result[arguments.channels &+ channel] = SumFold.foldLanes(squares, I.self) / count
    channel &+= 1
  }
}

/// Σ dy and Σ dy·(x − mean) of each channel.
@inlinable
func channelProducts<I: InstructionSet>(_ arguments: ChannelSumsArguments, _ range: Range<Int>, _: I.Type) {
  var channel = range.lowerBound
  while channel < range.upperBound {
    let mean = arguments.moments[channel]
    let centre = nnp_splat(mean)
    var sums = nnp_splat(0)
    var products = nnp_splat(0)
    forEachPiece(arguments, channel) {
      let gradient = loadPiece(arguments.dy + $0, $1, $2, 0)
      sums = sums + gradient
      products = I.fma(gradient, loadPiece(arguments.x + $0, $1, $2, mean) - centre, products)
    }
    arguments.result[channel] = SumFold.foldLanes(sums, I.self)
    arguments.result[arguments.channels &+ channel] = SumFold.foldLanes(products, I.self)
    channel &+= 1
  }
}

/// With r = 1/√(σ² + ε): dx = scale·r·(dy − Σ dy/n − (x − μ)·r²·Σ dy·(x − μ)/n). Ioffe and Szegedy 2015, differentiated.
///
/// Sixteen elements of one channel, or of sixteen channels that have one each.
@inlinable
func batchNormalizeGradient<I: InstructionSet>(
  _ arguments: BatchNormalizeGradientArguments, _ range: Range<Int>, _: I.Type
) {
  let (channels, inner) = (arguments.channels, arguments.inner)
  let count = nnp_splat(Float(arguments.outer &* inner))
  var unit = range.lowerBound
  while unit < range.upperBound {
    let channel = unit % channels
    let width = inner == 1 ? min(16, min(channels &- channel, range.upperBound &- unit)) : 1
    func row(_ values: UnsafePointer<Float>, _ index: Int) -> Vector {
      let first = values + (index &* channels &+ channel)
      return inner == 1 ? loadColumns(first, width, 1) : nnp_splat(first.pointee)
    }
    let inverse = nnp_splat(1) / nnp_sqrt(row(arguments.moments, 1) + nnp_splat(arguments.epsilon))
    let mean = row(arguments.moments, 0)
    let shift = row(arguments.products, 0) / count
    let slope = row(arguments.products, 1) / count * inverse * inverse
    let factor = row(arguments.scale, 0) * inverse
    let (start, end) = (unit &* inner, (unit &+ width) &* inner)
    var i = start
    while i < end {
      let left = end &- i
      let distance = mean - loadColumns(arguments.x + i, left, 0)
      let gradient = loadColumns(arguments.dy + i, left, 0) - shift
      storeColumns(arguments.dx + i, left, I.fma(distance, slope, gradient) * factor)
      i &+= 16
    }
    unit &+= width
  }
}

/// With n = (x − μ)·r and g = dy·scale: dx = r·(g − mean(g) − n·mean(g·n)).
@inlinable
func layerNormalizeGradient<I: InstructionSet>(
  _ arguments: LayerNormalizeGradientArguments, _ range: Range<Int>, _: I.Type
) {
  let count = arguments.inner
  let divisor = Float(count)
  var row = range.lowerBound
  while row < range.upperBound {
    let (x, dy, dx) = (arguments.x + row &* count, arguments.dy + row &* count, arguments.dx + row &* count)
    let meanValue = SumFold.fold(x, count, I.self) / divisor
    let mean = nnp_splat(meanValue)
    var squares = nnp_splat(0)
    var sums = nnp_splat(0)
    var products = nnp_splat(0)
    var i = 0
    while i < count {
      let left = count &- i
      // Past the end lie the mean itself and a gradient of 0.
      let distance = loadColumns(x + i, left, meanValue) - mean
      let gradient = loadColumns(dy + i, left, 0) * loadColumns(arguments.scale + i, left, 0)
      squares = I.fma(distance, distance, squares)
      sums = sums + gradient
      products = I.fma(gradient, distance, products)
      i &+= 16
    }
    let variance = nnp_splat(SumFold.foldLanes(squares, I.self) / divisor)
    let inverse = nnp_splat(1) / nnp_sqrt(variance + nnp_splat(arguments.epsilon))
    let shift = nnp_splat(SumFold.foldLanes(sums, I.self) / divisor)
    let slope = nnp_splat(SumFold.foldLanes(products, I.self) / divisor) * inverse * inverse
    i = 0
    while i < count {
      let left = count &- i
      let distance = loadColumns(x + i, left, meanValue) - mean
      let gradient = loadColumns(dy + i, left, 0) * loadColumns(arguments.scale + i, left, 0)
      storeColumns(dx + i, left, (gradient - shift - distance * slope) * inverse)
      i &+= 16
    }
    row &+= 1
  }
}
