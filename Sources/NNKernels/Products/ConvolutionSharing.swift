// How a convolution is cut for several threads. No bit depends on it.

extension ConvolutionArguments {
  /// Makes units small enough for all of `threads` to have as much to do as the others. To be called before anything asks for units.
  ///
  /// - Returns: how many neighbouring units one thread had better take: those that gather or transform the same inputs, where there are
  ///   enough of them.
  public mutating func share(among threads: Int) -> Int {
    guard threads > 1, outputHeight > 0, outputWidth > 0 else { return 1 }
    switch algorithm {
    case .depthwise: return 1
    case .panels:
      if sharesPixels(among: threads) {
        let panels = Panels.count(columns: pixelsPerImage)
        let each = (panels &+ threads &* panelsPerUnit &- 1) / (threads &* panelsPerUnit)
        mostPanelsPerUnit = max(1, panels / (threads &* each))
        return filterBlocks
      }
      // Weights in the lanes fill tiles of two panels; so few pixels are rather cut in two.
      let least = packsWeights ? 32 : 16
      while filtersPerUnit > least, workUnits < 4 &* threads { filtersPerUnit /= 2 }
      if packsWeights, workUnits < 4 &* threads {
        mostPanelsPerUnit = (Panels.count(columns: pixelsPerImage) &+ 1) / 2
      }
      return readsImage ? 1 : grain(filterBlocks, threads)
    case .winograd(let tile):
      let panels = Panels.count(columns: winogradGrid(tile).count)
      var best = Int.max
      for size in [4, 3, 2] {
        let load = Self.largestLoad(of: panels, in: size, threads)
        if load < best { (best, tilesPerBlock) = (load, size &* 16) }
      }
      return grain(winogradFilterBlocks, threads)
    case .channelWinograd(let tile):
      while filtersPerUnit > 32, workUnits < threads { filtersPerUnit /= 2 }
      // Squares whose largest outputs are kept must not be cut.
      while !pools, tilesPerBlock > 16, workUnits < threads { tilesPerBlock /= 2 }
      let grid = channelGrid(tile)
      // Few blocks are not all of one size, but their neighbours are together.
      let each = grid.units < 4 &* grid.filterBlocks &* threads ? workUnits : grid.filterBlocks
      return grain(each, threads)
    }
  }

  /// Whether threads share out the pixels rather than the filters: then each gathers its own, or reads of the image what it wrote, if the
  /// layers around this one do the same; but all of the weights.
  private func sharesPixels(among threads: Int) -> Bool {
    outputRowsPerUnit == 0 && !packsWeights && batch < threads && pixelsPerImage >= threads &* 96
      && (!readsImage || outputChannels <= pixelsPerImage)
  }

  /// The panels of the thread that gets most, when threads take blocks of `size` panels one after the other.
  private static func largestLoad(of panels: Int, in size: Int, _ threads: Int) -> Int {
    let (blocks, rest) = (panels / size, panels % size)
    return blocks / threads &* size &+ (blocks % threads > 0 ? size : rest)
  }

  /// Units of a block that has `units` of them, if there are enough blocks; else an equal part of all for each thread.
  private func grain(_ units: Int, _ threads: Int) -> Int {
    let all = workUnits
    return all / units >= threads ? units : (all &+ threads &- 1) / threads
  }
}
