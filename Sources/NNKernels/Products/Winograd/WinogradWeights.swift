import CPlatform

/// Weights as ``ConvolutionAlgorithm/winograd(_:)`` reads them: G w Gᵀ of every filter and channel.
///
/// weights is (M, C, 3, 3). Transformed, blocks of ``filtersPerBlock`` filters follow each other, and in a block its n² frequencies, each
/// with its filters in panels of 16: (C, 16). So what one unit of the convolution reads is one stretch of memory.
/// Work units: ``workUnits``, panels.
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

  @inlinable public static var filtersPerBlock: Int { 32 }
  @inlinable public var workUnits: Int { Panels.count(columns: filters) }

  /// Elements of the transformed weights.
  @inlinable static func size(_ tile: WinogradTile, filters: Int, channels: Int) -> Int {
    tile.frequencies &* Panels.count(columns: filters) &* 16 &* channels
  }

  /// Where the block of `filter` begins, and elements from one of its frequencies to the next.
  @inlinable @inline(__always)
  static func block(of filter: Int, _ tile: WinogradTile, filters: Int, channels: Int) -> (
    start: Int, frequencyStride: Int
  ) {
    let first = filter / filtersPerBlock &* filtersPerBlock
    let panels = Panels.count(columns: min(filtersPerBlock, filters &- first))
    return (first &* channels &* tile.frequencies, panels &* 16 &* channels)
  }
}

/// See ``WinogradWeightsArguments``. Lanes are filters.
@inlinable @inline(never) @_optimize(size)
func winogradWeights<I: InstructionSet>(
  _ arguments: WinogradWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  let tile = arguments.tile
  let n = tile.inputs
  let (channels, filters) = (arguments.channels, arguments.filters)
  var panel = units.lowerBound
  while panel < units.upperBound {
    let filter = panel &* 16
    let block = WinogradWeightsArguments.block(of: filter, tile, filters: filters, channels: channels)
    let inBlock = filter % WinogradWeightsArguments.filtersPerBlock &* channels
    let frequency = block.frequencyStride
    var channel = 0
    while channel < channels {
      let source = arguments.weights + (filter &* channels &+ channel) &* 9
      let target = arguments.transformed + (block.start &+ inBlock &+ channel &* 16)
      let count = min(16, filters &- filter)
      var tap = 0
      while tap < 9 {
        let place = target + (tap / 3 &* n &+ tap % 3) &* frequency
        nnp_store(place, nnp_load_strided_lanes(source + tap, channels &* 9, 0, count, 0))
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
      channel &+= 1
    }
    panel &+= 1
  }
}
