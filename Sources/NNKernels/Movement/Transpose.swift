import CPlatform

/// y[r·yStride + c] = x[r + c·xStride] for r in 0..<rows and c in 0..<columns.
///
/// Works in squares of 16, so that both sides stay in the cache, and floats in squares of 4, so that they stay in registers.
func transpose<T: BitwiseCopyable>(
  _ x: UnsafePointer<T>, _ xStride: Int, _ y: UnsafeMutablePointer<T>, _ yStride: Int, _ rows: Int,
  _ columns: Int
) {
  var top = 0
  while top < rows {
    let bottom = min(rows, top &+ 16)
    var left = 0
    while left < columns {
      let right = min(columns, left &+ 16)
      var row = top
      while T.self == Float.self && row &+ 4 <= bottom {
        var column = left
        while column &+ 4 <= right {
          transposeFour(x + (row &+ column &* xStride), xStride, y + (row &* yStride &+ column), yStride)
          column &+= 4
        }
        while column < right {
          copyRow(x + (row &+ column &* xStride), 1, y + (row &* yStride &+ column), yStride, 4)
          column &+= 1
        }
        row &+= 4
      }
      while row < bottom {
        copyRow(
          x + (row &+ left &* xStride), xStride, y + (row &* yStride &+ left), 1, right &- left)
        row &+= 1
      }
      left = right
    }
    top = bottom
  }
}

/// A square of four by four floats.
@inline(__always)
private func transposeFour<T: BitwiseCopyable>(
  _ x: UnsafePointer<T>, _ xStride: Int, _ y: UnsafeMutablePointer<T>, _ yStride: Int
) {
  let (source, target) = (UnsafeRawPointer(x), UnsafeMutableRawPointer(y))
  nnp_transpose_4x4(
    source.assumingMemoryBound(to: Float.self), xStride, target.assumingMemoryBound(to: Float.self), yStride)
}

/// ``InstructionSet/transpose(_:_:_:_:_:_:)``.
public typealias FloatTransposition = (
  _ x: UnsafePointer<Float>, _ xStride: Int, _ y: UnsafeMutablePointer<Float>, _ yStride: Int, _ rows: Int,
  _ columns: Int
) -> Void

/// ``transpose(_:_:_:_:_:_:)`` of floats, for kernels of every instruction set.
@inline(never) @export(interface)
public func transposeFloats(
  _ x: UnsafePointer<Float>, _ xStride: Int, _ y: UnsafeMutablePointer<Float>, _ yStride: Int, _ rows: Int,
  _ columns: Int
) {
  transpose(x, xStride, y, yStride, rows, columns)
}
