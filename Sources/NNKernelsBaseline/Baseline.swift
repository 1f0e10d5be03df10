import CPlatform
import NNKernels

/// What every processor of the architecture has: SSE2 on x86-64, where fused multiply–add is emulated, exactly but slowly.
public enum Baseline: InstructionSet {
  public static var name: StaticString { "baseline" }

  #if arch(x86_64)
    @inline(__always)
    public static var widensWeights: Bool { false }

    // Arithmetic takes so long that memory does not show.
    @inline(__always)
    public static var fusesConvolutions: Bool { false }

    @inline(__always)
    public static var pairsRows: Bool { false }

    // Not inlined: the emulation is long and a polynomial calls it ten times.
    @inline(never)
    public static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { nnp_fma_emulated(a, b, c) }

    // Called for the same reason.
    @inline(never)
    public static func reducedExponential(_ x: Vector) -> (n: IntVector, expm1: Vector) {
      reducedExponentialInline(x, Baseline.self)
    }

    @inline(never)
    public static func logarithm(mantissaMinus1 f: Vector, exponent k: Vector) -> Vector {
      logarithmInline(mantissaMinus1: f, exponent: k, Baseline.self)
    }

    @inline(__always)
    public static func pool(_ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool) {
      scalarPool(arguments, range, isMaximum)
    }

    @inline(__always)
    public static func poolGradient(
      _ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool
    ) {
      scalarPoolGradient(arguments, range, isMaximum)
    }
  #elseif arch(arm64)
    @inline(__always)
    public static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { nnp_fma(a, b, c) }
  #else
    @inline(never)
    public static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { nnp_fma_emulated(a, b, c) }
  #endif

  @inline(__always)
  public static func multiply(_ block: ProductBlock) {
    block.run(
      Rows4<Baseline, OnePanel>.self,
      triple: Rows4<Baseline, OnePanel>.self,
      tall: Rows4<Baseline, OnePanel>.self,
      pair: Rows4<Baseline, OnePanel>.self,
      odd: Rows4<Baseline, OnePanel>.self,
      single: Rows4<Baseline, OnePanel>.self,
      half: Rows4<Baseline, OnePanel>.self,
      halfRest: Rows4<Baseline, OnePanel>.self,
      Rows4<Baseline, OnePanel>.self,
      Rows2<Baseline, OnePanel>.self,
      Rows1<Baseline, OnePanel>.self)
  }

  /// Every kernel for this instruction set.
  public static var kernels: KernelTable {
    // A symbol alone: Embedded Swift would otherwise compile a copy of every kernel into each importing module, for
    // the wrong processor.
    @export(interface) get { .make(Baseline.self) }
  }
}
