import CPlatform

// Tiles of `WinogradTile.wide`, whose channels are those of each phase: every second row and column of the image. Lanes are tiles.

extension WinogradOperand {
  /// Elements from a row of staging to the same one from the next tile on.
  @inlinable static var toNextPhase: Int { 7 &* pitch }
  /// Where seven vectors on their way lie.
  @inlinable static var phaseLines: Int { 2 &* toNextPhase }
  @inlinable static var phaseStagingSize: Int { phaseLines &+ 7 &* 16 }
  @inlinable static func stagingSize(_ tile: WinogradTile) -> Int {
    tile == .wide ? phaseStagingSize : stagingSize
  }

  /// As ``transform(_:_:_:_:frequencyStride:channelStride:_:)``, channels 16 apart, of the channels of each phase: every second row and column of the image.
  @inlinable @inline(never) @_optimize(size)
  func transformPhases<I: InstructionSet>(
    _ first: Int, _ count: Int, _ staging: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>,
    frequencyStride: Int, _: I.Type
  ) {
    nnp_clear(staging, Self.phaseStagingSize)
    let begin = grid.place(first)
    var channel = 0
    while channel < channels &* 4 {
      let phase = channel / channels
      let plane = pixels + (channel &- phase &* channels) &* height &* width
      var place = begin
      grid.forEachRun(&place, count) { start, lane, run in
        stagePhase(
          phase, plane + start.image &* imageStride, start.row, start.column, lane, run, staging, I.self)
      }
      let vector = target + channel &* 16
      var i = 0
      while i < 7 {
        pickWideColumns(
          UnsafePointer(staging) + i &* Self.pitch, staging + Self.phaseLines,
          vector + i &* 7 &* frequencyStride, frequencyStride, I.self)
        i &+= 1
      }
      channel &+= 1
    }
  }

  /// The pixels under `run` tiles of a row of tiles, transformed down their columns, to the tiles' places in staging.
  @inlinable @inline(never) @_optimize(size)
  func stagePhase<I: InstructionSet>(
    _ phase: Int, _ plane: UnsafePointer<Float>, _ row: Int, _ column: Int, _ lane: Int, _ run: Int,
    _ staging: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let lines = staging + Self.phaseLines
    let y = row &* 8 &+ phase / 2 &- padTop
    var done = 0
    while done < run &* 4 &+ 3 {
      let x = (column &* 4 &+ done) &* 2 &+ phase % 2 &- padLeft
      var i = 0
      while i < 7 {
        let line = y &+ 2 &* i
        nnp_store(
          lines + i &* 16,
          line >= 0 && line < height ? everySecond(plane + line &* width, x, I.self) : nnp_splat(0))
        i &+= 1
      }
      let result = staging + (lane &* 4 &+ done)
      WinogradTile.sevenInputLine(UnsafePointer(lines), 16, result, Self.pitch, I.self)
      i = 0
      while i < 7 {
        let main = result + i &* Self.pitch
        let value: Vector = nnp_load(UnsafePointer(main))
        let next = main + Self.toNextPhase
        // What a vector writes past its run is overwritten by the next one.
        if done > 0 { nnp_store(next - 4, value) } else { nnp_store(next, nnp_from_lane_4(value)) }
        i &+= 1
      }
      done &+= 16
    }
  }

  /// Every second of 32 pixels from `x` on, zeros outside of the row.
  @inlinable @inline(never) @_optimize(size)
  func everySecond<I: InstructionSet>(_ row: UnsafePointer<Float>, _ x: Int, _: I.Type) -> Vector {
    let begin = min(32, max(0, 0 &- x))
    let end = max(begin, min(32, width &- x))
    let p = row + x
    if begin == 0 && end == 32 { return evenLanes(nnp_load(p), nnp_load(p + 16)) }
    return evenLanes(
      nnp_load_lanes(p, min(16, begin), min(16, end), nnp_splat(0)),
      nnp_load_lanes(p + 16, max(16, begin) &- 16, max(16, end) &- 16, nnp_splat(0)))
  }

  /// One transformed row of sixteen tiles, transformed along the row by way of `lines`.
  @inlinable @inline(__always)
  func pickWideColumns<I: InstructionSet>(
    _ row: UnsafePointer<Float>, _ lines: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>,
    _ frequencyStride: Int, _: I.Type
  ) {
    // Four columns of these tiles, then three of those from the next tile on.
    var part = 0
    while part < 2 {
      let tiles = row + part &* Self.toNextPhase
      let (a, b): (Vector, Vector) = (nnp_load(tiles), nnp_load(tiles + 16))
      let (c, d): (Vector, Vector) = (nnp_load(tiles + 32), nnp_load(tiles + 48))
      let (even, even2): (Vector, Vector) = (evenLanes(a, b), evenLanes(c, d))
      let (odd, odd2): (Vector, Vector) = (oddLanes(a, b), oddLanes(c, d))
      let columns = lines + part &* 64
      nnp_store(columns, evenLanes(even, even2))
      nnp_store(columns + 16, evenLanes(odd, odd2))
      nnp_store(columns + 32, oddLanes(even, even2))
      if part == 0 { nnp_store(columns + 48, oddLanes(odd, odd2)) }
      part &+= 1
    }
    WinogradTile.sevenInputLine(UnsafePointer(lines), 16, target, frequencyStride, I.self)
  }
}

extension ConvolutionArguments {
  /// The outputs of sixteen tiles as four rows of 64 pixels. `sums` are overwritten.
  @inlinable @inline(never) @_optimize(size)
  func wideOutputs<I: InstructionSet>(
    _ sums: UnsafeMutablePointer<Float>, _ frequencyStride: Int, _ bias: Float,
    _ rows: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    var i = 0
    while i < 7 {
      let column = sums + i &* frequencyStride
      WinogradTile.wide.sevenOutputLine(
        UnsafePointer(column), 7 &* frequencyStride, column, 7 &* frequencyStride, I.self)
      i &+= 1
    }
    let (shift, low, high) = (nnp_splat(bias), nnp_splat(epilogue.low), nnp_splat(epilogue.high))
    i = 0
    while i < 4 {
      let target = rows + i &* 64
      WinogradTile.wide.sevenOutputLine(
        UnsafePointer(sums) + i &* 7 &* frequencyStride, frequencyStride, target, 16, I.self)
      let line = UnsafePointer(target)
      let (y0, y1): (Vector, Vector) = (nnp_load(line) + shift, nnp_load(line + 16) + shift)
      let (y2, y3): (Vector, Vector) = (nnp_load(line + 32) + shift, nnp_load(line + 48) + shift)
      let (c0, c1): (Vector, Vector) = (clipped(y0, low, high), clipped(y1, low, high))
      let (c2, c3): (Vector, Vector) = (clipped(y2, low, high), clipped(y3, low, high))
      storeInterleaved(c0, c1, c2, c3, target)
      i &+= 1
    }
  }
}
