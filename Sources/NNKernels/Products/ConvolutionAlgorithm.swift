/// How a convolution is computed. The choice follows from the operator's shape alone, never from the batch, the threads or the
/// instruction set, since algorithms differ in their bits.
public enum ConvolutionAlgorithm: Equatable, Sendable {
  /// Every tap a shifted read: one input channel per group, and few filters or a window of ``Window/isStrip``.
  case depthwise
  /// The weights times the taps of the output's pixels, gathered into panels; the same order of operations as ``depthwise``.
  case panels
  /// Fewer multiplications through transformed tiles, with bits of its own.
  case winograd(WinogradTile)

  /// With fewer channels or filters than this, transforming tiles takes longer than multiplying saves.
  static var leastWinogradChannels: Int { 16 }
  /// Channels · filters up to which transformed weights stay small enough to be used by the few tiles of a small image.
  static var smallWinogradWeights: Int { 128 &* 128 }
  /// Tiles of an image that make up for reading large transformed weights.
  static var manyWinogradTiles: Int { 16 }

  /// `filters` are the output channels of all groups.
  public init(
    _ window: Window, channels: Int, filters: Int, groups: Int, outputHeight: Int, outputWidth: Int
  ) {
    if channels == groups && (filters < groups &* 4 || window.isStrip) {
      self = .depthwise
    } else if window.isWinograd, groups == 1, min(channels, filters) >= Self.leastWinogradChannels,
      let tile = Self.tile(channels, filters, outputHeight, outputWidth)
    {
      self = .winograd(tile)
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
    return isFour ? .four : .two
  }
}

extension Window {
  /// 3 x 3 neighbours, one or two pixels at a time: a plane of outputs is computed strip by strip.
  @inlinable @inline(__always) var isStrip: Bool {
    kernelHeight == 3 && kernelWidth == 3 && dilationHeight == 1 && dilationWidth == 1
      && strideHeight == strideWidth && strideWidth <= 2
  }

  /// Whether Winograd's algorithm is for this window: 3 x 3, one pixel at a time.
  var isWinograd: Bool {
    kernelHeight == 3 && kernelWidth == 3 && strideHeight == 1 && strideWidth == 1 && dilationHeight == 1
      && dilationWidth == 1
  }
}
