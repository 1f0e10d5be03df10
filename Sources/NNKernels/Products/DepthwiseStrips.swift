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

/// How many pixels windows move by, as a type, so that each has loops of its own.
public protocol StripStride {
  static var pixels: Int { get }
}

public enum OnePixel: StripStride {
  @inlinable @inline(__always) public static var pixels: Int { 1 }
}

public enum TwoPixels: StripStride {
  @inlinable @inline(__always) public static var pixels: Int { 2 }
}

extension ConvolutionArguments {
  /// Planes of outputs of some channels, `resultSize` apart, from planes of the image, `planeSize` apart, and a row of zeros.
  @inlinable @inline(never)
  func depthwisePlanes<I: InstructionSet, Stride: StripStride>(
    _ channels: Range<Int>, _ planes: UnsafePointer<Float>, _ planeSize: Int, _ zeros: UnsafePointer<Float>,
    _ results: UnsafeMutablePointer<Float>, _ resultSize: Int, _: Stride.Type, _: I.Type
  ) {
    var column = 0
    while column < outputWidth {
      let strip = Strip(
        x: column &* Stride.pixels &- window.padLeft, width: width, stride: Stride.pixels)
      let columns = min(16, outputWidth &- column)
      let isWhole = strip.isInside && columns == 16
      var plane = planes
      var target = results + column
      var channel = channels.lowerBound
      while channel < channels.upperBound {
        if isWhole {
          depthwiseStrip(strip, true, 16, plane, zeros, channel, target, I.self)
        } else {
          depthwiseStrip(strip, false, columns, plane, zeros, channel, target, I.self)
        }
        plane += planeSize
        target += resultSize
        channel &+= 1
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
    _ strip: Strip, _ isWhole: Bool, _ columns: Int, _ plane: UnsafePointer<Float>,
    _ zeros: UnsafePointer<Float>, _ channel: Int, _ target: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let nine = NineWeights(weights + channel &* 9)
    // Adding −0 changes nothing.
    var shift = nnp_splat(-0.0)
    if let bias { shift = nnp_splat(bias[channel]) }
    let bounds = epilogue.bounds ?? (-.infinity, .infinity)
    let (low, high) = (nnp_splat(bounds.low), nnp_splat(bounds.high))
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
      sum = clipped(sum + shift, low, high)
      if isWhole { nnp_store(output, sum) } else { nnp_store_partial(output, columns, sum) }
      y &+= strip.stride
      output += outputWidth
      row &-= 1
    }
  }
}
