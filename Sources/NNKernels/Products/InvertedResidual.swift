import CPlatform

// An expansion, a depthwise convolution and a projection to fewer channels run as one where several threads share the work: an inverted
// residual of mobile networks, Sandler et al. 2018. Each thread takes a band of rows through all three. So it reads what it wrote itself,
// where sharing out the channels of one and the pixels of the next would have half of what lies between come from the other's
// cache; it computes the rows of the expansion once more that windows of two bands share.

extension ExpandedConvolutionArguments {
  /// The same followed by a convolution of one pixel that alone reads the outputs; nil where its threads would have too few rows each, or
  /// where it would compute otherwise than as a product.
  public func projecting(_ projection: ConvolutionArguments, among threads: Int) -> Self? {
    let (height, width) = (depthwise.outputHeight, depthwise.outputWidth)
    guard threads > 1, projection.algorithm == .panels, projection.isPixelwise, projection.groups == 1,
      projection.batch == depthwise.batch, projection.channels == depthwise.outputChannels,
      projection.outputHeight == height, projection.outputWidth == width, !projection.packsWeights,
      !expansion.packsWeights, height > 0, width > 0, depthwise.batch > 0, depthwise.outputChannels > 0
    else { return nil }
    // Enough for all threads, and more where they would not fit in a cache.
    let share = (threads &+ depthwise.batch &- 1) / depthwise.batch
    let most = max(1, Self.bandSize / (depthwise.outputChannels &* width))
    let bands = (height &+ share &* most &- 1) / (share &* most) &* share
    let rows = (height &+ bands &- 1) / bands
    guard rows >= Self.leastRows else { return nil }
    var result = self
    result.projection = projection
    result.rowsPerUnit = rows
    return result
  }

  /// Elements between the depthwise convolution and the projection: what fits in a second-level cache of 2 MiB with the rest.
  private static var bandSize: Int { 262144 }
  /// Of fewer rows, those computed twice would show.
  private static var leastRows: Int { 7 }

  /// Bands of rows of an image.
  @usableFromInline var bands: Int { (depthwise.outputHeight &+ rowsPerUnit &- 1) / rowsPerUnit }

  /// From a channel of what is projected to the next: an odd number of cache lines, see ``planeSize``.
  var projectedSize: Int { ((rowsPerUnit &* depthwise.outputWidth &+ 15) / 16 | 1) &* 16 }

  /// A band of rows through all three convolutions.
  func projectUnit(
    _ unit: Int, _ copiedRows: Int, _ floats: UnsafeMutablePointer<Float>, _ functions: PanelFunctions,
    _ depthwiseChannels: DepthwiseChannels
  ) {
    guard let projection else { return }
    let item = unit / bands
    let first = unit % bands &* rowsPerUnit
    let rows = first..<min(depthwise.outputHeight, first &+ rowsPerUnit)
    let (middle, size) = (floats + projectedOffset, projectedSize)
    var channel = 0
    while channel < expansion.outputChannels {
      let next = min(expansion.outputChannels, channel &+ channelsPerUnit)
      run(
        item, channel..<next, rows, copiedRows, floats, middle + channel &* size, size, functions,
        depthwiseChannels)
      channel = next
    }
    let pixels = projection.pixelsPerImage
    let start = item &* projection.outputChannels &* pixels &+ first &* depthwise.outputWidth
    // Columns behind the last pixel are of any value, and go nowhere.
    var block = ProductBlock(
      a: projection.weights, aStride: projection.channels, panels: UnsafePointer(middle), panelStride: 16,
      panelStep: size, c: projection.y + start, cStride: pixels, columnBias: nil, rowBias: projection.bias,
      rows: projection.outputChannels, columns: rows.count &* depthwise.outputWidth, k: projection.channels,
      readsAhead: true, epilogue: projection.epilogue)
    if let residual = projection.residual { block.residual = residual + start }
    functions.multiply(block)
    if projection.epilogue.isSeparate { functions.finish(block, projection.epilogue) }
  }
}
