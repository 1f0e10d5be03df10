// The arguments of the kernels. Pointers are borrowed for the call; strides are in elements unless they say bytes.

/// The most dimensions a strided kernel takes.
public let maximumRank = 8

/// Extents or strides of up to ``maximumRank`` dimensions, outermost first; entries past the rank are unused.
public typealias Dimensions = InlineArray<8, Int>

/// out = f(a, b), elementwise. `out` is contiguous and row-major over `dims`; a stride of 0 broadcasts an operand.
///
/// Work units: the elements of `out`, in order. `out` may be `a` or `b` if that operand has the same layout.
/// ``BroadcastLayout`` finds few dimensions and strides for two shapes.
public struct BinaryArguments {
  public var a: UnsafeRawPointer
  public var b: UnsafeRawPointer
  public var out: UnsafeMutableRawPointer
  public var rank: Int
  public var dims: Dimensions
  public var aStrides: Dimensions
  public var bStrides: Dimensions

  @inlinable public init(
    a: UnsafeRawPointer, b: UnsafeRawPointer, out: UnsafeMutableRawPointer, layout: BroadcastLayout
  ) {
    self.a = a
    self.b = b
    self.out = out
    rank = layout.rank
    dims = layout.dims
    aStrides = layout.strides0
    bStrides = layout.strides1
  }
}

/// out = condition ? a : b, elementwise; `condition` is bytes, 0 is false. As ``BinaryArguments`` otherwise.
public struct SelectArguments {
  public var condition: UnsafePointer<UInt8>
  public var a: UnsafeRawPointer
  public var b: UnsafeRawPointer
  public var out: UnsafeMutableRawPointer
  public var rank: Int
  public var dims: Dimensions
  public var conditionStrides: Dimensions
  public var aStrides: Dimensions
  public var bStrides: Dimensions

  /// The layout's operands are, in order, the condition, `a` and `b`.
  @inlinable public init(
    condition: UnsafePointer<UInt8>, a: UnsafeRawPointer, b: UnsafeRawPointer, out: UnsafeMutableRawPointer,
    layout: BroadcastLayout
  ) {
    self.condition = condition
    self.a = a
    self.b = b
    self.out = out
    rank = layout.rank
    dims = layout.dims
    conditionStrides = layout.strides0
    aStrides = layout.strides1
    bStrides = layout.strides2
  }
}

/// y = fold of x along some axes. `y` is contiguous and row-major over the kept dimensions.
///
/// The reduced elements are taken in row-major order of `reducedDims`. Work units: the elements of `y`.
/// ``ReduceLayout`` makes the dimensions from a shape and its axes.
public struct ReduceArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var layout: ReduceLayout

  @inlinable public init(x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, layout: ReduceLayout) {
    self.x = x
    self.y = y
    self.layout = layout
  }
}

/// x is (outer, axis, inner), y is (outer, inner); axis > 0. Work units: outer · inner.
public struct ArgumentReduceArguments {
  public var x: UnsafeRawPointer
  public var y: UnsafeMutablePointer<Int64>
  public var outer: Int
  public var axis: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafeRawPointer, y: UnsafeMutablePointer<Int64>, outer: Int, axis: Int, inner: Int
  ) {
    self.x = x
    self.y = y
    self.outer = outer
    self.axis = axis
    self.inner = inner
  }
}

/// x and y are (outer, axis, inner) and may be the same pointer. Work units: outer · inner.
public struct SoftmaxArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var outer: Int
  public var axis: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, outer: Int, axis: Int, inner: Int
  ) {
    self.x = x
    self.y = y
    self.outer = outer
    self.axis = axis
    self.inner = inner
  }
}

/// y = (x − mean)·(scale/√(variance + ε)) + bias, per channel. Ioffe and Szegedy 2015, algorithm 2.
///
/// x and y are (outer, channels, inner) and may be the same pointer; the others are (channels). Work units: outer · channels.
public struct BatchNormalizeArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var scale: UnsafePointer<Float>
  public var bias: UnsafePointer<Float>
  public var mean: UnsafePointer<Float>
  public var variance: UnsafePointer<Float>
  public var epsilon: Float
  public var outer: Int
  public var channels: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, scale: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, epsilon: Float,
    outer: Int, channels: Int, inner: Int
  ) {
    self.x = x
    self.y = y
    self.scale = scale
    self.bias = bias
    self.mean = mean
    self.variance = variance
    self.epsilon = epsilon
    self.outer = outer
    self.channels = channels
    self.inner = inner
  }
}

