import CPlatform

/// Weights as ``ConvolutionAlgorithm/winograd(_:)`` reads them: G w Gᵀ of every filter and channel.
///
/// weights is (M, C, kH, kW), 3 x 3 but for phases. Transformed, blocks of ``filtersPerBlock`` filters follow each other, and in a block its n² frequencies, each
/// with its filters in panels of 16: (phases, C, 16). So what one unit of the convolution reads is one stretch of memory.
/// With a ``channelTile`` as ``ConvolutionAlgorithm/channelWinograd(_:)`` reads them: blocks of ``channelFiltersPerBlock``, whose frequencies
/// have panels of (phases, C, 16).
/// Work units: ``workUnits``, panels.
public struct WinogradWeightsArguments {
  public var weights: UnsafePointer<Float>
  public var transformed: UnsafeMutablePointer<Float>
  public var tile: WinogradTile
  /// Where lanes of the convolution are channels; nil where they are tiles.
  public var channelTile: ChannelTile?
  public var filters: Int
  public var channels: Int
  public var kernelHeight: Int
  public var kernelWidth: Int

  @inlinable public init(
    weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>, tile: WinogradTile,
    channelTile: ChannelTile? = nil, filters: Int, channels: Int, kernel: (Int, Int) = (3, 3)
  ) {
    (kernelHeight, kernelWidth) = kernel
    self.channelTile = channelTile
    self.weights = weights
    self.transformed = transformed
    self.tile = tile
    self.filters = filters
    self.channels = channels
  }

  @inlinable public static var filtersPerBlock: Int { 32 }
  @inlinable public static var channelFiltersPerBlock: Int { 64 }
  @inlinable public var workUnits: Int { Panels.count(columns: filters) }

  /// Elements of the transformed weights.
  @inlinable public var size: Int {
    Self.size(tile, channelTile, filters: filters, channels: channels)
  }

  @inlinable static func size(
    _ tile: WinogradTile, _ channelTile: ChannelTile?, filters: Int, channels: Int
  ) -> Int {
    let products = channelTile?.products ?? (tile.frequencies &* tile.phases)
    return Panels.size(k: products &* channels, columns: filters)
  }

  /// The filters of the block that has `filter`, where lanes are channels.
  @inlinable @inline(__always) static func channelBlock(of filter: Int, _ filters: Int) -> Range<Int> {
    let first = filter / channelFiltersPerBlock &* channelFiltersPerBlock
    return first..<min(filters, first &+ channelFiltersPerBlock)
  }

  /// Where the block of `filter` begins, and elements from one of its frequencies to the next; `channels` are those of all phases.
  @inlinable @inline(__always)
  static func block(of filter: Int, _ tile: WinogradTile, filters: Int, channels: Int) -> (
    start: Int, frequencyStride: Int
  ) {
    let first = filter / filtersPerBlock &* filtersPerBlock
    let panels = Panels.count(columns: min(filtersPerBlock, filters &- first))
    return (first &* channels &* tile.frequencies, panels &* 16 &* channels)
  }
}

/// See ``WinogradWeightsArguments``. Lanes are filters. A tile is transformed where it stays in the cache, and then goes to its frequencies,
/// which lie far from each other.
@inlinable @inline(never)
func winogradWeights<I: InstructionSet>(
  _ arguments: WinogradWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  // A tile, and the taps of some channels.
  var vectors = InlineArray<337, Vector>(repeating: nnp_splat(0))
  withUnsafeMutableBytes(of: &vectors) { memory in
    let values = memory.baseAddress!.assumingMemoryBound(to: Float.self)
    var panel = units.lowerBound
    while panel < units.upperBound {
      arguments.transform(panel, values, I.self)
      panel &+= 1
    }
  }
}

extension WinogradWeightsArguments {
  /// Taps that are turned into vectors together: those of one channel, or of several.
  @inlinable static var turnedTaps: Int { 288 }

