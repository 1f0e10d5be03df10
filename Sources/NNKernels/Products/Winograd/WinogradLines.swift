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
}
