import CPlatform

/// Weights as ``TransposedConvolutionArguments`` read them.
///
/// weights is (M·kH·kW, C). Transformed, blocks of filters follow each other, and in a block the frequencies, each with its filters in panels
/// of 16: (C, 16), phase after phase of those that have the frequency. Work units: ``workUnits``, panels.
public struct TransposedWeightsArguments {
  public var weights: UnsafePointer<Float>
  public var transformed: UnsafeMutablePointer<Float>
  @usableFromInline let convolution: TransposedConvolutionArguments

  @inlinable public init(
    weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>,
    _ convolution: TransposedConvolutionArguments
  ) {
    self.weights = weights
    self.transformed = transformed
    self.convolution = convolution
  }

  @inlinable public var workUnits: Int { convolution.filters / 16 }
}

/// See ``TransposedWeightsArguments``. Lanes are filters.
@inlinable @inline(never)
func transposedWeights<I: InstructionSet>(
  _ arguments: TransposedWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  var tile = InlineArray<36, Vector>(repeating: nnp_splat(0))
  withUnsafeMutableBytes(of: &tile) { memory in
    let values = memory.baseAddress!.assumingMemoryBound(to: Float.self)
    var panel = units.lowerBound
    while panel < units.upperBound {
      var phase = 0
      while phase < 4 {
        var channel = 0
        while channel < arguments.convolution.channels {
          arguments.transform(panel, phase / 2, phase % 2, channel, values, I.self)
          channel &+= 1
        }
        phase &+= 1
      }
      panel &+= 1
    }
  }
}

extension TransposedWeightsArguments {
  /// One phase and channel of sixteen filters, through `values`, which has room for n² vectors.
  @inlinable @inline(__always)
  func transform<I: InstructionSet>(
    _ panel: Int, _ rowPhase: Int, _ columnPhase: Int, _ channel: Int, _ values: UnsafeMutablePointer<Float>,
    _: I.Type
  ) {
    let (tile, down, across) = (convolution.tile, convolution.down, convolution.across)
    let (n, channels) = (tile.inputs, convolution.channels)
    let taps = down.kernel &* across.kernel
    let source = weights + (panel &* 16 &* taps &* channels &+ channel)
    var tap = 0
    while tap < 9 {
      var weight = nnp_splat(0)
      if let y = down.tap(rowPhase, tap / 3 &- 1), let x = across.tap(columnPhase, tap % 3 &- 1) {
        let first = source + (y &* across.kernel &+ x) &* channels
        weight = nnp_load_strided_lanes(first, taps &* channels, 0, 16, 0)
      }
      nnp_store(values + (tap / 3 &* n &+ tap % 3) &* 16, weight)
      tap &+= 1
    }
    tile.transformWeights(values, I.self)
    store(panel, rowPhase, columnPhase, channel, UnsafePointer(values))
  }

  /// The frequencies that the phase has to their places.
  @inline(never) @export(interface)
  public func store(
    _ panel: Int, _ rowPhase: Int, _ columnPhase: Int, _ channel: Int, _ values: UnsafePointer<Float>
  ) {
    let (tile, down, across) = (convolution.tile, convolution.down, convolution.across)
    let channels = convolution.channels
    let perBlock = TransposedConvolutionArguments.filtersPerBlock
    let first = panel &* 16 / perBlock &* perBlock
    let filters = min(perBlock, convolution.filters &- first)
    var target = transformed + convolution.products &* first &* channels
    var frequency = 0
    while frequency < tile.frequencies {
      let (i, j) = (frequency / tile.inputs, frequency % tile.inputs)
      if down.frequencies(rowPhase, tile).contains(i) && across.frequencies(columnPhase, tile).contains(j) {
        let beside = across.phases(j, tile)
        let place = (rowPhase &- down.first(i, tile)) &* beside &+ columnPhase &- across.first(j, tile)
        let row = (place &* filters &+ panel &* 16 &- first) &* channels &+ channel &* 16
        nnp_store(target + row, nnp_load(values + frequency &* 16))
      }
      target += down.phases(i, tile) &* across.phases(j, tile) &* filters &* channels
      frequency &+= 1
    }
  }
}
