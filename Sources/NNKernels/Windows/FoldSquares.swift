import CPlatform

// Folding at a stride of 2 where each window has a square of 2 x 2 elements to itself, as in a transposed convolution that doubles
// an image. The four elements of the squares are summed apart, sixteen windows at a time whatever the width of a row.

extension UnfoldArguments {
  /// Whether squares of 2 x 2 elements tile the image, and vectors hold whole rows of windows or rows whole vectors.
  @inlinable @inline(__always) var foldsSquares: Bool {
    window.strideHeight == 2 && window.strideWidth == 2 && window.dilationHeight == 1
      && window.dilationWidth == 1
      && height == 2 &* outputHeight && width == 2 &* outputWidth
      && (outputWidth & 15 == 0 || outputWidth == 8 || outputWidth == 4)
  }

  @inlinable @inline(__always)
  func foldSquares<I: InstructionSet>(
    _ columns: UnsafePointer<Float>, _ image: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let windows = outputHeight &* outputWidth
    var first = 0
    while first < windows {
      let (row, column) = (first / outputWidth, first % outputWidth)
      var down = 0
      while down < 2 {
        let even = sumOfSquares(columns, first, column, down, 0, I.self)
        let odd = sumOfSquares(columns, first, column, down, 1, I.self)
        let (low, high): (Vector, Vector) = (nnp_interleave_low(even, odd), nnp_interleave_high(even, odd))
        let target = image + ((2 &* row &+ down) &* width &+ 2 &* column)
        if outputWidth >= 16 {
          nnp_store(target, low)
          nnp_store(target + 16, high)
        } else if outputWidth == 8 {
          nnp_store(target, low)
          if row &+ 1 < outputHeight { nnp_store(target + 32, high) }
        } else {
          storeHalves(low, target, outputHeight &- row)
          if row &+ 2 < outputHeight { storeHalves(high, target + 32, outputHeight &- row &- 2) }
        }
        down &+= 1
      }
      first &+= 16
    }
  }

  /// The first half into a row of eight elements, and the second into the next row but one where more than one row is left.
  @inlinable @inline(__always)
  func storeHalves(_ values: Vector, _ target: UnsafeMutablePointer<Float>, _ rows: Int) {
    nnp_store_half(target, nnp_lower_half(values))
    if rows > 1 { nnp_store_half(target + 16, nnp_lower_half(nnp_shift_8(values))) }
  }

  /// The sums of taps of one element, `down` and `across` in its square, of sixteen squares from the one at `first`, which is `column`
  /// in its row.
  @inlinable @inline(__always)
  func sumOfSquares<I: InstructionSet>(
    _ columns: UnsafePointer<Float>, _ first: Int, _ column: Int, _ down: Int, _ across: Int, _: I.Type
  ) -> Vector {
    let windows = outputHeight &* outputWidth
    var sum = nnp_splat(0)
    var tapRow = (down &+ window.padTop) & 1
    while tapRow < window.kernelHeight {
      let start = first &+ ((down &+ window.padTop &- tapRow) >> 1) &* outputWidth
      let rowBits = bits(from: 0 &- start, to: windows &- start, of: 16)
      var tapColumn = (across &+ window.padLeft) & 1
      while rowBits != 0 && tapColumn < window.kernelWidth {
        let shift = (across &+ window.padLeft &- tapColumn) >> 1
        var columnBits: UInt32
        if outputWidth >= 16 {
          columnBits = bits(from: 0 &- shift &- column, to: outputWidth &- shift &- column, of: 16)
        } else {
          // The same in each of the vector's rows.
          columnBits =
            bits(from: 0 &- shift, to: outputWidth &- shift, of: outputWidth)
            &* (outputWidth == 8 ? 0x101 : 0x1111)
        }
        let tap = columns + ((tapRow &* window.kernelWidth &+ tapColumn) &* windows &+ start &+ shift)
        sum = sum + nnp_load_where(tap, rowBits & columnBits)
        tapColumn &+= 2
      }
      tapRow &+= 2
    }
    return sum
  }

  /// A bit for each of `count` lanes from `begin` up to `end`, both of which may lie outside.
  @inlinable @inline(__always)
  func bits(from begin: Int, to end: Int, of count: Int) -> UInt32 {
    let first = max(0, min(count, begin))
    let last = max(first, min(count, end))
    return (1 &<< UInt32(truncatingIfNeeded: last)) &- (1 &<< UInt32(truncatingIfNeeded: first))
  }
}