  /// The panel's filters, through `values`, which has room for 49 vectors and ``turnedTaps`` more; phase after phase, of which there is one if
  /// windows move one pixel at a time.
  @inlinable @inline(__always)
  func transform<I: InstructionSet>(_ panel: Int, _ values: UnsafeMutablePointer<Float>, _: I.Type) {
    let n = tile.inputs
    let filter = panel &* 16
    let depth = channels &* tile.phases
    let block = WinogradWeightsArguments.block(of: filter, tile, filters: filters, channels: depth)
    let inBlock = filter % WinogradWeightsArguments.filtersPerBlock &* depth
    let count = min(16, filters &- filter)
    let (side, taps) = (tile.taps, kernelHeight &* kernelWidth)
    let turned = values + 49 &* 16
    let together = WinogradWeightsArguments.turnedTaps / taps
    if count < 16 { nnp_clear(turned, WinogradWeightsArguments.turnedTaps &* 16) }
    let phases = channelTile?.stride == 2 ? 4 : tile.phases
    var first = 0
    while first < channels {
      let last = min(channels, first &+ together)
      transposeFloats(
        weights + (filter &* channels &+ first) &* taps, channels &* taps, turned, 16,
        (last &- first) &* taps, count)
      var phase = 0
      while phase < phases {
        var weight = UnsafePointer(turned)
        var target = transformed + (block.start &+ inBlock &+ (phase &* channels &+ first) &* 16)
        var channel = first
        while channel < last {
          var place = 0
          while place < side &* side {
            let tap = tap(place, phase)
            nnp_store(
              values + (place / side &* n &+ place % side) &* 16,
              tap >= 0 ? nnp_load(weight + tap &* 16) : nnp_splat(0))
            place &+= 1
          }
          tile.transformWeights(values, I.self)
          if let channelTile {
            store(channelTile, panel, phase / 2, phase % 2, channel, UnsafePointer(values))
          } else {
            var frequency = 0
            while frequency < n &* n {
              nnp_store(
                target + frequency &* block.frequencyStride,
                nnp_load(UnsafePointer(values) + frequency &* 16))
              frequency &+= 1
            }
          }
          weight += taps &* 16
          target += 16
          channel &+= 1
        }
        phase &+= 1
      }
      first = last
    }
  }

  /// The tap at a place of a phase's window, less than 0 for a missing one: along an axis, phases have the windows of ``ChannelTile``, or
  /// every second tap.
  @inlinable @inline(__always) func tap(_ place: Int, _ phase: Int) -> Int {
    if tile == .wide {
      let (row, column) = (place / 4 &* 2 &+ phase / 2, place % 4 &* 2 &+ phase % 2)
      return row < kernelHeight && column < kernelWidth ? row &* kernelWidth &+ column : -1
    }
    if channelTile?.stride != 2 { return place }
    let row = place / 3 &* 2 &+ phase / 2 &- 2
    let column = place % 3 &* 2 &+ phase % 2 &- 2
    return place >= 3 && place % 3 > 0 && row < 3 && column < 3 ? row &* 3 &+ column : -1
  }

  /// The frequencies that the phase has to their places.
  @inline(never) @export(interface)
  public func store(
    _ tile: ChannelTile, _ panel: Int, _ below: Int, _ beside: Int, _ channel: Int,
    _ values: UnsafePointer<Float>
  ) {
    let stored = Self.channelBlock(of: panel &* 16, filters)
    let block = transformed + tile.products &* stored.lowerBound &* channels
    let (n, first) = (tile.tile.inputs, tile.firstFrequency)
    var i = 0
    while i < tile.frequencies &- below {
      var j = 0
      while j < tile.frequencies &- beside {
        let phases = tile.phases(i) &* tile.phases(j)
        let phase = below &* tile.phases(j) &+ beside
        let row =
          tile.place(i, j) &* stored.count &+ (panel &* 16 &- stored.lowerBound) &* phases &+ phase &* 16
        nnp_store(
          block + (row &* channels &+ channel &* 16),
          nnp_load(values + ((i &+ first) &* n &+ j &+ first) &* 16)
        )
        j &+= 1
      }
      i &+= 1
    }
  }
}

extension WinogradTile {
  /// Phases of a window that moves two pixels at a time, both ways, where the tile is for them; else 1.
  @inlinable @inline(__always) var phases: Int { self == .wide ? 4 : 1 }

  /// G w Gᵀ in place: the r x r vectors at the corner of n x n become n x n.
  @inlinable @inline(never)
  func transformWeights<I: InstructionSet>(_ values: UnsafeMutablePointer<Float>, _: I.Type) {
    let n = inputs
    // The columns, then the rows.
    var line = 0
    while line < taps &+ n {
      let isRow = line >= taps
      let (start, step) = isRow ? ((line &- taps) &* n, 1) : (line, n)
      let first = values + start &* 16
      transformWeights(I.self) {
        nnp_load(UnsafePointer(first) + $0 &* step &* 16)
      } _: {
        nnp_store(first + $0 &* step &* 16, $1)
      }
      line &+= 1
    }
  }
}
