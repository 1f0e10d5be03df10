/// One axis of a transposed convolution of stride 2 that doubles an image. Element 2r + phase of the output is the sum of inputs r + d, d from
/// −1 to 1, times tap phase + padding − 2d of the window: each phase has a window of three, some of whose taps are missing. Winograd's
/// first frequency is 0 without the tap at d = −1, and the last without the one at 1.
@usableFromInline struct DoubledAxis {
  @usableFromInline let kernel: Int
  @usableFromInline let padding: Int

  @inlinable @inline(__always) init(kernel: Int, padding: Int) {
    self.kernel = kernel
    self.padding = padding
  }

  /// The tap of a phase at an offset; nil for a missing one.
  @inlinable @inline(__always) func tap(_ phase: Int, _ offset: Int) -> Int? {
    let tap = tap(phase, of: offset)
    return tap >= 0 && tap < kernel ? tap : nil
  }

  /// The inputs, of `count`, that an element of the output takes.
  func inputs(of element: Int, among count: Int) -> Range<Int> {
    let last = element &+ padding
    let first = max(0, (last &- kernel) >> 1 &+ 1)
    return first..<max(first, min(count, last >> 1 &+ 1))
  }

  /// The tap by which an element of the output takes an input; counted from anywhere, if both are.
  @inlinable @inline(__always) func tap(_ element: Int, of input: Int) -> Int {
    element &+ padding &- 2 &* input
  }

  /// Whether every tap is within reach of its phase, and both phases have one.
  var isWithinReach: Bool {
    var found = 0
    for phase in 0...1 {
      let taps = (-1...1).count { tap(phase, $0) != nil }
      if taps == 0 { return false }
      found &+= taps
    }
    return found == kernel
  }

  /// The frequencies of a phase that are not 0.
  @inlinable @inline(__always) func frequencies(_ phase: Int, _ tile: WinogradTile) -> Range<Int> {
    let last = tap(phase, 1) == nil ? tile.inputs &- 1 : tile.inputs
    return (tap(phase, -1) == nil ? 1 : 0)..<last
  }

  /// How many phases have a frequency.
  @inlinable @inline(__always) func phases(_ frequency: Int, _ tile: WinogradTile) -> Int {
    (frequencies(0, tile).contains(frequency) ? 1 : 0) &+ (frequencies(1, tile).contains(frequency) ? 1 : 0)
  }

  /// The first phase that has a frequency.
  @inlinable @inline(__always) func first(_ frequency: Int, _ tile: WinogradTile) -> Int {
    frequencies(0, tile).contains(frequency) ? 0 : 1
  }

  /// Frequencies of both phases together.
  @inlinable @inline(__always) func products(_ tile: WinogradTile) -> Int {
    frequencies(0, tile).count &+ frequencies(1, tile).count
  }
}
