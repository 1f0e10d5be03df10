import CPlatform

/// The taps of sixteen filters and of some channels on their way to frequencies. Lanes are filters.
public struct WinogradTaps {
  let tile: WinogradTile
  let channels: Int
  /// r² vectors for each channel.
  let taps: UnsafeMutablePointer<Float>
  /// What becomes of the columns: (n, r, channels) vectors.
  private let columns: UnsafeMutablePointer<Float>
  /// Room for a row of frequencies: (n, channels) vectors.
  let row: UnsafeMutablePointer<Float>

  /// Taps that are worked on together: those of eight channels, if they are 3 x 3.
  static var mostTaps: Int { 72 }
  /// Vectors of the columns: at most 7/3 as many as taps.
  private static var mostColumns: Int { mostTaps / 3 &* 7 }
  /// Elements that ``init(_:_:_:)`` needs: of taps, columns, and a row of a third of them.
  static var size: Int { (mostTaps &+ mostColumns &+ mostColumns / 3) &* 16 }

  init(_ tile: WinogradTile, _ channels: Int, _ memory: UnsafeMutablePointer<Float>) {
    self.tile = tile
    self.channels = channels
    taps = memory
    columns = taps + Self.mostTaps &* 16
    row = columns + Self.mostColumns &* 16
  }

  /// Gives what ``init(_:_:_:)`` needs, and after it room for ``mostTaps`` vectors.
  static func withMemory(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    var vectors = InlineArray<368, Vector>(repeating: nnp_splat(0))
    withUnsafeMutableBytes(of: &vectors) { body($0.baseAddress!.assumingMemoryBound(to: Float.self)) }
  }

  /// G w of the columns.
  func transformColumns(_ lines: WinogradWeightLines) {
    let side = tile.taps
    var x = 0
    while x < side {
      lines(
        tile, UnsafePointer(taps) + x &* 16, side &* 16, side &* side &* 16, columns + x &* channels &* 16,
        side &* channels &* 16, channels)
      x &+= 1
    }
  }

  /// Row i of G w Gᵀ to ``row``.
  func transformRow(_ i: Int, _ lines: WinogradWeightLines) {
    let size = channels &* 16
    lines(tile, UnsafePointer(columns) + i &* tile.taps &* size, size, 16, row, size, channels)
  }

  /// Copies what stands at j in ``row``.
  func copyFrequency(_ j: Int, to target: UnsafeMutablePointer<Float>) {
    let size = channels &* 16
    UnsafeMutableRawPointer(target).copyMemory(from: row + j &* size, byteCount: size &* 4)
  }
}
