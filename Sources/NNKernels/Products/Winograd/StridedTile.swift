import CPlatform

/// Winograd's algorithm for windows of 3 x 3 that move two pixels at a time: a tile of m x m outputs from (2m + 1)² pixels, with (2m + 1)²
/// products instead of 9 m².
///
/// Along an axis, output y is w0·x[2y] + w1·x[2y + 1] + w2·x[2y + 2]: a window of (0, w0, w2) over the even pixels and one of (0, w1, 0)
/// over the odd ones, the two *phases*. For both, the first of a ``WinogradTile``'s n frequencies is 0, and for the odd phase the last
/// one, too. So m + 1 frequencies are left, of which all but the last have two phases: 2m + 1 in all. Phases of a frequency add up before outputs
/// are transformed. In two dimensions, frequency (i, j) has `phases(i) · phases(j)` phases: the even rows before the odd ones, and of each the
/// even columns before the odd ones. All phases of all frequencies follow each other, column j after column j.
///
/// Largest errors, measured as those of ``WinogradTile`` and held by a test: with 32 and with 256 channels 1.5e-6 and 6e-6 for tiles of
/// 2 x 2, 6e-6 and 2.5e-5 for tiles of 4 x 4.
@usableFromInline struct StridedTile {
  @usableFromInline let tile: WinogradTile

  @inlinable @inline(__always) init(_ tile: WinogradTile) { self.tile = tile }

  /// m.
  @inlinable @inline(__always) var outputs: Int { tile.outputs }
  /// Frequencies along an axis: m + 1.
  @inlinable @inline(__always) var frequencies: Int { tile.outputs &+ 1 }
  /// Pixels along an axis, and phases of its frequencies: 2m + 1.
  @inlinable @inline(__always) var inputs: Int { tile.outputs &* 2 &+ 1 }
  /// Products of a tile: (2m + 1)².
  @inlinable @inline(__always) var products: Int { inputs &* inputs }

  /// The phases of a frequency along an axis.
  @inlinable @inline(__always) func phases(_ frequency: Int) -> Int { frequency < outputs ? 2 : 1 }
  /// Where the first phase of frequency (i, j) lies.
  @inlinable @inline(__always) func place(_ i: Int, _ j: Int) -> Int {
    2 &* (j &* inputs &+ i &* phases(j))
  }

  /// Both phases of a line of 2m + 1 vectors to their frequencies, phase after phase; vectors are `step` and `toStep` elements apart.
  @inlinable @inline(__always)
  func transformLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _: I.Type
  ) {
    var phase = 0
    while phase < 2 {
      // The windows' first taps are missing.
      tile.inputLine(
        from + (phase &- 2) &* step, 2 &* step, 1..<tile.inputs &- phase, to + (phase &- 2) &* toStep,
        2 &* toStep, I.self)
      phase &+= 1
    }
  }
}
