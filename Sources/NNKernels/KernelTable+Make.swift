import NNGraph

extension KernelTable {
  /// Every kernel, specialised for `I` in the module that calls this.
  @inlinable @inline(__always)
  public static func make<I: InstructionSet>(_: I.Type) -> KernelTable {
    KernelTable(
      name: I.name,
      unary: { unaryKernel($0, I.self) },
      combine: { combineKernel($0, I.self) },
      scaledSum: { scaledSumKernel($0, I.self) },
      compareBlock: { compareBlockKernel($0, I.self) },
      selectBlock: { NNKernels.selectBlock($0, $1, $2, $3, $4, $5, $6, $7, I.self) },
      reduce: { reduceKernel($0, I.self) },
      softmax: { softmaxKernel($0, I.self) },
      batchNormalize: { NNKernels.batchNormalize($0, $1, I.self) },
      layerNormalize: { NNKernels.layerNormalize($0, $1, I.self) },
      channelMoments: { NNKernels.channelMoments($0, $1, I.self) },
      channelProducts: { NNKernels.channelProducts($0, $1, I.self) },
      layerNormalizeGradient: { NNKernels.layerNormalizeGradient($0, $1, I.self) },
      batchNormalizeGradient: { NNKernels.batchNormalizeGradient($0, $1, I.self) },
      matmul: { NNKernels.matmul($0, $1, I.self) },
      convolution: { NNKernels.convolution($0, $1, $2, I.self) },
      fusesConvolutions: I.fusesConvolutions,
      expandedConvolution: expandedConvolutionKernel(I.self),
      winogradWeights: { NNKernels.winogradWeights($0, $1, I.self) },
      transposedConvolution: { NNKernels.transposedConvolution($0, $1, $2, I.self) },
      transposedWeights: { NNKernels.transposedWeights($0, $1, I.self) },
      convolutionWeightGradient: { NNKernels.convolutionWeightGradient($0, $1, $2, I.self) },
      pool: { I.pool($0, $1, $2) },
      poolGradient: { I.poolGradient($0, $1, $2) },
      fold: { NNKernels.fold($0, $1, I.self) },
      recurrentStep: { recurrentStepKernel($0, I.self) },
      recurrentGradientStep: { recurrentGradientStepKernel($0, I.self) },
      random: { randomKernel($0, I.self) })
  }

  /// This table with some kernels replaced. Called by modules that are compiled for every processor: the copy must not
  /// be made with instructions that only the better one has.
  public func replacing(_ better: ArithmeticKernels) -> KernelTable {
    var table = self
    table.name = better.name
    table.unary = better.unary
    table.softmax = better.softmax
    table.matmul = better.matmul
    table.convolution = better.convolution
    table.expandedConvolution = better.expandedConvolution
    table.winogradWeights = better.winogradWeights
    table.transposedConvolution = better.transposedConvolution
    table.convolutionWeightGradient = better.convolutionWeightGradient
    table.recurrentStep = better.recurrentStep
    table.projectedRecurrence = better.projectedRecurrence
    table.fold = better.fold
    return table
  }
}

/// The kernels that arithmetic and not memory holds up: products and functions of one number.
///
/// An instruction set that adds to another one gives these alone and leaves the rest to the lesser one: the bits are the
/// same, and the library is smaller.
public struct ArithmeticKernels: Sendable {
  public var name: StaticString
  public var unary: @Sendable (UnaryFunction) -> UnaryKernel
  public var softmax: @Sendable (SoftmaxFunction) -> RangeKernel<SoftmaxArguments>
  public var matmul: RangeKernel<MatmulArguments>
  public var convolution: ScratchKernel<ConvolutionArguments>
  public var expandedConvolution: ScratchKernel<ExpandedConvolutionArguments>
  public var winogradWeights: RangeKernel<WinogradWeightsArguments>
  public var transposedConvolution: ScratchKernel<TransposedConvolutionArguments>
  public var convolutionWeightGradient: ScratchKernel<ConvolutionWeightGradientArguments>
  public var recurrentStep: @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentStepArguments>?
  public var projectedRecurrence: @Sendable (Recurrent.Kind) -> ProjectedRecurrenceKernel?
  /// Its lanes are masked, which this instruction set may do better.
  public var fold: RangeKernel<UnfoldArguments>

  @inlinable @inline(__always)
  init(
    name: StaticString, unary: @escaping @Sendable (UnaryFunction) -> UnaryKernel,
    softmax: @escaping @Sendable (SoftmaxFunction) -> RangeKernel<SoftmaxArguments>,
    matmul: @escaping RangeKernel<MatmulArguments>,
    convolution: @escaping ScratchKernel<ConvolutionArguments>,
    expandedConvolution: @escaping ScratchKernel<ExpandedConvolutionArguments>,
    winogradWeights: @escaping RangeKernel<WinogradWeightsArguments>,
    transposedConvolution: @escaping ScratchKernel<TransposedConvolutionArguments>,
    convolutionWeightGradient: @escaping ScratchKernel<ConvolutionWeightGradientArguments>,
    recurrentStep: @escaping @Sendable (Recurrent.Kind) -> RangeKernel<RecurrentStepArguments>?,
    projectedRecurrence: @escaping @Sendable (Recurrent.Kind) -> ProjectedRecurrenceKernel?,
    fold: @escaping RangeKernel<UnfoldArguments>
  ) {
    self.name = name
    self.unary = unary
    self.softmax = softmax
    self.matmul = matmul
    self.convolution = convolution
    self.expandedConvolution = expandedConvolution
    self.winogradWeights = winogradWeights
    self.transposedConvolution = transposedConvolution
    self.convolutionWeightGradient = convolutionWeightGradient
    self.recurrentStep = recurrentStep
    self.projectedRecurrence = projectedRecurrence
    self.fold = fold
  }

  /// The kernels, specialised for `I` in the module that calls this.
  @inlinable @inline(__always)
  public static func make<I: InstructionSet>(_: I.Type) -> ArithmeticKernels {
    ArithmeticKernels(
      name: I.name,
      unary: { unaryKernel($0, I.self) },
      softmax: { softmaxKernel($0, I.self) },
      matmul: { NNKernels.matmul($0, $1, I.self) },
      convolution: { NNKernels.convolution($0, $1, $2, I.self) },
      expandedConvolution: { NNKernels.expandedConvolution($0, $1, $2, I.self) },
      winogradWeights: { NNKernels.winogradWeights($0, $1, I.self) },
      transposedConvolution: { NNKernels.transposedConvolution($0, $1, $2, I.self) },
      convolutionWeightGradient: { NNKernels.convolutionWeightGradient($0, $1, $2, I.self) },
      recurrentStep: { recurrentStepKernel($0, I.self) },
      projectedRecurrence: { projectedRecurrenceKernel($0, I.self) },
      fold: { NNKernels.fold($0, $1, I.self) })
  }
}
