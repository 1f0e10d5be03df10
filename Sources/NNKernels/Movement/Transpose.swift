/// Copies a (rows, columns) block into (columns, rows): for a product whose left operand is stored transposed.
///
/// Works in squares of 16, so that both sides stay in the cache. Strides are in elements, between rows of each side.
public func transpose(
  _ source: UnsafePointer<Float>, rows: Int, columns: Int, rowStride: Int,
  into target: UnsafeMutablePointer<Float>, targetStride: Int
) {
  var top = 0
  while top < rows {
    let bottom = min(rows, top &+ 16)
    var left = 0
    while left < columns {
      let right = min(columns, left &+ 16)
      var column = left
      while column < right {
        let output = target + column &* targetStride
        var row = top
        while row < bottom {
          output[row] = source[row &* rowStride &+ column]
          row &+= 1
        }
        column &+= 1
      }
      left = right
    }
    top = bottom
  }
}
