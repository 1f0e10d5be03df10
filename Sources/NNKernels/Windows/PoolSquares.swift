// Pooling by squares of 2 x 2 that do not overlap, the commonest window, four results at a time.

typealias Four = SIMD4<Float>

/// The four taps of four neighbouring squares, in row-major order.
typealias Squares = (Four, Four, Four, Four)

extension Window {
  /// Whether the window halves both sides: 2 x 2, stride 2, without padding.
  var isHalving: Bool {
    kernelHeight == 2 && kernelWidth == 2 && strideHeight == 2 && strideWidth == 2 && padTop == 0
      && padLeft == 0
      && padBottom == 0 && padRight == 0
  }
}

extension SIMD4<Float> {
  /// Takes `other` where it is larger, or the first NaN; gives where it did.
  @inline(__always)
  mutating func raise(to other: Four) -> SIMDMask<SIMD4<Int32>> {
    let isBetter = (other .> self) .| ((other .!= other) .& (self .== self))
    // Bit by bit: the compiler makes branches of a choice between lanes that are stored one by one.
    let mask = unsafeBitCast(isBetter, to: SIMD4<UInt32>.self)
    let (mine, others) = (
      unsafeBitCast(self, to: SIMD4<UInt32>.self), unsafeBitCast(other, to: SIMD4<UInt32>.self)
    )
    self = unsafeBitCast((others & mask) | (mine & ~mask), to: Four.self)
    return isBetter
  }
}

/// Eight neighbours as those at even and those at odd places; past `count` of them, zeros.
@inline(__always)
private func pairs(_ x: UnsafePointer<Float>, _ count: Int) -> (even: Four, odd: Four) {
  if count >= 8 {
    let both = UnsafeRawPointer(x).loadUnaligned(as: SIMD8<Float>.self)
    return (both.evenHalf, both.oddHalf)
  }
  var both = SIMD8<Float>()
  let raw = UnsafeRawPointer(x)
  if count >= 4 {
    both.lowHalf = raw.loadUnaligned(as: Four.self)
    if count >= 6 { both.highHalf.lowHalf = raw.loadUnaligned(fromByteOffset: 16, as: SIMD2<Float>.self) }
  } else {
    both.lowHalf.lowHalf = raw.loadUnaligned(as: SIMD2<Float>.self)
  }
  return (both.evenHalf, both.oddHalf)
}

@inline(__always)
private func squares(_ row: UnsafePointer<Float>, _ width: Int, _ column: Int, _ count: Int) -> Squares {
  let (upper, lower) = (pairs(row + 2 &* column, 2 &* count), pairs(row + (width &+ 2 &* column), 2 &* count))
  return (upper.even, upper.odd, lower.even, lower.odd)
}

/// See ``maximumPool(_:_:)``.
func maximumOfSquares(_ arguments: PoolArguments, _ range: Range<Int>) {
  forEachSquare(arguments, range) { taps in
    var best = taps.0
    _ = best.raise(to: taps.1)
    _ = best.raise(to: taps.2)
    _ = best.raise(to: taps.3)
    return best
  }
}

/// See ``averagePool(_:_:)``.
func averageOfSquares(_ arguments: PoolArguments, _ range: Range<Int>) {
  forEachSquare(arguments, range) { taps in
    let sum = Four() + taps.0 + taps.1 + taps.2 + taps.3
    return sum / Four(repeating: 4)
  }
}

@inline(__always)
private func forEachSquare(_ arguments: PoolArguments, _ range: Range<Int>, _ body: (Squares) -> Four) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let plane = arguments.x + unit &* arguments.height &* arguments.width
    var out = arguments.y + unit &* arguments.outputHeight &* arguments.outputWidth
    var y = 0
    while y < arguments.outputHeight {
      let row = plane + 2 &* y &* arguments.width
      let outputs = arguments.outputWidth
      if outputs >= 4 {
        var column = 0
        while column < outputs {
          // The last four may overlap those before.
          column = min(column, outputs &- 4)
          let result = body(squares(row, arguments.width, column, 4))
          UnsafeMutableRawPointer(out + column).storeBytes(of: result, as: Four.self)
          column &+= 4
        }
      } else {
        storePartial(body(squares(row, arguments.width, 0, outputs)), out, outputs)
      }
      out += outputs
      y &+= 1
    }
    unit &+= 1
  }
}

