import CPlatform

// Where few tiles read many weights, memory sets the pace, and transformed weights are 16/9 or 49/9 as large as filters. So the filters are
// read, a part of the channels at a time, and what they become stays in the second-level cache until it is multiplied.

extension ChannelTile {
  /// Channels whose transformed weights are made at once; 0 for tiles that read weights transformed beforehand.
  var channelsPerPart: Int {
    guard stride == 1 else { return 0 }
    return tile == .five ? 32 : tile == .two ? 64 : 0
  }

  /// Has the product of a frequency ask for its share of the filters from `next` on, whose panels are `panelStride` elements apart.
  func ask(
    _ block: inout ProductBlock, _ frequency: Int, _ next: UnsafePointer<Float>, _ panelStride: Int
  ) {
    if tile == .five {
      // Nine rows are one tile, which takes two panels at a time; so each of the two is asked for with every second frequency.
      block.aheadStride = panelStride
      block.aheadStep = 6
      block.ahead = next + (frequency % 2 &* panelStride &+ frequency / 2 &* 6 &* block.k)
    } else {
      // Sixteen rows are four tiles, which take four panels at a time; together they ask for a quarter of a panel.
      block.aheadStep = 9
      block.ahead = next + (frequency / 4 &* panelStride &+ frequency % 4 &* 4 &* 9 &* block.k)
    }
  }
}

extension ChannelBlock {
  /// Elements of a channel in a panel of filters.
  private static var channelSize: Int { 9 &* 16 }

  /// The products of all frequencies with `filters` filters, whose weights are panels of (C, 9, 16).
  func multiplyInPassing(
    _ panels: UnsafePointer<Float>, _ filters: Int, _ squares: WinogradWeightSquares,
    _ multiply: (ProductBlock) -> Void
  ) {
    let (products, channels) = (grid.tile.products, grid.channels)
    var first = 0
    while first < channels {
      let part = first..<min(channels, first &+ grid.tile.channelsPerPart)
      let stride = part.count &* filters &+ 16
      transform(panels, part, filters, stride, squares)
      // The next part of these filters, or the first one of the next filters.
      let next =
        panels + (part.upperBound < channels ? part.upperBound : filters / 16 &* channels)
        &* Self.channelSize
      var frequency = 0
      while frequency < products {
        var block = ProductBlock(
          a: UnsafePointer(inputs) + (frequency &* channels &+ first), aStride: grid.tileStride,
          panels: UnsafePointer(weights) + frequency &* stride, panelStride: part.count &* 16,
          c: self.products + frequency &* grid.productStride, cStride: filters, columnBias: nil,
          rowBias: nil, rows: images &* tiles.count, columns: filters, k: part.count,
          accumulates: first > 0)
        grid.tile.ask(&block, frequency, next, channels &* Self.channelSize)
        multiply(block)
        frequency &+= 1
      }
      first = part.upperBound
    }
  }

  /// G w Gᵀ of a part of the channels to ``weights``, whose frequencies are `stride` elements apart.
  private func transform(
    _ panels: UnsafePointer<Float>, _ part: Range<Int>, _ filters: Int, _ stride: Int,
    _ squares: WinogradWeightSquares
  ) {
    var panel = 0
    while panel < filters / 16 {
      squares(
        grid.tile.tile, panels + (panel &* grid.channels &+ part.lowerBound) &* Self.channelSize, part.count,
        weights + panel &* part.count &* 16, stride)
      panel &+= 1
    }
  }
}
