import CPlatform

// Where few tiles read many weights, memory sets the pace, and transformed weights are 49/9 as large as filters. So the filters are read,
// a part of the channels at a time, and what they become stays in the second-level cache until it is multiplied.

extension ChannelBlock {
  /// Elements of a channel in a panel of filters.
  private static var channelSize: Int { 9 &* 16 }
  /// Elements of the filters ahead that are asked for with each step along the channels: all of a panel's in every second frequency of 49.
  private static var elementsAhead: Int { 6 }

  /// The products of all frequencies with `filters` filters, whose weights are panels of (C, 9, 16).
  func multiplyInPassing(
    _ panels: UnsafePointer<Float>, _ filters: Int, _ lines: WinogradWeightLines,
    _ multiply: (ProductBlock) -> Void
  ) {
    let (products, channels) = (grid.tile.products, grid.channels)
    WinogradTaps.withMemory { memory in
      var first = 0
      while first < channels {
        let part = first..<min(channels, first &+ ChannelGrid.channelsPerPart)
        let stride = part.count &* filters &+ 16
        transform(panels, part, filters, stride, memory, lines)
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
          // Tiles take two panels at a time; so each of the two is asked for with every second frequency.
          block.aheadStride = channels &* Self.channelSize
          block.aheadStep = Self.elementsAhead
          block.ahead =
            next + (frequency % 2 &* block.aheadStride &+ frequency / 2 &* Self.elementsAhead &* part.count)
          multiply(block)
          frequency &+= 1
        }
        first = part.upperBound
      }
    }
  }

  /// G w Gᵀ of a part of the channels to ``weights``, whose frequencies are `stride` elements apart.
  private func transform(
    _ panels: UnsafePointer<Float>, _ part: Range<Int>, _ filters: Int, _ stride: Int,
    _ memory: UnsafeMutablePointer<Float>, _ lines: WinogradWeightLines
  ) {
    let tile = grid.tile
    var vector = 0
    while vector < part.count &* filters / 16 {
      let (panel, channel) = (vector / part.count, part.lowerBound &+ vector % part.count)
      let taps = WinogradTaps(tile.tile, min(WinogradTaps.mostTaps / 9, part.upperBound &- channel), memory)
      taps.transformColumns(of: panels + (panel &* grid.channels &+ channel) &* Self.channelSize, lines)
      var i = 0
      while i < tile.inputs {
        taps.transformRow(i, to: weights + (i &* stride &+ vector &* 16), tile.inputs &* stride, lines)
        i &+= 1
      }
      vector &+= taps.channels
    }
  }
}
