import CPlatform

/// Weights as ``ConvolutionAlgorithm/winograd(_:)`` reads them: G w Gᵀ of every filter and channel.
///
/// weights is (M, C, 3, 3), transformed (n², M, ``paddedChannels(_:)``). Work units: filters.
public struct WinogradWeightsArguments {
  public var weights: UnsafePointer<Float>
  public var transformed: UnsafeMutablePointer<Float>
  public var tile: WinogradTile
  public var filters: Int
  public var channels: Int

  @inlinable public init(
    weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>, tile: WinogradTile, filters: Int,
    channels: Int
  ) {
    self.weights = weights
    self.transformed = transformed
    self.tile = tile
    self.filters = filters
    self.channels = channels
  }

  /// Elements from one filter to the next: whole vectors.
  @inlinable public static func paddedChannels(_ channels: Int) -> Int { (channels &+ 15) / 16 &* 16 }
}

/// See ``WinogradWeightsArguments``. Lanes are channels.
@inlinable @inline(never) @_optimize(size)
func winogradWeights<I: InstructionSet>(
  _ arguments: WinogradWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  let tile = arguments.tile
  let n = tile.inputs
  let channels = arguments.channels
  let row = WinogradWeightsArguments.paddedChannels(channels)
  let frequency = arguments.filters &* row
  var filter = units.lowerBound
  while filter < units.upperBound {
    var channel = 0
    while channel < channels {
      let source = arguments.weights + (filter &* channels &+ channel) &* 9
      let target = arguments.transformed + (filter &* row &+ channel)
      let count = min(16, channels &- channel)
      var tap = 0
      while tap < 9 {
        let place = target + (tap / 3 &* n &+ tap % 3) &* frequency
        nnp_store(place, nnp_load_strided_lanes(source + tap, 9, 0, count, 0))
        tap &+= 1
      }
      // In place: the columns, then the rows.
      var line = 0
      while line < 3 &+ n {
        let isRow = line >= 3
        let (start, step) = isRow ? ((line &- 3) &* n, 1) : (line, n)
        let first = target + start &* frequency
        tile.transformWeights(I.self) {
          nnp_load(UnsafePointer(first) + $0 &* step &* frequency)
        } _: {
          nnp_store(first + $0 &* step &* frequency, $1)
        }
        line &+= 1
      }
      channel &+= 16
    }
    filter &+= 1
  }
}
