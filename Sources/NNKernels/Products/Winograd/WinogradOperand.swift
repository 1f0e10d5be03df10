import CPlatform

/// A batch of images, (N, `imageStride`) with `channels` planes of (height, width) each, whose tiles become operands of products.
public struct WinogradOperand {
  @usableFromInline let grid: WinogradGrid
  /// The first image's first channel.
  @usableFromInline let pixels: UnsafePointer<Float>
  @usableFromInline let imageStride: Int
  @usableFromInline let channels: Int
  @usableFromInline let height: Int
  @usableFromInline let width: Int
  @usableFromInline let padTop: Int
  @usableFromInline let padLeft: Int
  /// Whether it is a gradient of outputs: tiles of m x m that do not overlap, instead of n x n that do.
  @usableFromInline let isGradient: Bool

  @inlinable @inline(__always)
  init(
    _ grid: WinogradGrid, _ pixels: UnsafePointer<Float>, imageStride: Int, channels: Int, height: Int,
    width: Int,
    padTop: Int, padLeft: Int, isGradient: Bool
  ) {
    self.grid = grid
    self.pixels = pixels
    self.imageStride = imageStride
    self.channels = channels
    self.height = height
    self.width = width
    self.padTop = padTop
    self.padLeft = padLeft
    self.isGradient = isGradient
  }

  /// Elements from one transformed row to the next in staging: sixteen tiles of four pixels and one vector.
  @inlinable static var pitch: Int { 80 }
  /// Elements of staging: rows, the same rows from the next tile on, and a vector of zeros.
  @inlinable static var stagingSize: Int { 12 &* pitch &+ 16 }
}

extension WinogradOperand {
  /// The `count` tiles from `first` on, at most sixteen, transformed: lane t of the vector at
  /// `target + frequency · frequencyStride + channel · channelStride` is tile t. Lanes past the tiles are zeros.
  ///
  /// Rows of pixels are transformed down their columns first, as they lie; then the columns of sixteen tiles are picked from them.
  @inlinable @inline(never)
  func transform<I: InstructionSet>(
    _ first: Int, _ count: Int, _ staging: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>,
    frequencyStride: Int, channelStride: Int, _: I.Type
  ) {
    nnp_clear(staging, Self.stagingSize)
    let n = grid.tile.inputs
    let begin = grid.place(first)
    var channel = 0
    while channel < channels {
      let plane = pixels + channel &* height &* width
      var place = begin
      grid.forEachRun(&place, count) { start, lane, run in
        stageRun(
          plane + start.image &* imageStride, start.row, start.column, lane, run, staging, I.self)
      }
      let vector = target + channel &* channelStride
      var i = 0
      while i < n {
        pickColumns(
          UnsafePointer(staging) + i &* Self.pitch, vector + i &* n &* frequencyStride, frequencyStride,
          I.self)
        i &+= 1
      }
      channel &+= 1
    }
  }

  /// The pixels under `run` tiles of a row of tiles, transformed down their columns, to the tiles' places in staging.
  @inlinable @inline(__always)
  func stageRun<I: InstructionSet>(
    _ plane: UnsafePointer<Float>, _ row: Int, _ column: Int, _ lane: Int, _ run: Int,
    _ staging: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let m = grid.tile.outputs
    let zeros = UnsafePointer(staging) + 12 &* Self.pitch
    let y = row &* m &- padTop
    let needed = run &* m &+ (isGradient ? 0 : 2)
    var done = 0
    while done < needed {
      let x = column &* m &- padLeft &+ done
      let begin = min(16, max(0, 0 &- x))
      let end = max(begin, min(16, width &- x))
      let source = plane + (y &* width &+ x)
      let isWhole = begin == 0 && end == 16
      let result = staging + (lane &* m &+ done)
      if begin == end && done > 0 {
        // Nothing but padding, as behind the last column.
        var i = 0
        while i < grid.tile.inputs {
          let main = result + i &* Self.pitch
          if done < run &* m { nnp_store(main, nnp_splat(0)) }
          if !isGradient { nnp_store(main + (6 &* Self.pitch &- m), nnp_splat(0)) }
          i &+= 1
        }
        done &+= 16
        continue
      }
      transformColumns(grid.tile, I.self) { i in
        let p = y &+ i >= 0 && y &+ i < height ? source + i &* width : zeros
        return isWhole ? nnp_load(p) : nnp_load_lanes(p, begin, end, nnp_splat(0))
      } _: { i, value in
        let main = result + i &* Self.pitch
        nnp_store(main, value)
        if isGradient { return }
        // The same from the next tile on. What a vector writes past its run is overwritten by the next one.
        let next = main + 6 &* Self.pitch
        if done > 0 {
          nnp_store(next - m, value)
        } else {
          nnp_store(next, grid.tile == .two ? nnp_from_lane_2(value) : nnp_from_lane_4(value))
        }
      }
      done &+= 16
    }
  }

  @inlinable @inline(__always)
  func transformColumns<I: InstructionSet>(
    _ tile: WinogradTile, _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    if isGradient {
      tile.transformOutputGradient(I.self, load, store)
    } else {
      tile.transformInput(I.self, load, store)
    }
  }

  /// One transformed row of sixteen tiles, transformed along the row.
  @inlinable @inline(__always)
  func pickColumns<I: InstructionSet>(
    _ row: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _: I.Type
  ) {
    let next = row + 6 &* Self.pitch
    let (a, b): (Vector, Vector) = (nnp_load(row), nnp_load(row + 16))
    if grid.tile == .two {
      let (c, d): (Vector, Vector) = (nnp_load(next), nnp_load(next + 16))
      transformColumns(.two, I.self) { i in
        switch i {
        case 0: evenLanes(a, b)
        case 1: oddLanes(a, b)
        case 2: evenLanes(c, d)
        default: oddLanes(c, d)
        }
      } _: {
        nnp_store(target + $0 &* frequencyStride, $1)
      }
      return
    }
    let (c, d): (Vector, Vector) = (nnp_load(row + 32), nnp_load(row + 48))
    let (even, even2): (Vector, Vector) = (evenLanes(a, b), evenLanes(c, d))
    let (odd, odd2): (Vector, Vector) = (oddLanes(a, b), oddLanes(c, d))
    let (e, f): (Vector, Vector) = (nnp_load(next), nnp_load(next + 16))
    let (g, h): (Vector, Vector) = (nnp_load(next + 32), nnp_load(next + 48))
    transformColumns(.four, I.self) { i in
      switch i {
      case 0: evenLanes(even, even2)
      case 1: evenLanes(odd, odd2)
      case 2: oddLanes(even, even2)
      case 3: oddLanes(odd, odd2)
      case 4: evenLanes(evenLanes(e, f), evenLanes(g, h))
      default: evenLanes(oddLanes(e, f), oddLanes(g, h))
      }
    } _: {
      nnp_store(target + $0 &* frequencyStride, $1)
    }
  }
}
