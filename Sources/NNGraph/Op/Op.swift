/// What a node computes. A case is a family; its payload says which member and how.
///
/// The set is closed and every `switch` over it names all cases, so that a new operator is a compile error in each
/// place that owes it an answer: shape inference, format, planner, reference, gradient, ONNX name.
/// Attention and resampling families take their place here.
public enum Op: Equatable, Sendable {
  // Elementwise, with broadcasting
  /// x → f(x)
  case unary(Activation)
  /// a, b → f(a, b)
  case binary(BinaryFunction)
  /// a, b → bool
  case compare(CompareFunction)
  /// condition (bool), a, b → a where the condition holds, else b
  case select

  // Folding axes
  /// x → x with some axes folded
  case reduce(Reduce)
  /// x → i64 index of the largest or smallest element along an axis
  case argument(ArgumentReduce)

  // Products
  /// a (…, M, K), b (…, K, N), bias (N)? → (…, M, N)
  case matmul(Matmul)
  /// x (N, C, H, W), weight (M, C/groups, kH, kW), bias (M)? → (N, M, oH, oW)
  case convolution(Convolution)
  /// x (N, C, H, W) → (N, C, oH, oW)
  case pool(Pool)

  // Normalisation
  /// batch: x (N, C, …), scale (C), bias (C), mean (C), variance (C) → as x;
  /// layer: x (…, D), scale (D), bias (D) → as x
  case normalize(Normalize)
  /// what the training of a normalisation needs of x, see ``NormalizeTraining/Kind``
  case normalizeTraining(NormalizeTraining)
  /// x → as x
  case softmax(Softmax)

  // Recurrence
  /// p (N, T, G·H), R (H, G·H), c (G·H, gru only), h (N or 1, H), c (as h, lstm only), mask (bool (N, T))? → the state after each
  /// step, (N, T, S·H), or with slopes (N, T + 1, …); a step where the mask is false leaves the state as it is
  case recurrent(Recurrent)
  /// what is kept (N, T + 1, …), or the slopes (N, T, H) of the simple kind; R; dy (N, T or 1, H or S·H): of every step or of the one
  /// that is read last alone, of h or of the whole state; mask? → the gradient of the gates, (N, T, …), or of the initial
  /// state, (N, S·H)
  case recurrentGradient(Recurrent, ofStates: Bool)

  // Movement
  /// x → the same elements, in row-major order, in another shape; one extent may be unknown
  case reshape(Shape)
  /// x → axis i of the result is axis permutation[i] of x
  case transpose([Int])
  /// x → x repeated along axes of extent 1 to the given shape
  case expand(Shape)
  /// x → every step-th element from start to end of each axis
  case slice([SliceRange])
  /// x, value (one element, of x's type)? → x with the value around it
  case pad(Pad)
  /// x₀, x₁, … → joined along an axis
  case concat(axis: Int)

  // Selection by index
  /// x, indices (i32 or i64) → x with the axis replaced by the axes of indices; negative indices count from the end
  case gather(axis: Int)
  /// x, indices (i32 or i64), updates (as gather's result) → x with each update put where its index says
  case scatter(ScatterFunction, axis: Int)
  /// x → i64 indices of the elements along an axis in ascending order, or in descending order, equal ones in the order in which they
  /// stand; NaNs count as largest
  case argsort(axis: Int, isDescending: Bool)

  // Types
  /// x → x in another type
  case cast(DType, mode: CastMode = .standard)

  // Extents that are values, and control flow
  /// what a plan for fixed extents cannot hold as it stands, see ``Dynamic``
  case dynamic(Dynamic)

  // Random numbers
  /// like, key (i64, 2 elements: seed and step) → f32 of the shape of `like`; `stream` tells the sources of one graph apart
  case random(RandomFunction, stream: UInt32)

  // Adjoints that products and pooling need
  /// x (N, C, H, W), dy (N, M, oH, oW) → dW (M, C/groups, kH, kW) of a convolution
  case convolutionWeightGradient(Window, groups: Int)
  /// x (N, C, H, W) → (N, C·kH·kW, oH·oW), the patches a convolution multiplies
  case unfold(Window)
  /// x (N, C·kH·kW, oH·oW) → (N, C, H, W), summing where patches overlap; the adjoint of unfold
  case fold(Window, height: Int, width: Int)
  /// x (N, C, H, W), dy (N, C, oH, oW) → dx: each dy goes to where its window's result came from
  case poolGradient(Pool)
}

