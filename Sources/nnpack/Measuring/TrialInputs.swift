import NNGraph
import NNPasses
import NNRuntime

/// What `bench` and `profile` feed a model with.
enum TrialInputs {
  /// Seeded uniform numbers in [0, 1) for f32, zeros for every other type.
  static func tensor(_ dtype: DType, _ extents: [Int]) throws -> Tensor {
    let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
    var random = UniformNumbers(seed: 1)
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      guard dtype == .f32 else { return }
      for offset in stride(from: 0, to: size, by: 4) {
        memory.storeBytes(of: random.next(), toByteOffset: offset, as: Float.self)
      }
    }
    return try Tensor(dtype: dtype, extents: extents, storage: storage)
  }
}

extension Session {
  /// Copies a row-major tensor into the session.
  func setInput(_ index: Int, _ tensor: Tensor) throws {
    try tensor.extents.withUnsafeBufferPointer { extents in
      try setInput(index, dtype: tensor.dtype, extents: extents, bytes: tensor.bytes)
    }
  }
}
