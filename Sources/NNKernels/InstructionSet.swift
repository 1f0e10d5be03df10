import CPlatform

/// Sixteen floats: the virtual width of every kernel, one zmm register, two ymm or four xmm.
public typealias Vector = SIMD16<Float>
/// Sixteen 32-bit integers; also what comparisons give, each lane all ones or zeros.
public typealias IntVector = SIMD16<Int32>

/// An instruction set, as a type that every kernel is generic over.
///
/// Kernels are generic over this tag and never merely over a vector type: specialisations become weak symbols, named
/// after their generic arguments, and the linker keeps one of each name. Two targets compiled for different processors
/// must therefore never emit the same name, or the lesser one would run the other's code.
public protocol InstructionSet: SendableMetatype {
  static var name: StaticString { get }

  /// a·b + c, rounded once.
  static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector

  /// Runs the block with the register tiles that suit the instruction set, through ``ProductBlock/run(_:_:_:_:)``.
  static func multiply(_ block: ProductBlock)

  /// Runs a block of one panel with four sums an output, through ``ProductBlock/multiplySplit(_:_:)``.
  static func multiplySplit(_ block: ProductBlock)

  /// Whether some thirty vectors fit in registers. Then sixteen rows of a sequence are projected at once beside its recurrence, not eight, see
  /// ``ProjectedRecurrenceArguments``, and all lines of ``WinogradTile/weightSquares(_:_:_:_:_:)`` stand one after the other.
  static var hasManyRegisters: Bool { get }

  /// Whether weights of 16 bits are widened on the way, see ``NarrowPanels``.
  static var widensWeights: Bool { get }

  /// One row times panels of 16-bit numbers, through ``ProductBlock/multiplyRow(_:_:_:)``.
  static func multiplyRow(_ block: ProductBlock, _ panels: NarrowPanels)

  /// Whether convolutions run as one with what alone reads their outputs: see ``ConvolutionArguments/pools``,
  /// ``ConvolutionArguments/residual`` and ``ExpandedConvolutionArguments``.
  static var fusesConvolutions: Bool { get }

  /// Whether ``softmaxRowPair(_:_:_:_:)`` is worth its code: not where arithmetic takes longer than what is folded waits.
  static var pairsRows: Bool { get }

  /// y[r·yStride + c] = x[r + c·xStride] for r in 0..<rows and c in 0..<columns.
  static func transpose(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ y: UnsafeMutablePointer<Float>, _ yStride: Int, _ rows: Int,
    _ columns: Int)

  /// ``reducedExponentialInline(_:_:)``, inlined or called.
  static func reducedExponential(_ x: Vector) -> (n: IntVector, expm1: Vector)

  /// ``logarithmInline(mantissaMinus1:exponent:_:)``, inlined or called.
  static func logarithm(mantissaMinus1 f: Vector, exponent k: Vector) -> Vector

  /// ``NNKernels/pool(_:_:_:_:)``, or ``scalarPool(_:_:_:)`` where the vectors are short.
  static func pool(_ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool)

  /// ``NNKernels/poolGradient(_:_:_:_:)``, or ``scalarPoolGradient(_:_:_:)`` where the vectors are short.
  static func poolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool)
}

extension InstructionSet {
  @inlinable @inline(__always)
  public static var hasManyRegisters: Bool { false }

  @inlinable @inline(__always)
  public static var widensWeights: Bool { true }

  @inlinable @inline(__always)
  public static var fusesConvolutions: Bool { true }

  @inlinable @inline(__always)
  public static var pairsRows: Bool { true }

  /// The four sums of one row are as many as sixteen registers of eight numbers hold.
  @inlinable @inline(__always)
  public static func multiplySplit(_ block: ProductBlock) {
    block.multiplySplit(Rows1<Self, OnePanel>.self, Rows1<Self, OnePanel>.self)
  }

  @inlinable @inline(__always)
  public static func multiplyRow(_ block: ProductBlock, _ panels: NarrowPanels) {
    block.multiplyRow(panels, FourPanels.self, Self.self)
  }

  @inlinable @inline(__always)
  public static func transpose(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ y: UnsafeMutablePointer<Float>, _ yStride: Int, _ rows: Int,
    _ columns: Int
  ) { transposeFloats(x, xStride, y, yStride, rows, columns) }

  @inlinable @inline(__always)
  public static func reducedExponential(_ x: Vector) -> (n: IntVector, expm1: Vector) {
    reducedExponentialInline(x, Self.self)
  }

  @inlinable @inline(__always)
  public static func logarithm(mantissaMinus1 f: Vector, exponent k: Vector) -> Vector {
    logarithmInline(mantissaMinus1: f, exponent: k, Self.self)
  }

  @inlinable @inline(__always)
  public static func pool(_ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool) {
    NNKernels.pool(arguments, range, isMaximum, Self.self)
  }

  @inlinable @inline(__always)
  public static func poolGradient(
    _ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool
  ) {
    NNKernels.poolGradient(arguments, range, isMaximum, Self.self)
  }

  /// The value of a polynomial step: accumulator·x + coefficient.
  @inlinable @inline(__always)
  static func step(_ accumulator: Vector, _ x: Vector, _ coefficient: Float) -> Vector {
    fma(accumulator, x, nnp_splat(coefficient))
  }
}
