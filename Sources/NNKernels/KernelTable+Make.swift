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

  /// The kernels of `lesser`, an instruction set that every processor with `I` has too, but for those that arithmetic and not
  /// memory holds up: products and functions of one number. The bits are the same, and the library is smaller.
  @inlinable @inline(__always)
  public static func make<I: InstructionSet>(_: I.Type, over lesser: KernelTable) -> KernelTable {
    var table = lesser
    table.name = I.name
    table.unary = { unaryKernel($0, I.self) }
    table.matmul = { NNKernels.matmul($0, $1, I.self) }
    table.convolution = { NNKernels.convolution($0, $1, $2, I.self) }
    return table
  }
}
