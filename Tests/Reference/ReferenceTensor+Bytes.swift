import NNGraph

// Between the reference's numbers and the bytes of `Tensor`.

extension ReferenceTensor {
  /// The elements of a tensor in either layout.
  public init(_ tensor: Tensor) {
    switch tensor.layout {
    case .rowMajor: self.init(bytes: tensor.bytes, dtype: tensor.dtype, extents: tensor.extents)
    case .panels:
      let width = TensorLayout.panelWidth
      let (rows, columns) = (tensor.extents[0], tensor.extents[1])
      var values: [Double] = []
      for row in 0..<rows {
        for column in 0..<columns {
          let position = ((column / width) * rows + row) * width + column % width
          values.append(Double(tensor.bytes.loadUnaligned(fromByteOffset: position * 4, as: Float.self)))
        }
      }
      self.init(values, extents: tensor.extents, dtype: tensor.dtype)
    }
  }

  /// Row-major little-endian elements.
  public init(bytes: UnsafeRawBufferPointer, dtype: DType, extents: [Int]) {
    let count = extents.reduce(1, *)
    precondition(bytes.count == count * dtype.size)
    func all<T: BitwiseCopyable>(_ type: T.Type) -> [T] {
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self) }
    }
    switch dtype {
    case .f32: self.init(all(Float.self).map { Double($0) }, extents: extents, dtype: dtype)
    case .f64: self.init(all(Double.self), extents: extents, dtype: dtype)
    case .f16: self.init(all(Float16.self).map { Double($0) }, extents: extents, dtype: dtype)
    case .bf16:
      self.init(
        all(UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }, extents: extents, dtype: dtype)
    case .i8: self.init(integers: all(Int8.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i16: self.init(integers: all(Int16.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i32: self.init(integers: all(Int32.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i64: self.init(integers: all(Int64.self), extents: extents, dtype: dtype)
    case .u8, .bool: self.init(integers: all(UInt8.self).map { Int64($0) }, extents: extents, dtype: dtype)
    }
  }

  /// The elements as row-major little-endian bytes, floating-point values rounded to the nearest of their type.
  public var bytes: [UInt8] {
    func raw<T: BitwiseCopyable>(_ elements: [T]) -> [UInt8] { elements.withUnsafeBytes { Array($0) } }
    switch dtype {
    case .f32: return raw(values.map { Float($0) })
    case .f64: return raw(values)
    case .f16: return raw(values.map { Float16($0) })
    case .bf16:
      return raw(values.map { UInt16(Float(ReferenceTensor.rounded($0, to: .bf16)).bitPattern >> 16) })
    case .i8: return raw(integers.map { Int8(truncatingIfNeeded: $0) })
    case .i16: return raw(integers.map { Int16(truncatingIfNeeded: $0) })
    case .i32: return raw(integers.map { Int32(truncatingIfNeeded: $0) })
    case .i64: return raw(integers)
    case .u8, .bool: return raw(integers.map { UInt8(truncatingIfNeeded: $0) })
    }
  }

  /// The same elements as a row-major `Tensor`.
  public func tensor() throws(NNError) -> Tensor {
    let bytes = self.bytes
    let storage = try TensorStorage.allocate(size: bytes.count) { (memory) throws(NNError) in
      memory.copyBytes(from: bytes)
    }
    return try Tensor(dtype: dtype, extents: extents, storage: storage)
  }
}
