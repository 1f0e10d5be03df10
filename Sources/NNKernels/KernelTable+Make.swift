import NNGraph

extension KernelTable {
  /// Every kernel, specialised for `I` in the module that calls this.
  @inlinable @inline(__always)
  public static func make<I: InstructionSet>(_: I.Type) -> KernelTable {
    KernelTable(
      name: I.name,
      unary: { unaryKernel($0, I.self) },
      binary: { binaryKernel($0, $1, I.self) },
      reduce: { reduceKernel($0, I.self) },
      softmax: { softmaxKernel($0, I.self) },
      batchNormalize: { NNKernels.batchNormalize($0, $1, I.self) },
      layerNormalize: { NNKernels.layerNormalize($0, $1, I.self) },
      matmul: { NNKernels.matmul($0, $1, I.self) },
      convolution: { NNKernels.convolution($0, $1, $2, I.self) },
      random: { randomKernel($0, I.self) })
  }
}
