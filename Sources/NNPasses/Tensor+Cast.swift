import NNGraph
import NNKernels

extension Tensor {
  /// This row-major tensor in another type, by the runtime's own arithmetic.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for panels, ``ErrorCode/dtypeMismatch`` for the bits of types that have not as many,
  ///   ``ErrorCode/outOfMemory``.
  public func cast(to dtype: DType, mode: CastMode = .standard) throws(NNError) -> Tensor {
    if dtype == self.dtype { return self }
    guard layout == .rowMajor else { throw NNError(.invalidArgument, "a tensor in panels cannot be cast") }
    guard let kernel = castKernel(self.dtype, dtype, mode) else {
      throw NNError(
        .dtypeMismatch, "the bits of \(self.dtype.name) are not as many as those of \(dtype.name)")
    }
    let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      guard let source = bytes.baseAddress, let target = memory.baseAddress else { return }
      kernel(source, target, elementCount)
    }
    return try Tensor(dtype: dtype, extents: extents, storage: storage)
  }
}
