import NNGraph

/// y = body(x) + shortcut(x): what a body computes is added to its input. He et al. 2016.
///
/// ```swift
/// Residual {
///   Conv2D(64, kernelSize: 3, padding: .same, useBias: false)
///   BatchNorm()
/// }
/// Residual {
///   Conv2D(128, kernelSize: 3, strides: 2, padding: .same)
/// } shortcut: {
///   Conv2D(128, kernelSize: 1, strides: 2)
/// }
/// ```
///
/// Without a shortcut the body must give the shape of its input.
public struct Residual: Layer {
  public let body: Sequential
  public let shortcut: Sequential

  public init(@SequentialBuilder _ body: () -> [any Layer]) {
    self.body = Sequential(body)
    shortcut = Sequential([])
  }

  public init(
    @SequentialBuilder _ body: () -> [any Layer], @SequentialBuilder shortcut: () -> [any Layer]
  ) {
    self.body = Sequential(body)
    self.shortcut = Sequential(shortcut)
  }

  public init(body: [any Layer], shortcut: [any Layer] = []) {
    self.body = Sequential(body)
    self.shortcut = Sequential(shortcut)
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let y = try body(x)
    let past = try shortcut(x)
    guard y.shape == past.shape else {
      throw NNError(
        .shapeMismatch,
        "residual: the body makes \(y.shapeDescription) of \(x.shapeDescription), which cannot be added to "
          + "\(past.shapeDescription); give it a shortcut of the same shape")
    }
    return try y + past
  }
}

/// The outputs of several branches over the same input, joined along an axis: Inception's and DenseNet's way.
///
/// ```swift
/// Parallel(axis: 1) {
///   Conv2D(16, kernelSize: 1)
///   Conv2D(16, kernelSize: 3, padding: .same)
/// }
/// ```
public struct Parallel: Layer {
  public let axis: Int
  /// A branch is a layer; a ``Sequential`` makes several of them one.
  public let branches: [any Layer]

  /// - Parameter axis: 1, the channels, unless told.
  public init(axis: Int = 1, @SequentialBuilder _ branches: () -> [any Layer]) {
    self.axis = axis
    self.branches = branches()
  }

  public init(axis: Int = 1, branches: [any Layer]) {
    self.axis = axis
    self.branches = branches
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard let first = branches.first else { throw NNError(.invalidArgument, "parallel: no branches") }
    let head = try first(x)
    var others: [SymbolicTensor] = []
    for branch in branches.dropFirst() { others.append(try branch(x)) }
    return others.isEmpty ? head : try head.concatenated(with: others, axis: axis)
  }
}
