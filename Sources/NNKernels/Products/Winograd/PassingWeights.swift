import CPlatform

// Where few tiles read many weights, memory sets the pace, and transformed weights are 49/9 as large as filters. So the filters are read,
// a part of the channels at a time, and what they become stays in the second-level cache until it is multiplied.

extension ChannelBlock {
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
        var ahead = FiltersAhead(panels, channels, part, filters, steps: products)
        var frequency = 0
        while frequency < products {
          ahead.ask()
          multiply(
            ProductBlock(
              a: UnsafePointer(inputs) + (frequency &* channels &+ first), aStride: grid.tileStride,
              panels: UnsafePointer(weights) + frequency &* stride, panelStride: part.count &* 16,
              c: self.products + frequency &* grid.productStride, cStride: filters, columnBias: nil,
              rowBias: nil, rows: images &* tiles.count, columns: filters, k: part.count,
              accumulates: first > 0))
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
      let taps = WinogradTaps(tile.tile, min(8, part.upperBound &- channel), memory)
      taps.transformColumns(of: panels + (panel &* grid.channels &+ channel) &* 144, lines)
      var i = 0
      while i < tile.inputs {
        taps.transformRow(i, to: weights + (i &* stride &+ vector &* 16), tile.inputs &* stride, lines)
        i &+= 1
      }
      vector &+= taps.channels
    }
  }
}

/// What is transformed after a part of the channels: the next part of the same filters, or the first one of the next filters. It is asked
/// for in equal steps, some lines of each panel at a time.
private struct FiltersAhead {
  private var next: UnsafePointer<Float>
  private let panels: Int
  private let panelSize: Int
  /// Lines of each panel in a step.
  private let lines: Int

  init(_ start: UnsafePointer<Float>, _ channels: Int, _ part: Range<Int>, _ filters: Int, steps: Int) {
    panels = filters / 16
    panelSize = channels &* 144
    next = start + (part.upperBound < channels ? part.upperBound : panels &* channels) &* 144
    lines = (part.count &* 9 &+ steps &- 1) / steps
  }

  mutating func ask() {
    var line = 0
    while line < lines &* panels {
      nnp_prefetch_far(next + (line / lines &* panelSize &+ line % lines &* 16))
      line &+= 1
    }
    next += lines &* 16
  }
}