/// y = (x − μ)/√(σ² + ε)·scale + bias with the mean μ and biased variance σ² of each row. Ba, Kiros and Hinton 2016.
///
/// x and y are (rows, inner) and may be the same pointer; scale and bias are (inner), nil meaning 1 and 0.
/// Work units: rows.
public struct LayerNormalizeArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var scale: UnsafePointer<Float>?
  public var bias: UnsafePointer<Float>?
  public var epsilon: Float
  public var rows: Int
  public var inner: Int

  @inlinable public init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, scale: UnsafePointer<Float>?,
    bias: UnsafePointer<Float>?, epsilon: Float, rows: Int, inner: Int
  ) {
    self.x = x
    self.y = y
    self.scale = scale
    self.bias = bias
    self.epsilon = epsilon
    self.rows = rows
    self.inner = inner
  }
}

/// destination[i…] = source[i…] over `dims`, with any strides (0 repeats, negative reverses); element size by kernel.
///
/// Covers transpose, expand, slice, the pieces of a concat or split, and fill (source strides 0). Work units: the
/// elements, in row-major order of `dims`. The two do not overlap. ``CopyLayout`` merges dimensions.
public struct CopyArguments {
  public var source: UnsafeRawPointer
  public var destination: UnsafeMutableRawPointer
  public var rank: Int
  public var dims: Dimensions
  public var sourceStrides: Dimensions
  public var destinationStrides: Dimensions

  @inlinable public init(
    source: UnsafeRawPointer, destination: UnsafeMutableRawPointer, layout: BroadcastLayout
  ) {
    self.source = source
    self.destination = destination
    rank = layout.rank
    dims = layout.dims
    sourceStrides = layout.strides0
    destinationStrides = layout.strides1
  }
}

/// out[o, i, :] = data[o, indices[i], :]; data is (outer, axis, inner) and out (outer, count, inner), inner in bytes.
///
/// Indices are i32 or i64; a negative one counts from the end of the axis. Work units: outer · count.
public struct GatherArguments {
  public var data: UnsafeRawPointer
  public var indices: UnsafeRawPointer
  /// True for i64 indices, false for i32.
  public var wideIndices: Bool
  public var out: UnsafeMutableRawPointer
  public var outer: Int
  public var axis: Int
  public var count: Int
  public var innerBytes: Int

  @inlinable public init(
    data: UnsafeRawPointer, indices: UnsafeRawPointer, wideIndices: Bool, out: UnsafeMutableRawPointer,
    outer: Int, axis: Int, count: Int, innerBytes: Int
  ) {
    self.data = data
    self.indices = indices
    self.wideIndices = wideIndices
    self.out = out
    self.outer = outer
    self.axis = axis
    self.count = count
    self.innerBytes = innerBytes
  }
}

/// out[o, indices[i], :] = f(out[o, indices[i], :], updates[o, i, :]), i ascending.
///
/// updates is (outer, count, inner), out (outer, axis, inner) and holds what is updated. Work units: outer · inner.
public struct ScatterArguments {
  public var updates: UnsafeRawPointer
  public var indices: UnsafeRawPointer
  /// True for i64 indices, false for i32.
  public var wideIndices: Bool
  public var out: UnsafeMutableRawPointer
  public var outer: Int
  public var axis: Int
  public var count: Int
  public var inner: Int

  @inlinable public init(
    updates: UnsafeRawPointer, indices: UnsafeRawPointer, wideIndices: Bool, out: UnsafeMutableRawPointer,
    outer: Int, axis: Int, count: Int, inner: Int
  ) {
    self.updates = updates
    self.indices = indices
    self.wideIndices = wideIndices
    self.out = out
    self.outer = outer
    self.axis = axis
    self.count = count
    self.inner = inner
  }
}

/// out[i] = element `first + i` of the random stream (seed, stream). Work units: the elements of `out`.
public struct RandomArguments {
  public var out: UnsafeMutablePointer<Float>
  public var count: Int
  public var seed: UInt64
  public var stream: UInt64
  public var first: UInt64

  @inlinable public init(
    out: UnsafeMutablePointer<Float>, count: Int, seed: UInt64, stream: UInt64, first: UInt64 = 0
  ) {
    self.out = out
    self.count = count
    self.seed = seed
    self.stream = stream
    self.first = first
  }
}
