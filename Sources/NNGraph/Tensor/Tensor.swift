import CPlatform

/// How a constant's elements are laid out in memory.
public enum TensorLayout: UInt8, CaseIterable, Sendable {
  /// Last axis contiguous.
  case rowMajor = 0
  /// A matrix (K, N) in panels of 16 columns: element (k, n) stands at ((n/16)·K + k)·16 + n mod 16; missing columns are
  /// zeros. This is the order in which the dense kernel reads it.
  case panels = 1
  /// The filters (M, C, …) of a convolution as the panels of a matrix (K, M), whose column m has the K = C·… weights of filter m. This is
  /// the order in which convolutions of few pixels read them.
  case filterPanels = 2

  /// Columns of one panel.
  public static let panelWidth = 16

  /// The matrix (K, N) that a tensor of valid extents has in panels; nil if it has none.
  public func matrix(_ extents: [Int]) -> (rows: Int, columns: Int)? {
    switch self {
    case .rowMajor: nil
    case .panels: extents.count == 2 ? (extents[0], extents[1]) : nil
    case .filterPanels: extents.count > 2 ? (extents.dropFirst().reduce(1, &*), extents[0]) : nil
    }
  }

  /// Where element (k, n) of such a matrix stands.
  public static func position(_ row: Int, _ column: Int, rows: Int) -> Int {
    (column / panelWidth &* rows &+ row) &* panelWidth &+ column % panelWidth
  }
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
    guard let (rows, columns) = layout.matrix(extents) else { return Array(all) }
    let isTransposed = layout == .filterPanels
    let (outer, inner) = isTransposed ? (columns, rows) : (rows, columns)
    var result: [Float] = []
    result.reserveCapacity(elementCount)
    for i in 0..<outer {
      for j in 0..<inner {
        let (row, column) = isTransposed ? (j, i) : (i, j)
        result.append(all[TensorLayout.position(row, column, rows: rows)])
      }
    }
    return result
  }

  /// The bytes a tensor takes in a layout.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` or ``ErrorCode/invalidGraph`` for extents no tensor may have, and for
  ///   panels of anything but an f32 matrix, or f32 filters.
  public static func byteCount(dtype: DType, extents: [Int], layout: TensorLayout) throws(NNError) -> Int {
    try Shape(extents).validate()
    let count = Shape(extents).elementCount ?? 0
    guard layout != .rowMajor else { return count * dtype.size }
    guard dtype == .f32, let (k, columns) = layout.matrix(extents) else {
      throw NNError(
        .invalidGraph,
        "panels hold f32 matrices and filters, not \(dtype.name) \(Shape(extents).description)")
    }
    let width = TensorLayout.panelWidth
    let panels = columns / width + (columns % width == 0 ? 0 : 1)
    let (rows, tooManyRows) = panels.multipliedReportingOverflow(by: k)
    let (bytes, tooManyBytes) = rows.multipliedReportingOverflow(by: width * dtype.size)
    guard !tooManyRows, !tooManyBytes else {
      throw NNError(.limitExceeded, "panels of shape \(Shape(extents).description) are too large")
    }
    return bytes
  }
}
