import CPlatform
import NNGraph

/// Philox-4x32-10: four random words for a counter and a key. Salmon et al. 2011, "Parallel random numbers: as easy as
/// 1, 2, 3".
public enum Philox {
  /// The counter's words, the low one first, and so the key's.
  @export(interface)
  public static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    var round = 0
    while round < 10 {
      let first = UInt64(c[0]) &* 0xd251_1f53
      let second = UInt64(c[2]) &* 0xcd9e_8d57
      c = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first))
      // The golden ratio and √3 − 1, as fractions.
      k = SIMD2(k[0] &+ 0x9e37_79b9, k[1] &+ 0xbb67_ae85)
      round &+= 1
    }
    return c
  }

  /// `blocks` times four words from `block` on: the counter is (block, stream), the key the seed.
  @export(interface)
  public static func fill(
    _ out: UnsafeMutablePointer<UInt32>, block: UInt64, blocks: Int, seed: UInt64, stream: UInt64
  ) {
    var i = 0
    while i < blocks {
      let number = block &+ UInt64(i)
      let counter = SIMD4(
        UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32),
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
      let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
      let words = words(counter: counter, key: key)
      out[i &* 4] = words[0]
      out[i &* 4 &+ 1] = words[1]
      out[i &* 4 &+ 2] = words[2]
      out[i &* 4 &+ 3] = words[3]
      i &+= 1
    }
  }
}

/// What turns 32 random words into 32 numbers.
@usableFromInline protocol RandomDistribution {
  static func draw<I: InstructionSet>(_ first: IntVector, _ second: IntVector, _: I.Type) -> (Vector, Vector)
}

/// The upper 24 bits of each word, over 2²⁴.
@usableFromInline enum UniformDistribution: RandomDistribution {
  @inlinable @inline(__always)
  static func draw<I: InstructionSet>(_ first: IntVector, _ second: IntVector, _: I.Type) -> (Vector, Vector)
  {
    (fraction(first), fraction(second))
  }

  @inlinable @inline(__always)
  static func fraction(_ words: IntVector) -> Vector {
    nnp_from_i32(nnp_shift_right(words, 8)) * nnp_splat(0x1p-24)
  }
}

/// Words 2j and 2j + 1 give √(−2 ln u)·cos(2πv) and √(−2 ln u)·sin(2πv), u in (0, 1] and v in [0, 1). Box and Muller 1958.
@usableFromInline enum NormalDistribution: RandomDistribution {
  @inlinable @inline(__always)
  static func draw<I: InstructionSet>(_ first: IntVector, _ second: IntVector, _: I.Type) -> (Vector, Vector)
  {
    let u = UniformDistribution.fraction(nnp_even(first, second)) + nnp_splat(0x1p-24)
    let angle = UniformDistribution.fraction(nnp_odd(first, second)) * nnp_splat(6.28318531)
    let radius = nnp_sqrt(logarithm(u, I.self) * nnp_splat(-2))
    let a = radius * sine(angle, quadrant: 1, I.self)
    let b = radius * sine(angle, quadrant: 0, I.self)
    return (nnp_interleave_low(a, b), nnp_interleave_high(a, b))
  }
}

/// See ``RandomArguments``: element i comes from word i mod 4 of block i / 4, whatever the range.
@inlinable @inline(__always)
func random<D: RandomDistribution, I: InstructionSet>(
  _ arguments: RandomArguments, _ range: Range<Int>, _: D.Type, _: I.Type
) {
  // Chunks of 256 elements of the stream, whole even where only a part is wanted.
  var words = Lanes()
  var i = range.lowerBound
  while i < range.upperBound {
    let element = arguments.first &+ UInt64(i)
    let chunk = element / 256
    let skipped = Int(element % 256)
    withUnsafeMutablePointer(to: &words) { buffer in
      let raw = UnsafeMutableRawPointer(buffer)
      let floats = raw.assumingMemoryBound(to: Float.self)
      Philox.fill(
        raw.assumingMemoryBound(to: UInt32.self), block: chunk &* 64, blocks: 64, seed: arguments.seed,
        stream: arguments.stream)
      var j = 0
      while j < 256 {
        let first = nnp_bits(nnp_load(floats + j))
        let second = nnp_bits(nnp_load(floats + (j &+ 16)))
        let (a, b) = D.draw(first, second, I.self)
        nnp_store(floats + j, a)
        nnp_store(floats + (j &+ 16), b)
        j &+= 32
      }
      let count = min(256 &- skipped, range.upperBound &- i)
      nnp_copy(arguments.out + i, floats + skipped, count)
      i &+= count
    }
  }
}

@inlinable @inline(__always)
func randomKernel<I: InstructionSet>(_ function: RandomFunction, _: I.Type) -> RangeKernel<RandomArguments> {
  switch function {
  case .uniform: { random($0, $1, UniformDistribution.self, I.self) }
  case .normal: { random($0, $1, NormalDistribution.self, I.self) }
  }
}
