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
      try requireElements(dtype, extents)
      return try OnnxTensorProto.tensor(dtype, extents) { fill($0, dtype) }
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
    // Before there is memory for a shape that may be absurd.
    let count = Shape(extents).elementCount ?? .max
    let packed = try packedCount(dtype, count)
    guard rawBytes.count == packed else {
      throw NNError(.invalidGraph, "has \(rawBytes.count) bytes, its type and shape ask for \(packed)")
    }
    return try tensor(dtype, extents) { memory in
      if dtype.bitWidth < 8 {
        unpack(rawBytes, dtype.bitWidth, into: memory)
        return
      }
      memory.copyMemory(from: rawBytes)
      guard dtype == .bool else { return }
      for index in memory.indices where memory[index] > 1 { memory[index] = 1 }
    }
  }

  /// Bytes of `count` elements, where those of less than 8 bits stand several in a byte.
  private static func packedCount(_ dtype: DType, _ count: Int) throws -> Int {
    guard count <= Shape.maximumElementCount else { throw NNError(.limitExceeded, "has too many elements") }
    if dtype.bitWidth >= 8 { return count * dtype.size }
    let together = 8 / dtype.bitWidth
    return (count + together - 1) / together
  }

  /// Elements of 4 or 2 bits, several in a byte from the low bits up, to a byte each.
  private static func unpack(
    _ packed: some Collection<UInt8>, _ bitWidth: Int, into memory: UnsafeMutableRawBufferPointer
  ) {
    let together = 8 / bitWidth
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

  /// How many entries there must be in the field that the standard puts this type's elements into.
  private func requireElements(_ dtype: DType, _ extents: [Int]) throws {
    let given: Int
    switch dtype {
    case .f32: given = floatData.count
    case .f64: given = doubleData.count
    case .i64: given = int64Data.count
    case .u32, .u64: given = uint64Data.count
    case .i32, .i16, .i8, .u16, .u8, .bool, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz,
      .f8e8m0,
      .i4, .i2, .u4, .u2, .f4e2m1:
      given = int32Data.count
    }
    let count = Shape(extents).elementCount ?? .max
    let wanted = dtype.bitWidth < 8 ? try OnnxTensorProto.packedCount(dtype, count) : count
    guard given == wanted else {
      throw NNError(.invalidGraph, "has \(given) elements, its shape asks for \(wanted)")
    }
  }

  /// Copies the elements from that field, which has as many as there is memory for.
  private func fill(_ memory: UnsafeMutableRawBufferPointer, _ dtype: DType) {
    func store<Stored, Element>(_ field: [Stored], _ convert: (Stored) -> Element) {
      let elements = memory.bindMemory(to: Element.self)
      for (index, value) in field.enumerated() { elements[index] = convert(value) }
    }
    switch dtype {
    case .f32: store(floatData) { $0 }
    case .f64: store(doubleData) { $0 }
    case .i64: store(int64Data) { $0 }
    case .i32: store(int32Data) { $0 }
    case .i16: store(int32Data) { Int16(truncatingIfNeeded: $0) }
    case .i8: store(int32Data) { Int8(truncatingIfNeeded: $0) }
    case .u8, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0:
      store(int32Data) { UInt8(truncatingIfNeeded: $0) }
    case .i4, .i2, .u4, .u2, .f4e2m1:
      OnnxTensorProto.unpack(int32Data.map { UInt8(truncatingIfNeeded: $0) }, dtype.bitWidth, into: memory)
    case .u16: store(int32Data) { UInt16(truncatingIfNeeded: $0) }
    case .u32: store(uint64Data) { UInt32(truncatingIfNeeded: $0) }
    case .u64: store(uint64Data) { $0 }
    case .bool: store(int32Data) { $0 != 0 ? UInt8(1) : 0 }
    case .f16, .bf16: store(int32Data) { UInt16(truncatingIfNeeded: $0) }
    }
  }
}
