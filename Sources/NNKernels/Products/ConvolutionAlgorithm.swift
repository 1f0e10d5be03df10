/// How a convolution is computed. The choice follows from the operator's shape alone, never from the batch, the threads or the
/// instruction set, since algorithms differ in their bits.
public enum ConvolutionAlgorithm: Equatable, Sendable {
  /// Every tap a shifted read: one input channel per group, and few filters or a window of ``Window/isStrip``.
  case depthwise
  /// The weights times the taps of the output's pixels, gathered into panels; the same order of operations as ``depthwise``.
  case panels
  /// Fewer multiplications through transformed tiles, with bits of its own. Those of ``WinogradTile/wide`` are for large windows that move
  /// two pixels at a time: their even and odd rows and columns of taps are four windows over as many images, the *phases*, whose channels
  /// lie side by side.
  case winograd(WinogradTile)
  /// The same with channels and filters in the lanes instead of tiles, where both are multiples of 16; also for windows that move two pixels
  /// at a time.
  case channelWinograd(ChannelTile)

  /// The tile of Winograd's algorithm, and that of ``channelWinograd(_:)``; nil if it is another one.
  public var winograd: (tile: WinogradTile, channelTile: ChannelTile?)? {
    switch self {
    case .winograd(let tile): (tile, nil)
    case .channelWinograd(let channelTile): (channelTile.tile, channelTile)
    case .depthwise, .panels: nil
    }
  }

  /// How the gradient of its weights is computed: with tiles that have transforms of gradients, depthwise ones as others.
  public var ofWeightGradient: ConvolutionAlgorithm {
    switch self {
    case .winograd(let tile) where tile != .wide: self
    case .channelWinograd(let tile) where tile.stride == 1: .winograd(tile.tile == .two ? .two : .four)
    case .depthwise, .panels, .winograd, .channelWinograd: .panels
    }
  }

  /// With fewer channels or filters than this, transforming tiles takes longer than multiplying saves.
  static var leastWinogradChannels: Int { 16 }
  /// Channels · filters up to which transformed weights stay small enough to be used by the few tiles of a small image.
  static var smallWinogradWeights: Int { 128 &* 128 }
  /// Tiles of an image that make up for reading large transformed weights.
  static var manyWinogradTiles: Int { 16 }
  /// Tiles of ``WinogradTile/five`` that make up for reading its larger weights.
  static var manyFives: Int { 4 }
  /// The same for windows that move two pixels at a time, in elements of transformed weights.
  static var smallStridedWeights: Int { 36 &* 128 &* 128 }
  static var manyStridedTiles: Int { 36 }
  /// Elements of transformed weights that are too many for any image: memory, and time to make them. 32 MiB.
  static var mostStridedWeights: Int { 8 << 20 }
  /// Pixels of an output that make up for transforming tiles whose windows move two pixels at a time.
  static var leastStridedPixels: Int { 36 }

  /// Channels whose large windows are worth taking apart: with fewer, sums are too short, with more, weights too large.
  static var phasedChannels: ClosedRange<Int> { 3...16 }
  /// Tiles that make up for that.
  static var leastPhasedTiles: Int { 36 }

  /// `filters` are the output channels of all groups.
  public init(
    _ window: Window, channels: Int, filters: Int, groups: Int, outputHeight: Int, outputWidth: Int
  ) {
    if channels == groups && (filters < groups &* 4 || window.isStrip) {
      self = .depthwise
    } else if window.isWinograd, groups == 1, min(channels, filters) >= Self.leastWinogradChannels,
      let tile = Self.tile(channels, filters, outputHeight, outputWidth)
    {
      let isWhole = Self.hasWholePanels(channels, filters)
      self = isWhole ? .channelWinograd(ChannelTile(tile, stride: 1)) : .winograd(tile)
    } else if window.isStrip, window.strideWidth == 2, groups == 1,
      let tile = Self.stridedTile(channels, filters, outputHeight, outputWidth)
    {
      self = .channelWinograd(ChannelTile(tile, stride: 2))
    } else if window.isPhased, groups == 1, Self.phasedChannels.contains(channels),
      filters >= Self.leastWinogradChannels,
      WinogradTile.wide.count(outputHeight, outputWidth) >= Self.leastPhasedTiles
    {
      self = .winograd(.wide)
    } else {
      self = .panels
    }
  }

  /// The tile with the fewest products for an image, if they are well below those of the taps.
  static func tile(_ channels: Int, _ filters: Int, _ height: Int, _ width: Int) -> WinogradTile? {
    let (two, four) = (WinogradTile.two.count(height, width), WinogradTile.four.count(height, width))
    let (twoProducts, fourProducts) = (two &* 16, four &* 36)
    let isFour =
      fourProducts < twoProducts
      && (channels <= smallWinogradWeights / filters || four >= manyWinogradTiles)
    let products = isFour ? fourProducts : twoProducts
    guard products > 0, products &* 3 <= height &* width &* 18 else { return nil }
    let five = WinogradTile.five.count(height, width)
    if isFour, hasWholePanels(channels, filters), five >= manyFives, five &* 49 &* 5 <= fourProducts &* 4 {
      return .five
    }
    return isFour ? .four : .two
  }

  /// Whether channels and filters fill the lanes.
  static func hasWholePanels(_ channels: Int, _ filters: Int) -> Bool {
    channels > 0 && channels % 16 == 0 && filters > 0 && filters % 16 == 0
  }

  /// The same for windows that move two pixels at a time, whose transformed weights are larger.
  static func stridedTile(_ channels: Int, _ filters: Int, _ height: Int, _ width: Int) -> WinogradTile? {
    guard hasWholePanels(channels, filters), height &* width >= leastStridedPixels else { return nil }
    /// Whether a tile has well below the products of the taps, and enough uses for its weights.
    func pays(_ tile: WinogradTile) -> Bool {
      let (count, products) = (tile.count(height, width), ChannelTile(tile, stride: 2).products)
      let mostWeights = count >= manyStridedTiles ? mostStridedWeights : smallStridedWeights
      return count &* products &* 10 <= height &* width &* 9 &* 7
        && channels <= mostWeights / products / filters
    }
    return pays(.four) ? .four : pays(.two) ? .two : nil
  }
}

extension Window {
  /// 3 x 3 neighbours, one or two pixels at a time: a plane of outputs is computed strip by strip.
  @inlinable @inline(__always) var isStrip: Bool {
    kernelHeight == 3 && kernelWidth == 3 && dilationHeight == 1 && dilationWidth == 1
      && strideHeight == strideWidth && strideWidth <= 2
  }

  /// 6 to 8 taps both ways, two pixels at a time: phases with three or four.
  var isPhased: Bool {
    (6...8).contains(kernelHeight) && (6...8).contains(kernelWidth) && strideHeight == 2 && strideWidth == 2
      && dilationHeight == 1 && dilationWidth == 1
  }

  /// Whether Winograd's algorithm is for this window: 3 x 3, one pixel at a time.
  var isWinograd: Bool {
    kernelHeight == 3 && kernelWidth == 3 && strideHeight == 1 && strideWidth == 1 && dilationHeight == 1
      && dilationWidth == 1
  }
}
