import NNGraph

/// y[i] = f(x[i]) for i in 0..<count; `x` and `y` may be the same pointer. `alpha` and `beta` are those of `Activation`.
///
/// Elements are independent, so a caller splits the work by passing shifted pointers.
public typealias UnaryKernel =
  @Sendable (
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ alpha: Float, _ beta: Float
  ) -> Void

/// As ``UnaryKernel``, of doubles.
public typealias Unary64Kernel =
  @Sendable (
    _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int, _ alpha: Double,
    _ beta: Double
  ) -> Void

/// Runs the given half-open range of an operation's work units; the result does not depend on how units are split.
public typealias RangeKernel<Arguments> = @Sendable (_ arguments: Arguments, _ units: Range<Int>) -> Void

/// As ``RangeKernel``, with scratch memory (64-byte aligned) that belongs to the calling thread during the call.
public typealias ScratchKernel<Arguments> =
  @Sendable (_ arguments: Arguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>) -> Void

/// As ``RangeKernel``, for data-dependent failure: gives −1, or the position in `indices` of the first index of the range
/// that is out of bounds. Nothing is read or written outside the tensors either way.
public typealias IndexedKernel<Arguments> = @Sendable (_ arguments: Arguments, _ units: Range<Int>) -> Int

/// y[i] = x[i] converted, for i in 0..<count; `x` and `y` do not overlap.
public typealias CastKernel =
  @Sendable (_ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int) -> Void

/// Every kernel, instantiated for one instruction set.
///
/// Functions that return a kernel are meant to be called while planning; the kernels themselves allocate nothing, take
/// no lock and trust their arguments: shapes and strides must have been verified. All tables give the same bits.
public struct KernelTable: Sendable {
  /// The instruction set: `baseline`, `v3` or `v4`.
  public var name: StaticString

  // Elementwise, over one run of f32
  /// nil unless the function has a block kernel.
  public var combine: @Sendable (BinaryFunction) -> CombineKernel?
  /// The sum, or the difference.
  public var scaledSum: @Sendable (_ isDifference: Bool) -> ScaledSumKernel
  public var compareBlock: @Sendable (CompareFunction) -> CompareBlockKernel
  public var selectBlock: SelectBlockKernel

  // Elementwise
  public var unary: @Sendable (UnaryFunction) -> UnaryKernel
  public var unary64: @Sendable (UnaryFunction) -> Unary64Kernel
  /// nil where the type has no kernel for the function; see `Op.computeType(for:)`.
  public var binary: @Sendable (BinaryFunction, DType) -> RangeKernel<BinaryArguments>?
  /// nil where the type has no kernel for the function; see `Op.computeType(for:)`. The output is bytes 0 or 1.
  public var compare: @Sendable (CompareFunction, DType) -> RangeKernel<BinaryArguments>?
  /// For elements of 1, 2, 4 or 8 bytes.
  public var select: @Sendable (_ elementSize: Int) -> RangeKernel<SelectArguments>?
  /// nil unless `CastMode/bits` is asked for between types of different sizes.
  public var cast: @Sendable (_ from: DType, _ to: DType, _ mode: CastMode) -> CastKernel?

  // Reductions and normalisation
  public var reduce: @Sendable (ReduceFunction) -> RangeKernel<ReduceArguments>
  /// Of types other than f32; nil where the type has no kernel, see `Op.computeType(for:)`.
  public var reduceScalar: @Sendable (ReduceFunction, DType) -> RangeKernel<ScalarReduceArguments>?
  /// Output i64; nil where the type has no kernel. Only the kind of extreme matters, not the axis.
  public var argument: @Sendable (ArgumentReduce, DType) -> RangeKernel<ArgumentReduceArguments>?
  public var softmax: @Sendable (SoftmaxFunction) -> RangeKernel<SoftmaxArguments>
  public var batchNormalize: RangeKernel<BatchNormalizeArguments>
  public var layerNormalize: RangeKernel<LayerNormalizeArguments>

  // Training of normalisations
  /// x → (2, C): each channel's mean and biased variance.
  public var channelMoments: RangeKernel<ChannelSumsArguments>
  /// x, dy, moments → (2, C): Σ dy and Σ dy·(x − mean) of each channel.
  public var channelProducts: RangeKernel<ChannelSumsArguments>
  public var layerNormalizeGradient: RangeKernel<LayerNormalizeGradientArguments>
  public var batchNormalizeGradient: RangeKernel<BatchNormalizeGradientArguments>

