// Movement, so compiled once for every machine.

/// See ``UnfoldArguments``.
func unfold(_ arguments: UnfoldArguments, _ range: Range<Int>) {
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let taps = arguments.window.kernelHeight &* arguments.window.kernelWidth
  var unit = range.lowerBound
  while unit < range.upperBound {
    let image = arguments.input + unit &* arguments.height &* arguments.width
    let columns = arguments.out + unit &* taps &* pixels
    arguments.forEachRun { tap, pixel, count, source, inside in
      let target = columns + (tap &* pixels &+ pixel)
      var i = 0
      while i < inside.lowerBound {
        target[i] = 0
        i &+= 1
      }
      while i < inside.upperBound {
        target[i] = image[source &+ i &* arguments.window.strideWidth]
        i &+= 1
      }
      while i < count {
        target[i] = 0
        i &+= 1
      }
    }
    unit &+= 1
  }
}

extension UnfoldArguments {
  /// Every tap of every output row: the first pixel of the row, how many there are, the offset in the image of the first
  /// pixel's tap (which may lie outside it), and which of the pixels have their tap inside.
  @inline(__always)
  fileprivate func forEachRun(
    _ body: (_ tap: Int, _ pixel: Int, _ count: Int, _ offset: Int, _ inside: Range<Int>) -> Void
  ) {
    var tap = 0
    while tap < window.kernelHeight &* window.kernelWidth {
      let top = tap / window.kernelWidth &* window.dilationHeight &- window.padTop
      let left = tap % window.kernelWidth &* window.dilationWidth &- window.padLeft
      // The first pixel with its tap at column 0 or more, and the first past the last column.
      let begin = left >= 0 ? 0 : (window.strideWidth &- 1 &- left) / window.strideWidth
      let room = width &- left
      let end = room <= 0 ? 0 : (room &+ window.strideWidth &- 1) / window.strideWidth
      var row = 0
      while row < outputHeight {
        let y = row &* window.strideHeight &+ top
        let first = min(begin, outputWidth)
        let last = y >= 0 && y < height ? max(first, min(end, outputWidth)) : first
        body(tap, row &* outputWidth, outputWidth, y &* width &+ left, first..<last)
        row &+= 1
      }
      tap &+= 1
    }
  }
}
