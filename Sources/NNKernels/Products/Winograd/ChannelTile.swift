import CPlatform

/// A tile of Winograd's algorithm whose lanes are channels and filters, for windows of 3 x 3 that move one or two pixels at a time.
///
/// With a stride of 2, a tile of m x m outputs takes (2m + 1)² pixels, with (2m + 1)² products instead of 9 m². Along an axis, output y is
/// w0·x[2y] + w1·x[2y + 1] + w2·x[2y + 2]: a window of (0, w0, w2) over the even pixels and one of (0, w1, 0)
/// over the odd ones, the two *phases*. For both, the first of a ``WinogradTile``'s n frequencies is 0, and for the odd phase the last
/// one, too. So m + 1 frequencies are left, of which all but the last have two phases: 2m + 1 in all. Phases of a frequency add up before outputs
/// are transformed. In two dimensions, frequency (i, j) has `phases(i) · phases(j)` phases: the even rows before the odd ones, and of each the
/// even columns before the odd ones. All phases of all frequencies follow each other, column j after column j.
///
/// With a stride of 1 there is one phase, and all n frequencies have it.
///
/// Largest errors with a stride of 2, measured as those of ``WinogradTile`` and held by a test: with 32 and with 256 channels 1.5e-6 and
/// 6e-6 for tiles of 2 x 2, 6e-6 and 2.5e-5 for tiles of 4 x 4.
public struct ChannelTile: Equatable, Sendable {
  /// `two` or `four`, or with a stride of 1 `five`.
  public let tile: WinogradTile
  public let stride: Int

  @inlinable @inline(__always) public init(_ tile: WinogradTile, stride: Int) {
    self.tile = tile
    self.stride = stride
  }

  /// m.
  @inlinable @inline(__always) var outputs: Int { tile.outputs }
  /// The first of the ``WinogradTile``'s frequencies that is not always 0.
  @inlinable @inline(__always) var firstFrequency: Int { stride &- 1 }
  /// Frequencies along an axis.
  @inlinable @inline(__always) var frequencies: Int { tile.inputs &- firstFrequency }
  /// Pixels along an axis, and phases of its frequencies: n, or 2m + 1.
  @inlinable @inline(__always) var inputs: Int { stride == 1 ? tile.inputs : tile.outputs &* 2 &+ 1 }
  /// Products of a tile.
  @inlinable @inline(__always) var products: Int { inputs &* inputs }

  /// The phases of a frequency along an axis.
  @inlinable @inline(__always) func phases(_ frequency: Int) -> Int {
    frequency < outputs ? stride : 1
  }
  /// Where the first phase of frequency (i, j) lies.
  @inlinable @inline(__always) func place(_ i: Int, _ j: Int) -> Int {
    stride &* (j &* inputs &+ i &* phases(j))
  }

  /// Both phases of a line of pixels to their frequencies, phase after phase; vectors are `step` and `toStep` elements apart.
  @inlinable @inline(__always)
  func inputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _: I.Type
  ) {
    if tile == .five { return WinogradTile.sevenInputLine(from, step, to, toStep, I.self) }
    let first = firstFrequency
    var phase = 0
    while phase < stride {
      // Strided windows' first taps are missing.
      let shift = phase &- stride &* first
      tile.inputLine(
        from + shift &* step, stride &* step, first..<tile.inputs &- phase, to + shift &* toStep,
        stride &* toStep, I.self)
      phase &+= 1
    }
  }

  /// A line of n frequencies, of which the first may be missing, to m outputs.
  @inlinable @inline(__always)
  func outputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _: I.Type
  ) {
    if tile == .five { return tile.sevenOutputLine(from, step, to, toStep, I.self) }
    tile.outputLine(from, step, firstFrequency..<tile.inputs, to, toStep, I.self)
  }
}
