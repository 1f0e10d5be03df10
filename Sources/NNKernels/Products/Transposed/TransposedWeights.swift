import CPlatform

/// Weights as ``TransposedConvolutionArguments`` read them.
///
/// weights is (M·kH·kW, C). Transformed, blocks of filters follow each other, and in a block the frequencies, each with its filters in panels
/// of 16: (C, 16), phase after phase of those that have the frequency. Taps that are multiplied themselves follow each other for each
/// panel of 16 filters: (kH·kW, C, 16). Work units: ``workUnits``, panels.
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

/// See ``TransposedWeightsArguments``.
@inlinable @inline(__always)
func transposedWeights<I: InstructionSet>(
  _ arguments: TransposedWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  transposedWeights(arguments, units, transpose: { I.transpose($0, $1, $2, $3, $4, $5) }) {
    $0.weightLines($1, $2, $3, $4, $5, $6, I.self)
  }
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface)
public func transposedWeights(
  _ arguments: TransposedWeightsArguments, _ units: Range<Int>, transpose: FloatTransposition,
  lines: WinogradWeightLines
) {
  if arguments.convolution.multipliesTaps { return arguments.copyTaps(units, transpose) }
  WinogradTaps.withMemory { memory in
    let channels = arguments.convolution.channels
    var panel = units.lowerBound
    while panel < units.upperBound {
      var phase = 0
      while phase < 4 {
        var first = 0
        while first < channels {
          let taps = WinogradTaps(
            arguments.convolution.tile, min(WinogradTaps.mostTaps / 9, channels &- first), memory)
          arguments.transform(panel, phase / 2, phase % 2, first, taps, transpose, lines)
          first &+= taps.channels
        }
        phase &+= 1
      }
      panel &+= 1
    }
  }
}

extension TransposedWeightsArguments {
  func copyTaps(_ panels: Range<Int>, _ transpose: FloatTransposition) {
    let (taps, channels) = (convolution.products, convolution.channels)
    var place = panels.lowerBound &* taps
    while place < panels.upperBound &* taps {
      let (panel, tap) = (place / taps, place % taps)
      transpose(
        weights + (panel &* 16 &* taps &+ tap) &* channels, taps &* channels,
        transformed + place &* channels &* 16, 16, channels, 16)
      place &+= 1
    }
  }

  /// One phase of sixteen filters and of some channels from `channel` on.
  func transform(
    _ panel: Int, _ rowPhase: Int, _ columnPhase: Int, _ channel: Int, _ group: WinogradTaps,
    _ transpose: FloatTransposition, _ lines: WinogradWeightLines
  ) {
    let (tile, down, across) = (convolution.tile, convolution.down, convolution.across)
    let channels = convolution.channels
    let taps = down.kernel &* across.kernel
    let source = weights + (panel &* 16 &* taps &* channels &+ channel)
    nnp_clear(group.taps, 9 &* group.channels &* 16)
    var tap = 0
    while tap < 9 {
      if let y = down.tap(rowPhase, tap / 3 &- 1), let x = across.tap(columnPhase, tap % 3 &- 1) {
        transpose(
          source + (y &* across.kernel &+ x) &* channels, taps &* channels, group.taps + tap &* 16, 9 &* 16,
          group.channels, 16)
      }
      tap &+= 1
    }
    group.transformColumns(lines)
    // The frequencies that the phase has go to their places.
    let perBlock = TransposedConvolutionArguments.filtersPerBlock
    let first = panel &* 16 / perBlock &* perBlock
    let filters = min(perBlock, convolution.filters &- first)
    var target = transformed + convolution.products &* first &* channels
    var frequency = 0
    while frequency < tile.frequencies {
      let (i, j) = (frequency / tile.inputs, frequency % tile.inputs)
      if j == 0 { group.transformRow(i, lines) }
      if down.frequencies(rowPhase, tile).contains(i) && across.frequencies(columnPhase, tile).contains(j) {
        let beside = across.phases(j, tile)
        let place = (rowPhase &- down.first(i, tile)) &* beside &+ columnPhase &- across.first(j, tile)
        let row = (place &* filters &+ panel &* 16 &- first) &* channels &+ channel &* 16
        group.copyFrequency(j, to: target + row)
      }
      target += down.phases(i, tile) &* across.phases(j, tile) &* filters &* channels
      frequency &+= 1
    }
  }
}
