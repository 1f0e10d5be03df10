import CPlatform

// Lines of the transforms of `WinogradTile.two` and `.four` for the kernels whose lanes are channels or filters.

/// One line of a transform from memory to memory, whose vectors are `step` and `toStep` elements apart.
public typealias WinogradLine = (
  _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int
) -> Void
/// The same of the elements in `present`.
public typealias PartialWinogradLine = (
  _ from: UnsafePointer<Float>, _ step: Int, _ present: Range<Int>, _ to: UnsafeMutablePointer<Float>,
  _ toStep: Int
) -> Void

/// The lines of weights of `channels` channels, `stride` elements apart; of each, vectors are `step` elements apart. Frequencies are `toStep`
/// elements apart, and of each, channels follow each other.
public typealias WinogradWeightLines = (
  _ tile: WinogradTile, _ from: UnsafePointer<Float>, _ step: Int, _ stride: Int,
  _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _ channels: Int
) -> Void

/// G w Gᵀ of sixteen filters for some channels, whose nine taps follow each other, (channels, 9, 16). Frequencies are `toStep` elements apart, in
/// columns, and of each, channels follow each other.
public typealias WinogradWeightSquares = (
  _ tile: WinogradTile, _ from: UnsafePointer<Float>, _ channels: Int, _ to: UnsafeMutablePointer<Float>,
  _ toStep: Int
) -> Void

extension WinogradTile {
  /// Whether `present` has a place; it lacks no other one than the first and the last.
  @inlinable @inline(__always) func has(_ place: Int, _ present: Range<Int>) -> Bool {
    (place > 0 || present.lowerBound == 0) && (place < inputs &- 1 || present.upperBound == inputs)
  }

  /// Inputs and frequencies out of `present` are left out: the frequencies in it must not depend on those inputs.
  @inlinable @inline(never)
  func inputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ present: Range<Int>, _ to: UnsafeMutablePointer<Float>,
    _ toStep: Int, _: I.Type
  ) {
    transformInput(I.self) {
      has($0, present) ? nnp_load(from + $0 &* step) : nnp_splat(0)
    } _: {
      if has($0, present) { nnp_store(to + $0 &* toStep, $1) }
    }
  }

  /// Frequencies out of `present` are zeros.
  @inlinable @inline(never)
  func outputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ present: Range<Int>, _ to: UnsafeMutablePointer<Float>,
    _ toStep: Int, _: I.Type
  ) {
    transformOutput(I.self) {
      has($0, present) ? nnp_load(from + $0 &* step) : nnp_splat(0)
    } _: {
      nnp_store(to + $0 &* toStep, $1)
    }
  }

  /// See ``WinogradWeightLines``.
  @inlinable @inline(never)
  func weightLines<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ stride: Int, _ to: UnsafeMutablePointer<Float>,
    _ toStep: Int, _ channels: Int, _: I.Type
  ) {
    var channel = 0
    while channel < channels {
      let (source, target) = (from + channel &* stride, to + channel &* 16)
      transformWeights(I.self) {
        nnp_load(source + $0 &* step)
      } _: {
        nnp_store(target + $0 &* toStep, $1)
      }
      channel &+= 1
    }
  }

  /// See ``WinogradWeightSquares``. For tiles of 2 x 2 and of 5 x 5, of which all that lies between fits in registers.
  @inlinable @inline(never)
  func weightSquares<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ channels: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int,
    _: I.Type
  ) {
    if self == .five {
      Self.five.squares(from, channels, to, toStep, I.self)
    } else {
      Self.two.squares(from, channels, to, toStep, I.self)
    }
  }

  @inlinable @inline(__always)
  func squares<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ channels: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int,
    _: I.Type
  ) {
    var (source, target) = (from, to)
    var left = channels
    while left > 0 {
      // What becomes of the columns: (n, 3).
      var columns = InlineArray<21, Vector>(repeating: nnp_splat(0))
      @inline(__always) func column(_ x: Int) {
        transformWeights(I.self) {
          nnp_load(source + ($0 &* 3 &+ x) &* 16)
        } _: {
          columns[$0 &* 3 &+ x] = $1
        }
      }
      @inline(__always) func row(_ i: Int) {
        transformWeights(I.self) {
          columns[i &* 3 &+ $0]
        } _: {
          nnp_store(target + ($0 &* inputs &+ i) &* toStep, $1)
        }
      }
      if I.hasManyRegisters {
        column(0)
        column(1)
        column(2)
        row(0)
        row(1)
        row(2)
        row(3)
        if inputs == 7 {
          row(4)
          row(5)
          row(6)
        }
      } else {
        var line = 0
        while line < 3 {
          column(line)
          line &+= 1
        }
        line = 0
        while line < inputs {
          row(line)
          line &+= 1
        }
      }
      source += 9 &* 16
      target += 16
      left &-= 1
    }
  }
}