  // Products
  public var matmul: RangeKernel<MatmulArguments>
  /// One matrix of a type other than f32; nil where the type has no kernel.
  public var matmulScalar: @Sendable (DType) -> RangeKernel<ScalarMatmulArguments>?
  public var convolution: ScratchKernel<ConvolutionArguments>
  /// Whether it takes ``ConvolutionArguments/pools``.
  public var fusesConvolutions: Bool
  /// The weights of a convolution by Winograd's algorithm.
  public var winogradWeights: RangeKernel<WinogradWeightsArguments>
  public var transposedConvolution: ScratchKernel<TransposedConvolutionArguments>
  public var transposedWeights: RangeKernel<TransposedWeightsArguments>
  public var convolutionWeightGradient: ScratchKernel<ConvolutionWeightGradientArguments>

  // Recurrence
  /// A step of a gated recurrence; nil for the simple kind, whose arguments have methods for it.
  public var recurrentStep: @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentStepArguments>?
  /// A whole gated recurrence over one sequence, with its projection; nil where the instruction set has too few registers.
  public var projectedRecurrence: @Sendable (Recurrent.Kind) -> ProjectedRecurrenceKernel?
  public var recurrentGradientStep: @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentGradientStepArguments>?

  // Windows
  public var maximumPool: RangeKernel<PoolArguments>
  public var averagePool: RangeKernel<PoolArguments>
  public var maximumPoolGradient: RangeKernel<PoolGradientArguments>
  public var averagePoolGradient: RangeKernel<PoolGradientArguments>
  public var unfold: RangeKernel<UnfoldArguments>
  public var fold: RangeKernel<UnfoldArguments>

  // Movement
  /// For elements of 1, 2, 4 or 8 bytes.
  public var copy: @Sendable (_ elementSize: Int) -> RangeKernel<CopyArguments>?
  public var gather: IndexedKernel<GatherArguments>
  /// Replacing works on every type, the other functions on f32, i32 and i64; nil for the rest.
  public var scatter: @Sendable (ScatterFunction, DType) -> IndexedKernel<ScatterArguments>?
  public var argsort: RangeKernel<ArgsortArguments>

  // Sources
  public var random: @Sendable (RandomFunction) -> RangeKernel<RandomArguments>

