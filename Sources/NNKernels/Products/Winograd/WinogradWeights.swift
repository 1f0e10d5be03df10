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

/// See ``WinogradWeightsArguments``.
@inlinable @inline(__always)
func winogradWeights<I: InstructionSet>(
  _ arguments: WinogradWeightsArguments, _ units: Range<Int>, _: I.Type
) {
  winogradWeights(arguments, units, transpose: { I.transpose($0, $1, $2, $3, $4, $5) }) {
    $0.weightLines($1, $2, $3, $4, $5, $6, I.self)
  }
}

/// The same by functions of an instruction set: so most of it is compiled once.
@inline(never) @export(interface)
public func winogradWeights(
  _ arguments: WinogradWeightsArguments, _ units: Range<Int>, transpose: FloatTransposition,
  lines: WinogradWeightLines
) {
  WinogradTaps.withMemory { memory in
    var panel = units.lowerBound
    while panel < units.upperBound {
      arguments.transform(panel, memory, transpose, lines)
      panel &+= 1
    }
  }
}

extension WinogradWeightsArguments {
  /// The panel's filters, some channels at a time, and of these phase after phase, of which there is one if windows move one pixel at a time.
  /// Rows of frequencies go to their places, which lie far from each other, when they are whole.
  func transform(
    _ panel: Int, _ memory: UnsafeMutablePointer<Float>, _ transpose: FloatTransposition,
    _ lines: WinogradWeightLines
  ) {
    let (filter, taps) = (panel &* 16, kernelHeight &* kernelWidth)
    let count = min(16, filters &- filter)
    let phases = channelTile?.stride == 2 ? 4 : tile.phases
    let turned = memory + (phases == 1 ? 0 : WinogradTaps.size)
    if count < 16 { nnp_clear(turned, WinogradTaps.mostTaps &* 16) }
    var first = 0
    while first < channels {
      let group = WinogradTaps(tile, min(WinogradTaps.mostTaps / taps, channels &- first), memory)
      transpose(
        weights + (filter &* channels &+ first) &* taps, channels &* taps, turned, 16, group.channels &* taps,
        count)
      var phase = 0
      while phase < phases {
        if phases > 1 { pick(phase, of: turned, group) }
        group.transformColumns(lines)
        var frequency = 0
        while frequency < tile.frequencies {
          let (i, j) = (frequency / tile.inputs, frequency % tile.inputs)
          if j == 0 { group.transformRow(i, lines) }
          if let place = place(panel, phase, i, j) {
            group.copyFrequency(j, to: transformed + (place &+ first &* 16))
          }
          frequency &+= 1
        }
        phase &+= 1
      }
      first &+= group.channels
    }
  }

  /// The taps of a phase's windows, of all that were turned; zeros for missing ones.
  private func pick(_ phase: Int, of turned: UnsafeMutablePointer<Float>, _ group: WinogradTaps) {
    let places = tile.taps &* tile.taps
    var index = 0
    while index < group.channels &* places {
      let (channel, tap) = (index / places, tap(index % places, phase))
      let source = turned + (channel &* kernelHeight &* kernelWidth &+ max(0, tap)) &* 16
      nnp_store(group.taps + index &* 16, tap >= 0 ? nnp_load(source) : nnp_splat(0))
      index &+= 1
    }
  }

  /// The tap at a place of a phase's window, less than 0 for a missing one: along an axis, phases have the windows of ``ChannelTile``, or
  /// every second tap.
  private func tap(_ place: Int, _ phase: Int) -> Int {
    if tile == .wide {
      let (row, column) = (place / 4 &* 2 &+ phase / 2, place % 4 &* 2 &+ phase % 2)
      return row < kernelHeight && column < kernelWidth ? row &* kernelWidth &+ column : -1
    }
    let row = place / 3 &* 2 &+ phase / 2 &- 2
    let column = place % 3 &* 2 &+ phase % 2 &- 2
    return place >= 3 && place % 3 > 0 && row < 3 && column < 3 ? row &* 3 &+ column : -1
  }

  /// Where frequency (i, j) of a panel begins, nil for one that the phase does not have.
  private func place(_ panel: Int, _ phase: Int, _ i: Int, _ j: Int) -> Int? {
    let filter = panel &* 16
    guard let channelTile else {
      let depth = channels &* tile.phases
      let block = WinogradWeightsArguments.block(of: filter, tile, filters: filters, channels: depth)
      return block.start &+ (i &* tile.inputs &+ j) &* block.frequencyStride
        &+ filter % WinogradWeightsArguments.filtersPerBlock &* depth &+ phase &* channels &* 16
    }
    let (below, beside) = (phase / 2, phase % 2)
    let (i, j) = (i &- channelTile.firstFrequency, j &- channelTile.firstFrequency)
    let stored = Self.channelBlock(of: filter, filters)
    let last = channelTile.frequencies
    guard i >= 0, j >= 0, i < last &- below, j < last &- beside else { return nil }
    let inPanel = below &* channelTile.phases(j) &+ beside
    let row =
      channelTile.place(i, j) &* stored.count
      &+ (filter &- stored.lowerBound) &* channelTile.phases(i) &* channelTile.phases(j) &+ inPanel &* 16
    return (channelTile.products &* stored.lowerBound &+ row) &* channels
  }
}

extension WinogradTile {
  /// Phases of a window that moves two pixels at a time, both ways, where the tile is for them; else 1.
  @inlinable @inline(__always) var phases: Int { self == .wide ? 4 : 1 }
}
