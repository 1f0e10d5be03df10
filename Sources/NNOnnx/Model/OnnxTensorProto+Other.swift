import FoundationEssentials
import NNGraph

extension OnnxTensorProto {
  /// The texts of a tensor of strings.
  func texts() throws -> Imported { .strings(stringData.map { String(decoding: $0, as: UTF8.self) }) }
}

extension OnnxSparseTensorProto {
  /// The tensor with its zeros written out.
  ///
  /// - Parameter sizeLimit: bytes that it may take: those of the zeros are not in the file.
  /// - Throws: ``ErrorCode/invalidGraph`` for indices outside of the shape, ``ErrorCode/limitExceeded``.
  func tensor(externalData: ExternalData, sizeLimit: Int) throws -> Tensor {
    let extents = dims.map { Int($0) }
    try Shape(extents).validate()
    let values = try self.values.tensor(externalData: externalData)
    let positions = try flatPositions(
      try indices.tensor(externalData: externalData), count: values.elementCount, extents)
    let size = try Tensor.byteCount(dtype: values.dtype, extents: extents, layout: .rowMajor)
    guard size <= sizeLimit else {
      throw NNError(.limitExceeded, "a sparse tensor of \(size) bytes is more than is allowed")
    }
    let width = values.dtype.size
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      for index in memory.indices { memory[index] = 0 }
      for (index, position) in positions.enumerated() {
        for byte in 0..<width { memory[position * width + byte] = values.bytes[index * width + byte] }
      }
    }
    return try Tensor(dtype: values.dtype, extents: extents, storage: storage)
  }

  /// Row-major positions from indices that are positions already, (count), or one index for each axis, (count, rank).
  private func flatPositions(_ indices: Tensor, count: Int, _ extents: [Int]) throws -> [Int] {
    let isFlat = indices.extents.count < 2
    guard let numbers = indices.integers, numbers.count == (isFlat ? count : count * extents.count) else {
      throw NNError(.invalidGraph, "the indices of a sparse tensor do not fit its values")
    }
    let elements = Shape(extents).elementCount ?? 0
    return try (0..<count).map { index in
      var position = 0
      for axis in isFlat ? 0..<0 : extents.indices {
        let coordinate = numbers[index * extents.count + axis]
        guard coordinate >= 0, coordinate < extents[axis] else {
          throw NNError(.invalidGraph, "a sparse tensor has an index of \(coordinate)")
        }
        position = position * extents[axis] + coordinate
      }
      if isFlat { position = numbers[index] }
      guard position >= 0, position < elements else {
        throw NNError(.invalidGraph, "a sparse tensor has an index of \(position)")
      }
      return position
    }
  }
}

extension OnnxTypeProto {
  /// The tensor type, also of an optional tensor: a model's input is always there.
  var tensor: OnnxTypeProto.Tensor? {
    switch value {
    case .tensorType(let type): type
    case .optionalType(let optional): optional.elemType.plainTensor
    case .sequenceType, .mapType, .sparseTensorType, nil: nil
    }
  }

  private var plainTensor: OnnxTypeProto.Tensor? {
    if case .tensorType(let type)? = value { return type }
    return nil
  }
}
