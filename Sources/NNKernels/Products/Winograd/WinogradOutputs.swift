import CPlatform

extension ConvolutionArguments {
  /// Transforms the products of `filters` filters with the `tiles` tiles from `first` on into outputs, or into the largest of their
  /// squares.
  @inlinable @inline(never)
  func winogradOutputs<I: InstructionSet>(
    _ grid: WinogradGrid, _ filter: Int, _ filters: Int, _ first: Int, _ tiles: Int,
    _ products: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ staging: UnsafeMutablePointer<Float>,
    _: I.Type
  ) {
    // Tiles of five are not for lanes of tiles; without them these numbers are powers of two.
    let m = grid.tile == .two ? 2 : 4
    // Rows and columns of results of a tile, and of a plane.
    let side = isPooled(I.self) ? m / 2 : m
    let (height, width) = (resultHeight(I.self), resultWidth(I.self))
    let (begin, end) = (grid.place(first), grid.place(first &+ tiles))
    var i = 0
    while i < filters {
      let shift = bias?[filter &+ i] ?? -0.0
      let plane = y + (filter &+ i) &* height &* width
      var place = begin
      var done = 0
      while done < tiles {
        let sums = products + (i &* grid.blockColumns &+ done)
        if grid.tile == .wide {
          wideOutputs(sums, frequencyStride, shift, staging, I.self)
        } else {
          winogradOutputs(grid.tile, sums, frequencyStride, shift, staging, I.self)
        }
        if epilogue.isSeparate { epilogue.apply(to: staging, m &* m &* 16, I.self) }
        grid.forEachRun(&place, min(16, tiles &- done)) { start, lane, run in
          let (row, column) = (start.row &* side, start.column &* side)
          let count = min(run &* side, width &- column)
          let image = plane + start.image &* outputChannels &* height &* width
          // What is stored past the end of a run is overwritten by later ones, up to the last row that this block completes.
          let limit = image + (start.image < end.image ? height : min(height, end.row &* side)) &* width
          var target = image + (row &* width &+ column)
          var source = UnsafePointer(staging) + lane &* side
          var rows = min(side, height &- row)
          while rows > 0 {
            var x = 0
            while x < count {
              let isFree = (column == 0 || column &+ x &+ 16 <= width) && target + (x &+ 16) <= limit
              storeColumns(target + x, isFree ? 16 : count &- x, nnp_load(source + x))
              x &+= 16
            }
            target += width
            source += side &* 16
            rows &-= 1
          }
        }
        done &+= 16
      }
      i &+= 1
    }
  }

  /// The outputs of sixteen tiles as m rows of 16·m pixels, or the largest of their squares as m/2 rows of 8·m. `sums` are overwritten.
  @inlinable @inline(__always)
  func winogradOutputs<I: InstructionSet>(
    _ tile: WinogradTile, _ sums: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ bias: Float,
    _ rows: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let (n, m) = tile == .two ? (4, 2) : (6, 4)
    var i = 0
    while i < n {
      let column = sums + i &* frequencyStride
      tile.transformOutput(I.self) {
        nnp_load(UnsafePointer(column) + $0 &* n &* frequencyStride)
      } _: {
        nnp_store(column + $0 &* n &* frequencyStride, $1)
      }
      i &+= 1
    }
    let shift = nnp_splat(bias)
    let (low, high) = (nnp_splat(epilogue.low), nnp_splat(epilogue.high))
    i = 0
    while i < m {
      let line = UnsafePointer(sums) + i &* n &* frequencyStride
      var outputs = (nnp_splat(0), nnp_splat(0), nnp_splat(0), nnp_splat(0))
      tile.transformOutput(I.self) {
        nnp_load(line + $0 &* frequencyStride)
      } _: { j, value in
        let result = clipped(value + shift, low, high)
        switch j {
        case 0: outputs.0 = result
        case 1: outputs.1 = result
        case 2: outputs.2 = result
        default: outputs.3 = result
        }
      }
      if isPooled(I.self) {
        storeLargest(tile, outputs, i & 1 == 1, rows + (i >> 1) &* 32, I.self)
      } else if tile == .two {
        let target = rows + i &* 32
        nnp_store(target, nnp_interleave_low(outputs.0, outputs.1))
        nnp_store(target + 16, nnp_interleave_high(outputs.0, outputs.1))
      } else {
        storeInterleaved(outputs.0, outputs.1, outputs.2, outputs.3, rows + i &* 64)
      }
      i &+= 1
    }
  }

  /// Four columns of sixteen tiles as a row of pixels.
  @inlinable @inline(__always)
  func storeInterleaved(
    _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector, _ target: UnsafeMutablePointer<Float>
  ) {
    let (low, high): (Vector, Vector) = (nnp_interleave_low(y0, y2), nnp_interleave_high(y0, y2))
    let (low2, high2): (Vector, Vector) = (nnp_interleave_low(y1, y3), nnp_interleave_high(y1, y3))
    nnp_store(target, nnp_interleave_low(low, low2))
    nnp_store(target + 16, nnp_interleave_high(low, low2))
    nnp_store(target + 32, nnp_interleave_low(high, high2))
    nnp_store(target + 48, nnp_interleave_high(high, high2))
  }

  /// The larger of each pair of neighbours in a row of outputs; with `isLower` of squares, whose upper rows were stored the same way.
  @inlinable @inline(__always)
  func storeLargest<I: InstructionSet>(
    _ tile: WinogradTile, _ outputs: (Vector, Vector, Vector, Vector), _ isLower: Bool,
    _ target: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    var even: Vector = firstLargest(outputs.0, outputs.1)
    var odd: Vector = firstLargest(outputs.2, outputs.3)
    if isLower {
      let (upperEven, upperOdd): (Vector, Vector) = (nnp_load(target), nnp_load(target + 16))
      even = firstLargest(upperEven, even)
      odd = firstLargest(upperOdd, odd)
      if tile == .four {
        let low: Vector = nnp_interleave_low(even, odd)
        odd = nnp_interleave_high(even, odd)
        even = low
      }
    }
    nnp_store(target, even)
    nnp_store(target + 16, odd)
  }
}