/// Stores fewer than four. Not inlined: the compiler would compute each lane by itself, with branches.
@inline(never)
private func storePartial(_ four: Four, _ out: UnsafeMutablePointer<Float>, _ count: Int) {
  if count >= 2 { UnsafeMutableRawPointer(out).storeBytes(of: four.lowHalf, as: SIMD2<Float>.self) }
  if count & 1 == 1 { out[count &- 1] = count == 1 ? four.x : four.z }
}

/// The first `count` of four numbers.
@inline(__always)
private func load(_ x: UnsafePointer<Float>, _ count: Int) -> Four {
  let raw = UnsafeRawPointer(x)
  if count == 4 { return raw.loadUnaligned(as: Four.self) }
  var four = Four()
  if count >= 2 { four.lowHalf = raw.loadUnaligned(as: SIMD2<Float>.self) }
  if count == 1 { four.x = x[0] } else if count == 3 { four.z = x[2] }
  return four
}

/// See ``PoolGradientArguments``.
func maximumOfSquaresGradient(
  _ x: UnsafePointer<Float>, _ arguments: PoolGradientArguments, _ range: Range<Int>
) {
  let (height, width) = (arguments.height, arguments.width)
  var unit = range.lowerBound
  while unit < range.upperBound {
    let plane = x + unit &* height &* width
    let dx = arguments.dx + unit &* height &* width
    var dy = arguments.dy + unit &* arguments.outputHeight &* arguments.outputWidth
    // Squares leave a last row and column of odd sides out.
    if width & 1 == 1 || height & 1 == 1 { dx.update(repeating: 0, count: height &* width) }
    var y = 0
    while y < arguments.outputHeight {
      let first = 2 &* y &* width
      var column = 0
      while column < arguments.outputWidth {
        let count = min(4, arguments.outputWidth &- column)
        let taps = squares(plane + first, width, column, count)
        // Each later tap that is better takes the place of those before.
        var best = taps.0
        let second = best.raise(to: taps.1)
        let third = best.raise(to: taps.2)
        let fourth = best.raise(to: taps.3)
        let none = Four()
        let gradient = load(dy + column, count) + none
        let upper = dx + (first &+ 2 &* column)
        interleave(
          gradient.replacing(with: none, where: second .| third .| fourth),
          none.replacing(with: gradient, where: second .& .!(third .| fourth)), upper, count)
        interleave(
          none.replacing(with: gradient, where: third .& .!fourth),
          none.replacing(with: gradient, where: fourth),
          upper + width, count)
        column &+= 4
      }
      dy += arguments.outputWidth
      y &+= 1
    }
    unit &+= 1
  }
}

@inline(__always)
private func interleave(_ even: Four, _ odd: Four, _ out: UnsafeMutablePointer<Float>, _ count: Int) {
  var both = SIMD8<Float>()
  both.evenHalf = even
  both.oddHalf = odd
  let raw = UnsafeMutableRawPointer(out)
  if count == 4 {
    raw.storeBytes(of: both, as: SIMD8<Float>.self)
    return
  }
  if count >= 2 { raw.storeBytes(of: both.lowHalf, as: Four.self) }
  if count & 1 == 1 {
    let last = count == 1 ? both.lowHalf.lowHalf : both.highHalf.lowHalf
    raw.storeBytes(of: last, toByteOffset: (count &- 1) &* 8, as: SIMD2<Float>.self)
  }
}
