import NNGraph

// Between the reference's numbers and the bytes of `Tensor`.

extension ReferenceTensor {
  /// The elements of a tensor in any layout.
  public init(_ tensor: Tensor) {
    switch tensor.layout {
    case .rowMajor: self.init(bytes: tensor.bytes, dtype: tensor.dtype, extents: tensor.extents)
    case .panels:
      let (rows, columns) = (tensor.extents[0], tensor.extents[1])
      let places = (0..<rows * columns).map { ($0 / columns, $0 % columns) }
      self.init(tensor, inPanels: rows, places)
    case .filterPanels:
      let (filters, rows) = (tensor.extents[0], tensor.extents.dropFirst().reduce(1, *))
      self.init(tensor, inPanels: rows, (0..<filters * rows).map { ($0 % rows, $0 / rows) })
    }
  }

  /// Elements that lie at `places`, row and column each, of a matrix in panels.
  private init(_ tensor: Tensor, inPanels rows: Int, _ places: [(row: Int, column: Int)]) {
    let width = TensorLayout.panelWidth
    let values = places.map { row, column in
      let position = ((column / width) * rows + row) * width + column % width
      return Double(tensor.bytes.loadUnaligned(fromByteOffset: position * 4, as: Float.self))
    }
    self.init(values, extents: tensor.extents, dtype: tensor.dtype)
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
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      let format = NarrowFormat(dtype)
      self.init(all(UInt8.self).map { format.number($0) }, extents: extents, dtype: dtype)
    case .i8: self.init(integers: all(Int8.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i16: self.init(integers: all(Int16.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i32: self.init(integers: all(Int32.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i64, .u64: self.init(integers: all(Int64.self), extents: extents, dtype: dtype)
    case .u16: self.init(integers: all(UInt16.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .u32: self.init(integers: all(UInt32.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .u8, .bool: self.init(integers: all(UInt8.self).map { Int64($0) }, extents: extents, dtype: dtype)
    case .i4, .i2, .u4, .u2:
      self.init(
        integers: all(UInt8.self).map { ReferenceTensor.wrapped(Int64($0), to: dtype) }, extents: extents,
        dtype: dtype)
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
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      let format = NarrowFormat(dtype)
      return values.map { format.code($0, saturates: true) }
    case .i8, .u8, .bool: return raw(integers.map { UInt8(truncatingIfNeeded: $0) })
    case .i16, .u16: return raw(integers.map { UInt16(truncatingIfNeeded: $0) })
    case .i32, .u32: return raw(integers.map { UInt32(truncatingIfNeeded: $0) })
    case .i64, .u64: return raw(integers)
    case .i4, .u4: return raw(integers.map { UInt8(truncatingIfNeeded: $0) & 15 })
    case .i2, .u2: return raw(integers.map { UInt8(truncatingIfNeeded: $0) & 3 })
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