  /// The kernels that are compiled per instruction set are given; the others are the same in every table.
  @export(interface)
  public init(
    name: StaticString, unary: @escaping @Sendable (UnaryFunction) -> UnaryKernel,
    combine: @escaping @Sendable (BinaryFunction) -> CombineKernel?,
    scaledSum: @escaping @Sendable (Bool) -> ScaledSumKernel,
    compareBlock: @escaping @Sendable (CompareFunction) -> CompareBlockKernel,
    selectBlock: @escaping SelectBlockKernel,
    reduce: @escaping @Sendable (ReduceFunction) -> RangeKernel<ReduceArguments>,
    softmax: @escaping @Sendable (SoftmaxFunction) -> RangeKernel<SoftmaxArguments>,
    batchNormalize: @escaping RangeKernel<BatchNormalizeArguments>,
    layerNormalize: @escaping RangeKernel<LayerNormalizeArguments>,
    channelMoments: @escaping RangeKernel<ChannelSumsArguments>,
    channelProducts: @escaping RangeKernel<ChannelSumsArguments>,
    layerNormalizeGradient: @escaping RangeKernel<LayerNormalizeGradientArguments>,
    batchNormalizeGradient: @escaping RangeKernel<BatchNormalizeGradientArguments>,
    matmul: @escaping RangeKernel<MatmulArguments>,
    convolution: @escaping ScratchKernel<ConvolutionArguments>,
    fusesConvolutions: Bool,
    winogradWeights: @escaping RangeKernel<WinogradWeightsArguments>,
    transposedConvolution: @escaping ScratchKernel<TransposedConvolutionArguments>,
    transposedWeights: @escaping RangeKernel<TransposedWeightsArguments>,
    convolutionWeightGradient: @escaping ScratchKernel<ConvolutionWeightGradientArguments>,
    pool: @escaping @Sendable (PoolArguments, Range<Int>, _ isMaximum: Bool) -> Void,
    poolGradient: @escaping @Sendable (PoolGradientArguments, Range<Int>, _ isMaximum: Bool) -> Void,
    fold: @escaping RangeKernel<UnfoldArguments>,
    recurrentStep: @escaping @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentStepArguments>?,
    recurrentGradientStep:
      @escaping @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentGradientStepArguments>?,
    random: @escaping @Sendable (RandomFunction) -> RangeKernel<RandomArguments>
  ) {
    self.name = name
    self.unary = unary
    self.combine = combine
    self.scaledSum = scaledSum
    self.compareBlock = compareBlock
    self.selectBlock = selectBlock
    binary = { function, type in
      guard type == .f32, let kernel = combine(function) else { return scalarBinaryKernel(function, type) }
      return { forEachRun($0, $1, kernel) }
    }
    compare = { function, type in
      if type != .f32 { return scalarCompareKernel(function, type) }
      let kernel = compareBlock(function)
      return { forEachRun($0, $1, kernel) }
    }
    unary64 = { function in { unaryScalar($0, $1, $2, $3, $4, function) } }
    select = { selectKernel($0, selectBlock) }
    cast = { castKernel($0, $1, $2) }
    self.reduce = reduce
    reduceScalar = { scalarReduceKernel($0, $1) }
    argument = { argumentReduceKernel($0, $1) }
    matmulScalar = { scalarMatmulKernel($0) }
    self.softmax = softmax
    self.batchNormalize = batchNormalize
    self.layerNormalize = layerNormalize
    self.channelMoments = channelMoments
    self.channelProducts = channelProducts
    self.layerNormalizeGradient = layerNormalizeGradient
    self.batchNormalizeGradient = batchNormalizeGradient
    self.matmul = matmul
    self.convolution = convolution
    self.fusesConvolutions = fusesConvolutions
    self.winogradWeights = winogradWeights
    self.transposedConvolution = transposedConvolution
    self.transposedWeights = transposedWeights
    self.convolutionWeightGradient = convolutionWeightGradient
    self.recurrentStep = recurrentStep
    projectedRecurrence = { _ in nil }
    self.recurrentGradientStep = recurrentGradientStep
    maximumPool = { (isScalar($0.window, $0.outputWidth, true) ? scalarPool : pool)($0, $1, true) }
    averagePool = { (isScalar($0.window, $0.outputWidth, false) ? scalarPool : pool)($0, $1, false) }
    maximumPoolGradient = {
      (isScalar($0.window, $0.outputWidth, true) ? scalarPoolGradient : poolGradient)($0, $1, true)
    }
    averagePoolGradient = {
      (isScalar($0.window, $0.outputWidth, false) ? scalarPoolGradient : poolGradient)($0, $1, false)
    }
    unfold = { NNKernels.unfold($0, $1) }
    self.fold = fold
    copy = { copyKernel($0) }
    gather = { NNKernels.gather($0, $1) }
    scatter = { scatterKernel($0, $1) }
    argsort = { NNKernels.argsort($0, $1) }
    self.random = random
  }
}

extension KernelTable {
  /// What a product applies to its results, from the operator's activation.
  @inlinable public func epilogue(_ activation: Activation) -> Epilogue { Epilogue(activation) }
}

/// An activation that a product applies to its results, by the kernel that `KernelTable.unary` gives: fused or not, the
/// bits are the same. Plain data, so that copies of the arguments count no references.
public struct Epilogue: Equatable, Sendable {
  public var function: UnaryFunction
  public var alpha: Float
  public var beta: Float

  @inlinable public init(_ activation: Activation) {
    function = activation.function
    alpha = activation.alpha
    beta = activation.beta
  }

  @inlinable public static var none: Epilogue { Epilogue(.identity) }

  /// What a relu or clip keeps its results between; kernels do that on the way to memory. Nil for other functions.
  @inlinable public var bounds: (low: Float, high: Float)? {
    if function == .relu { return (0, .infinity) }
    return function == .clip ? (alpha, beta) : nil
  }

  /// The same, or what bounds nothing.
  @inlinable @inline(__always) var low: Float { bounds?.low ?? -.infinity }
  @inlinable @inline(__always) var high: Float { bounds?.high ?? .infinity }

  /// Whether a function remains to be applied to results in memory.
  @inlinable public var isSeparate: Bool { function != .identity && function != .relu && function != .clip }
}