/// Folding of some axes.
public struct Reduce: Equatable, Sendable {
  public var function: ReduceFunction
  /// Distinct axes in ascending order, each in 0..<rank.
  public var axes: [Int]
  /// Whether folded axes stay with extent 1.
  public var keepsDimensions: Bool

  public init(_ function: ReduceFunction, axes: [Int], keepsDimensions: Bool) {
    self.function = function
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }
}

/// Index of the extreme element along an axis; NaN wins over numbers.
public struct ArgumentReduce: Equatable, Sendable {
  /// True for the largest element, false for the smallest.
  public var findsMaximum: Bool
  /// Whether the last of equal elements wins, and not the first.
  public var selectsLast: Bool
  public var axis: Int
  public var keepsDimensions: Bool

  public init(findsMaximum: Bool, selectsLast: Bool = false, axis: Int, keepsDimensions: Bool) {
    self.findsMaximum = findsMaximum
    self.selectsLast = selectsLast
    self.axis = axis
    self.keepsDimensions = keepsDimensions
  }
}

/// A batched matrix product with optional bias and activation.
public struct Matmul: Equatable, Sendable {
  /// Whether `a` is stored (…, K, M).
  public var transposesA: Bool
  /// Whether `b` is stored (…, N, K).
  public var transposesB: Bool
  /// Applied after the bias.
  public var activation: Activation

  public init(transposesA: Bool = false, transposesB: Bool = false, activation: Activation = .identity) {
    self.transposesA = transposesA
    self.transposesB = transposesB
    self.activation = activation
  }
}

/// A window that slides over the last two axes of (N, C, H, W).
public struct Window: Equatable, Sendable {
  /// Extent kH, kW; at least 1.
  public var extent: [Int]
  /// Step between neighbouring windows; at least 1.
  public var strides: [Int]
  /// Distance between neighbouring taps of one window; at least 1.
  public var dilations: [Int]
  /// Padding before the first element of each axis (top, left), 0 or more.
  public var paddingBefore: [Int]
  /// Padding after the last element of each axis (bottom, right), 0 or more.
  public var paddingAfter: [Int]

  public init(
    extent: [Int], strides: [Int] = [1, 1], dilations: [Int] = [1, 1], paddingBefore: [Int] = [0, 0],
    paddingAfter: [Int] = [0, 0]
  ) {
    self.extent = extent
    self.strides = strides
    self.dilations = dilations
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
  }
}

/// A cross-correlation, as every framework calls convolution. Padding takes part as zeros.
public struct Convolution: Equatable, Sendable {
  public var window: Window
  /// Input and output channels are split into this many independent groups.
  public var groups: Int
  /// Applied after the bias.
  public var activation: Activation

  public init(window: Window, groups: Int = 1, activation: Activation = .identity) {
    self.window = window
    self.groups = groups
    self.activation = activation
  }
}

/// Pooling over windows. The maximum ignores padding.
public struct Pool: Equatable, Sendable {
  public var function: PoolFunction
  public var window: Window
  /// Whether the average divides by the window's full extent (padding counted as zeros) or by the elements inside x.
  public var countsPadding: Bool

  public init(_ function: PoolFunction, window: Window, countsPadding: Bool = false) {
    self.function = function
    self.window = window
    self.countsPadding = countsPadding
  }
}

/// Shifting and scaling to a common mean and variance.
public struct Normalize: Equatable, Sendable {
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// With given statistics per channel (axis 1): (x − mean)/√(variance + ε)·scale + bias. Ioffe and Szegedy 2015.
    case batch = 0
    /// With the mean and biased variance of the last axis. Ba, Kiros and Hinton 2016.
    case layer = 1
  }

  public var kind: Kind
  /// ε, added to the variance; positive and finite.
  public var epsilon: Float

  public init(_ kind: Kind, epsilon: Float) {
    self.kind = kind
    self.epsilon = epsilon
  }
}

/// Sums and gradients that the training of a normalisation needs, each in one pass.
public struct NormalizeTraining: Equatable, Sendable {
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// x (N, C, …) → (2, C): the mean of each channel, then its biased variance.
    case channelMoments = 0
    /// x (N, C, …), dy as x, moments (2, C) → (2, C): Σ dy of each channel, then Σ dy·(x − mean).
    case channelProducts = 1
    /// x (…, D), scale (D), dy as x → dx of the normalisation of kind layer.
    case layerGradient = 2
    /// x (N, C, …), dy as x, scale (C), moments of x (2, C), products (2, C) → dx of the normalisation of kind batch whose mean and
    /// variance are those moments, what x does to them included.
    case batchGradient = 3
  }

  public var kind: Kind
  /// ε of the normalisation, for ``Kind/layerGradient`` and ``Kind/batchGradient``; positive and finite.
  public var epsilon: Float

  public init(_ kind: Kind, epsilon: Float = 1) {
    self.kind = kind
    self.epsilon = epsilon
  }
}

