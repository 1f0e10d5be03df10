import CPlatform

/// How a constant's elements are laid out in memory.
public enum TensorLayout: UInt8, CaseIterable, Sendable {
  /// Last axis contiguous.
  case rowMajor = 0
  /// A matrix (K, N) in panels of 16 columns: element (k, n) stands at ((n/16)·K + k)·16 + n mod 16; missing columns are
  /// zeros. This is the order in which the dense kernel reads it.
  case panels = 1

  /// Columns of one panel.
  public static let panelWidth = 16
}

/// Bytes that several values may share: owned memory aligned to 64 bytes, or a view kept alive by its keeper.
public final class TensorStorage: @unchecked Sendable {
  /// Valid as long as this object lives.
  public let bytes: UnsafeRawBufferPointer
  private let owned: Bool
  private let keeper: AnyObject?

  private init(bytes: UnsafeRawBufferPointer, owned: Bool, keeper: AnyObject?) {
    self.bytes = bytes
    self.owned = owned
    self.keeper = keeper
  }

  deinit {
    if owned { nnp_free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
  }

  /// A view of `bytes`, which must stay valid as long as `keeper` lives.
  public static func view(_ bytes: UnsafeRawBufferPointer, keptAliveBy keeper: AnyObject?) -> TensorStorage {
    TensorStorage(bytes: bytes, owned: false, keeper: keeper)
  }

  /// New memory of `size` bytes, filled by `initialize`.
  ///
  /// - Throws: ``ErrorCode/outOfMemory``, or what `initialize` throws.
  public static func allocate(
    size: Int, initialize: (UnsafeMutableRawBufferPointer) throws(NNError) -> Void
  ) throws(NNError) -> TensorStorage {
    guard size >= 0, let memory = nnp_allocate(size) else {
      throw NNError(.outOfMemory, "\(size) bytes for a tensor could not be allocated")
    }
    let storage = TensorStorage(
      bytes: UnsafeRawBufferPointer(start: memory, count: size), owned: true, keeper: nil)
    try initialize(UnsafeMutableRawBufferPointer(start: memory, count: size))
    return storage
  }
}

/// A constant: type, layout and bytes (little-endian).
public struct Tensor: Sendable {
  public let dtype: DType
  /// The logical extents, whatever the layout.
  public let extents: [Int]
  public let layout: TensorLayout
  public let storage: TensorStorage

  public var bytes: UnsafeRawBufferPointer { storage.bytes }
  public var shape: Shape { Shape(extents) }
  public var type: TensorType { TensorType(dtype, shape) }
  public var elementCount: Int { shape.elementCount ?? 0 }

  /// - Throws: ``ErrorCode/invalidGraph`` if the storage does not have exactly the bytes that type and layout ask for.
  public init(dtype: DType, extents: [Int], layout: TensorLayout = .rowMajor, storage: TensorStorage)
    throws(NNError)
  {
    let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: layout)
    guard storage.bytes.count == size else {
      throw NNError(
        .invalidGraph,
        "\(storage.bytes.count) bytes given for a tensor of \(size) (\(dtype.name) \(Shape(extents).description))"
      )
    }
    self.dtype = dtype
    self.extents = extents
    self.layout = layout
    self.storage = storage
  }

  /// A row-major tensor of the given numbers.
  public init(_ values: [Float], extents: [Int]) throws(NNError) {
    let storage = try TensorStorage.allocate(size: values.count * 4) { (memory) throws(NNError) in
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
    try self.init(dtype: .f32, extents: extents, storage: storage)
  }

  /// A row-major tensor of the given integers.
  public init(_ values: [Int64], extents: [Int]) throws(NNError) {
    let storage = try TensorStorage.allocate(size: values.count * 8) { (memory) throws(NNError) in
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
    try self.init(dtype: .i64, extents: extents, storage: storage)
  }

  /// A row-major tensor of its own, with the given bytes.
  ///
  /// - Throws: as ``init(dtype:extents:layout:storage:)``, and for a type whose extents are not all known.
  public init(copying bytes: UnsafeRawBufferPointer, as type: TensorType) throws(NNError) {
    guard let extents = type.shape.extents else {
      throw NNError(.invalidGraph, "a tensor of shape \(type.shape.description)")
    }
    let storage = try TensorStorage.allocate(size: bytes.count) { (memory) throws(NNError) in
      memory.copyMemory(from: bytes)
    }
    try self.init(dtype: type.dtype, extents: extents, storage: storage)
  }

  /// The elements of an f32 tensor in row-major order, whatever the layout; nil for other types.
  public var floats: [Float]? {
    guard dtype == .f32 else { return nil }
    let all = bytes.bindMemory(to: Float.self)
    switch layout {
    case .rowMajor: return Array(all)
    case .panels:
      let (rows, columns, width) = (extents[0], extents[1], TensorLayout.panelWidth)
      var result: [Float] = []
      result.reserveCapacity(rows * columns)
      for row in 0..<rows {
        for column in 0..<columns {
          result.append(all[((column / width) * rows + row) * width + column % width])
        }
      }
      return result
    }
  }

  /// The bytes a tensor takes in a layout.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` or ``ErrorCode/invalidGraph`` for extents no tensor may have, and for
  ///   panels of anything but a matrix of 4-byte elements.
  public static func byteCount(dtype: DType, extents: [Int], layout: TensorLayout) throws(NNError) -> Int {
    try Shape(extents).validate()
    let count = Shape(extents).elementCount ?? 0
    switch layout {
    case .rowMajor: return count * dtype.size
    case .panels:
      guard extents.count == 2, dtype == .f32 else {
        throw NNError(
          .invalidGraph, "panels hold f32 matrices, not \(dtype.name) \(Shape(extents).description)")
      }
      let width = TensorLayout.panelWidth
      let panels = extents[1] / width + (extents[1] % width == 0 ? 0 : 1)
      let (rows, tooManyRows) = panels.multipliedReportingOverflow(by: extents[0])
      let (bytes, tooManyBytes) = rows.multipliedReportingOverflow(by: width * dtype.size)
      guard !tooManyRows, !tooManyBytes else {
        throw NNError(.limitExceeded, "panels of shape \(Shape(extents).description) are too large")
      }
      return bytes
    }
  }
}
