import CPlatform

/// An image of few pixels that ``TransposedConvolutionArguments`` multiplies with the taps themselves, and where its numbers lie in scratch.
struct TransposedImage {
  private let arguments: TransposedConvolutionArguments
  private let image: Int
  /// The image, (pixels, C).
  private let inputs: UnsafeMutablePointer<Float>
  /// The products with the taps of sixteen filters, (pixels, kH·kW, 16).
  private let products: UnsafeMutablePointer<Float>
  /// The outputs of sixteen filters, (2H, 2W, 16).
  private let outputs: UnsafeMutablePointer<Float>

  private var pixels: Int { arguments.height &* arguments.width }

  private init(
    _ arguments: TransposedConvolutionArguments, _ image: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    self.arguments = arguments
    self.image = image
    let pixels = arguments.height &* arguments.width
    inputs = scratch
    products = inputs + pixels &* arguments.channels
    outputs = products + pixels &* arguments.products &* 16
  }

  /// Units are counted as those of tiles are, an image being one block.
  static func convolve(
    _ arguments: TransposedConvolutionArguments, _ scratch: UnsafeMutablePointer<Float>, _ units: Range<Int>,
    transpose: FloatTransposition, multiply: (ProductBlock) -> Void
  ) {
    let filterBlocks = arguments.filterBlocks
    /// The image whose pixels lie in scratch.
    var present = -1
    var unit = units.lowerBound
    while unit < units.upperBound {
      let one = TransposedImage(arguments, unit / filterBlocks, scratch)
      if one.image != present {
        let (plane, channels) = (one.pixels, arguments.channels)
        transpose(
          arguments.x + one.image &* channels &* plane, plane, one.inputs, channels, plane, channels)
        present = one.image
      }
      let first = unit % filterBlocks &* TransposedConvolutionArguments.filtersPerBlock
      let last = min(first &+ TransposedConvolutionArguments.filtersPerBlock, arguments.filters)
      var filter = first
      while filter < last {
        one.multiply(filter, multiply)
        one.fold()
        let (height, width) = (2 &* arguments.height, 2 &* arguments.width)
        scatterPanel(
          UnsafePointer(one.outputs), width, height, width,
          arguments.y + (one.image &* arguments.filters &+ filter) &* height &* width, height, width,
          transpose)
        filter &+= 16
      }
      unit &+= 1
    }
  }

  /// The products with the taps of sixteen filters.
  private func multiply(_ filter: Int, _ multiply: (ProductBlock) -> Void) {
    let (taps, channels) = (arguments.products, arguments.channels)
    multiply(
      ProductBlock(
        a: UnsafePointer(inputs), aStride: channels,
        panels: arguments.transformedWeights + filter &* taps &* channels, panelStride: channels &* 16,
        c: products, cStride: taps &* 16, columnBias: nil, rowBias: nil, rows: pixels, columns: taps &* 16,
        k: channels, readsPanelsAhead: true))
  }

  /// Every output takes its taps in ascending order, from +0 on, as ``UnfoldArguments`` says.
  private func fold() {
    let (down, across, width) = (arguments.down, arguments.across, arguments.width)
    var target = outputs
    var y = 0
    while y < 2 &* arguments.height {
      let rows = down.inputs(of: y, among: arguments.height)
      var x = 0
      while x < 2 &* width {
        let columns = across.inputs(of: x, among: width)
        var sum = nnp_splat(0)
        // Taps ascend where inputs descend.
        var row = rows.upperBound
        while row > rows.lowerBound {
          row &-= 1
          var column = columns.upperBound
          while column > columns.lowerBound {
            column &-= 1
            let tap = down.tap(y, of: row) &* across.kernel &+ across.tap(x, of: column)
            sum = sum + nnp_load(products + ((row &* width &+ column) &* arguments.products &+ tap) &* 16)
          }
        }
        nnp_store(target, sum)
        target += 16
        x &+= 1
      }
      y &+= 1
    }
  }
}