/// Softmax or its logarithm along one axis.
public struct Softmax: Equatable, Sendable {
  public var function: SoftmaxFunction
  public var axis: Int

  public init(_ function: SoftmaxFunction, axis: Int) {
    self.function = function
    self.axis = axis
  }
}

/// Which elements of one axis a slice takes: start, start + step, … while before end (after it for negative steps).
///
/// Start and end are clamped to the axis after negative ones had its extent added, as in Python.
public struct SliceRange: Equatable, Sendable {
  public var start: Int
  public var end: Int
  /// Not 0.
  public var step: Int

  public init(start: Int, end: Int, step: Int = 1) {
    self.start = start
    self.end = end
    self.step = step
  }

  /// The whole axis.
  public static var all: SliceRange { SliceRange(start: 0, end: Int.max, step: 1) }

  /// First index and number of elements for an axis of `extent` elements.
  public func resolved(extent: Int) -> (start: Int, count: Int) {
    let forward = step > 0
    func clamp(_ index: Int) -> Int {
      // Extents are at most 2^48, so only absurd negative indices could overflow; they clamp to the beginning.
      let (shifted, overflow) = index < 0 ? index.addingReportingOverflow(extent) : (index, false)
      if overflow || shifted < 0 { return forward ? 0 : -1 }
      return min(shifted, forward ? extent : extent - 1)
    }
    let first = clamp(start)
    let last = clamp(end)
    let span = forward ? last - first : first - last
    guard span > 0 else { return (0, 0) }
    let magnitude = step.magnitude
    let count = (UInt(span) - 1) / magnitude + 1
    return (first, Int(count))
  }
}

/// A border of a constant value, which may also be the operator's second input.
public struct Pad: Equatable, Sendable {
  /// Elements added before each axis, 0 or more.
  public var before: [Int]
  /// Elements added after each axis, 0 or more.
  public var after: [Int]
  /// What they hold, converted to the tensor's type, unless there is an input for it.
  public var value: Float

  public init(before: [Int], after: [Int], value: Float = 0) {
    self.before = before
    self.after = after
    self.value = value
  }
}

extension Op {
  /// The name of the family, for messages and `nnpack inspect`.
  public var name: StaticString {
    switch self {
    case .unary: "unary"
    case .binary: "binary"
    case .compare: "compare"
    case .select: "select"
    case .reduce: "reduce"
    case .argument: "argument"
    case .matmul: "matmul"
    case .convolution: "convolution"
    case .pool: "pool"
    case .normalize: "normalize"
    case .normalizeTraining: "normalizeTraining"
    case .softmax: "softmax"
    case .recurrent: "recurrent"
    case .recurrentGradient: "recurrentGradient"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .expand: "expand"
    case .slice: "slice"
    case .pad: "pad"
    case .concat: "concat"
    case .gather: "gather"
    case .scatter: "scatter"
    case .argsort: "argsort"
    case .cast: "cast"
    case .dynamic(let dynamic): dynamic.name
    case .random: "random"
    case .convolutionWeightGradient: "convolutionWeightGradient"
    case .unfold: "unfold"
    case .fold: "fold"
    case .poolGradient: "poolGradient"
    }
  }

  /// How many inputs a node of this operator may have.
  public var inputCounts: ClosedRange<Int> {
    switch self {
    case .unary, .reduce, .argument, .argsort, .pool, .softmax, .reshape, .transpose, .expand, .slice, .cast,
      .unfold, .fold:
      1...1
    case .pad: 1...2
    case .binary, .compare, .gather, .random, .convolutionWeightGradient, .poolGradient: 2...2
    case .select, .scatter: 3...3
    case .matmul, .convolution: 2...3
    case .normalize(let normalize):
      switch normalize.kind {
      case .batch: 5...5
      case .layer: 3...3
      }
    case .normalizeTraining(let training):
      switch training.kind {
      case .channelMoments: 1...1
      case .channelProducts, .layerGradient: 3...3
      case .batchGradient: 5...5
      }
    case .recurrent(let recurrent):
      (recurrent.stateInput + recurrent.stateCount)...(recurrent.stateInput + recurrent.stateCount + 1)
    case .recurrentGradient: 3...4
    case .concat: 1...Int.max
    case .dynamic(let dynamic): dynamic.inputCounts
    }
  }
}
