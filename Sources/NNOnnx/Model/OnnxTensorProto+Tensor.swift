import FoundationEssentials
import NNGraph

extension OnnxTensorProto {
  /// The tensor as a constant of ours.
  ///
  /// - Throws: ``ErrorCode/unsupportedOperator`` for element types that we do not have, ``ErrorCode/invalidGraph`` where data
  ///   and shape contradict each other; both name the tensor.
  func tensor(externalData: ExternalData) throws -> Tensor {
    do {
      let dtype = try ElementType.require(Int(dataType))
      let extents = try checkedExtents()
      let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
      if dataLocation == 1 {
        return try externalData.read(self.externalData, size: size) { bytes in
          try OnnxTensorProto.tensor(dtype, extents, rawBytes: bytes)
        }
      }
      if hasRawData {
        return try rawData.withUnsafeBytes { try OnnxTensorProto.tensor(dtype, extents, rawBytes: $0) }
      }
      return try OnnxTensorProto.tensor(dtype, extents) {
        try fill($0, dtype, count: Shape(extents).elementCount ?? 0)
      }
    } catch let error as NNError {
      throw error.within("tensor \"\(name)\"")
    }
  }

  /// The dimensions, each 0 or more and together within the limits.
  func checkedExtents() throws -> [Int] {
    let extents = dims.map { Int($0) }
    try Shape(extents).validate()
    return extents
  }

  /// A tensor whose bytes are in the order of the standard's raw data: little-endian, row-major.
  private static func tensor(_ dtype: DType, _ extents: [Int], rawBytes: UnsafeRawBufferPointer) throws
    -> Tensor
  {
    try tensor(dtype, extents) { memory in
      if dtype.bitWidth < 8 {
        try unpack(rawBytes, dtype.bitWidth, into: memory)
        return
      }
      guard rawBytes.count == memory.count else {
        throw NNError(
          .invalidGraph, "has \(rawBytes.count) bytes, its type and shape ask for \(memory.count)")
      }
      memory.copyMemory(from: rawBytes)
      guard dtype == .bool else { return }
      for index in memory.indices where memory[index] > 1 { memory[index] = 1 }
    }
  }

  /// Elements of 4 or 2 bits, several in a byte from the low bits up, to a byte each.
  private static func unpack(
    _ packed: some Collection<UInt8>, _ bitWidth: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws {
    let together = 8 / bitWidth
    guard packed.count == (memory.count + together - 1) / together else {
      throw NNError(
        .invalidGraph,
        "has \(packed.count) bytes of \(bitWidth)-bit elements, its shape asks for \(memory.count) elements")
    }
    for (position, byte) in packed.enumerated() {
      for element in 0..<together where position * together + element < memory.count {
        memory[position * together + element] = byte >> (element * bitWidth) & (1 << bitWidth - 1)
      }
    }
  }

  private static func tensor(
    _ dtype: DType, _ extents: [Int], initialize: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws -> Tensor {
    let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      do {
        try initialize(memory)
      } catch let error as NNError {
        throw error
      } catch {
        throw NNError(.invalidGraph, Message(text: "\(error)"))
      }
    }
    return try Tensor(dtype: dtype, extents: extents, storage: storage)
  }

  /// Copies the elements from the field that the standard puts this type's into.
  private func fill(_ memory: UnsafeMutableRawBufferPointer, _ dtype: DType, count: Int) throws {
    func store<Stored, Element>(_ field: [Stored], _ convert: (Stored) -> Element) throws {
      guard field.count == count else {
        throw NNError(.invalidGraph, "has \(field.count) elements, its shape asks for \(count)")
      }
      let elements = memory.bindMemory(to: Element.self)
      for (index, value) in field.enumerated() { elements[index] = convert(value) }
    }
    switch dtype {
    case .f32: try store(floatData) { $0 }
    case .f64: try store(doubleData) { $0 }
    case .i64: try store(int64Data) { $0 }
    case .i32: try store(int32Data) { $0 }
    case .i16: try store(int32Data) { Int16(truncatingIfNeeded: $0) }
    case .i8: try store(int32Data) { Int8(truncatingIfNeeded: $0) }
    case .u8, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0:
      try store(int32Data) { UInt8(truncatingIfNeeded: $0) }
    case .i4, .i2, .u4, .u2, .f4e2m1:
      try OnnxTensorProto.unpack(
        int32Data.map { UInt8(truncatingIfNeeded: $0) }, dtype.bitWidth, into: memory)
    case .u16: try store(int32Data) { UInt16(truncatingIfNeeded: $0) }
    case .u32: try store(uint64Data) { UInt32(truncatingIfNeeded: $0) }
    case .u64: try store(uint64Data) { $0 }
    case .bool: try store(int32Data) { $0 != 0 ? UInt8(1) : 0 }
    case .f16, .bf16: try store(int32Data) { UInt16(truncatingIfNeeded: $0) }
    }
  }
}
