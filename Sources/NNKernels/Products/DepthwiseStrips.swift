import CPlatform
import NNGraph

// Windows of 3 x 3 neighbours that move by 1 or by 2: a plane is walked down in strips of sixteen columns. Each row of the image is read
// once, for all the rows of outputs that it is a tap of, whose sums wait in registers.

/// The weights of a 3 x 3 window, each in every lane.
@usableFromInline struct NineWeights {
  @usableFromInline let top: (Vector, Vector, Vector)
  @usableFromInline let middle: (Vector, Vector, Vector)
  @usableFromInline let bottom: (Vector, Vector, Vector)

  @inlinable @inline(__always)
  init(_ weights: UnsafePointer<Float>) {
    top = (nnp_splat(weights[0]), nnp_splat(weights[1]), nnp_splat(weights[2]))
    middle = (nnp_splat(weights[3]), nnp_splat(weights[4]), nnp_splat(weights[5]))
    bottom = (nnp_splat(weights[6]), nnp_splat(weights[7]), nnp_splat(weights[8]))
  }
}

extension ConvolutionArguments {
  /// A plane of outputs from a plane of the image and a row of zeros. `stride` is the window's, 1 or 2.
  @inlinable @inline(__always)
  func depthwisePlane<I: InstructionSet>(
    _ plane: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ bias: Float?, _ target: UnsafeMutablePointer<Float>, _ stride: Int, _: I.Type
  ) {
    let nine = NineWeights(weights)
    var column = 0
    while column < outputWidth {
      let strip = Strip(x: column &* stride &- window.padLeft, width: width, stride: stride)
      let count = min(16, outputWidth &- column)
      if strip.isInside && count == 16 {
        depthwiseStrip(strip, true, plane, zeros, nine, bias, target + column, I.self)
      } else {
        depthwiseStrip(strip, false, plane, zeros, nine, bias, target + column, I.self)
      }
      column &+= 16
    }
  }

  /// The taps of a strip in row `y` of the image, which may lie in the padding.
  @inlinable @inline(__always)
  func tapsOfRow<I: InstructionSet>(
    _ strip: Strip, _ y: Int, _ isWhole: Bool, _ plane: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>,
    _: I.Type
  ) -> (Vector, Vector, Vector) {
    strip.taps(y >= 0 && y < height ? plane + y &* width : zeros, isWhole)
  }

  @inlinable @inline(__always)
  func addThreeTaps<I: InstructionSet>(
    _ taps: (Vector, Vector, Vector), _ weights: (Vector, Vector, Vector), _ sum: Vector, _: I.Type
  ) -> Vector {
    I.fma(weights.2, taps.2, I.fma(weights.1, taps.1, I.fma(weights.0, taps.0, sum)))
  }

  /// The outputs of a strip, from top to bottom. With `isWhole`, nothing lies in the padding at its sides and there are sixteen columns.
  @inlinable @inline(__always)
  func depthwiseStrip<I: InstructionSet>(
    _ strip: Strip, _ isWhole: Bool, _ plane: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>,
    _ nine: NineWeights, _ bias: Float?, _ target: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let columns = isWhole ? 16 : min(16, outputWidth &- (strip.x &+ window.padLeft) / strip.stride)
    let shift = nnp_splat(bias ?? 0)
    let bounds = epilogue.bounds
    var y = 0 &- window.padTop
    /// The next row's sum: of its first two rows of taps, or with a stride of 2 of the first.
    var next = addThreeTaps(
      tapsOfRow(strip, y, isWhole, plane, zeros, I.self), nine.top, nnp_splat(0), I.self)
    /// With a stride of 1 the sum of the row after, of its first row of taps.
    var afterNext = nnp_splat(0)
    if strip.stride == 1 {
      let second = tapsOfRow(strip, y &+ 1, isWhole, plane, zeros, I.self)
      next = addThreeTaps(second, nine.middle, next, I.self)
      afterNext = addThreeTaps(second, nine.top, afterNext, I.self)
    }
    var output = target
    var row = outputHeight
    while row > 0 {
      let last = tapsOfRow(strip, y &+ 2, isWhole, plane, zeros, I.self)
      var sum: Vector
      if strip.stride == 1 {
        sum = addThreeTaps(last, nine.bottom, next, I.self)
        next = addThreeTaps(last, nine.middle, afterNext, I.self)
        afterNext = addThreeTaps(last, nine.top, nnp_splat(0), I.self)
      } else {
        let second = tapsOfRow(strip, y &+ 1, isWhole, plane, zeros, I.self)
        sum = addThreeTaps(last, nine.bottom, addThreeTaps(second, nine.middle, next, I.self), I.self)
        next = addThreeTaps(last, nine.top, nnp_splat(0), I.self)
      }
      if bias != nil { sum = sum + shift }
      if let bounds { sum = clipped(sum, nnp_splat(bounds.low), nnp_splat(bounds.high)) }
      if isWhole { nnp_store(output, sum) } else { nnp_store_partial(output, columns, sum) }
      y &+= strip.stride
      output += outputWidth
      row &-= 1
    }
  }
}
