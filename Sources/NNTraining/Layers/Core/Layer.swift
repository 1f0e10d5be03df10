import NNGraph

/// A part of a network: a value that says how an output is computed from an input.
///
/// A layer of your own is one function. Parameters are asked for where they are used, and appear when the model is
/// first traced:
///
/// ```swift
/// struct Skip<Body: Layer>: Layer {
///   let body: Body
///   func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor { try body(x) + x }
/// }
///
/// struct Scale: Layer {
///   func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
///     try x * x.trace.parameter("scale", [], initializer: .ones)
///   }
/// }
/// ```
public protocol Layer: Sendable {
  /// What parameters and messages call the layer, followed by its number among its kind: `dense` gives `dense_1.weight`.
  /// Unless given, the type's name in lower case. An empty kind makes the layer transparent: it has no name and no number.
  var kind: String { get }

  /// The output for an input whose first axis is the batch. Call layers as functions instead, which names them.
  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor
}

extension Layer {
  public var kind: String {
    // A generic type's name ends where its parameters begin.
    String("\(Self.self)".prefix { $0 != "<" }).lowercased()
  }

  /// The output for an input whose first axis is the batch.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` and others, naming the layer and the shape of its input.
  public func callAsFunction(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let kind = kind
    if kind.isEmpty { return try forward(x) }
    return try x.trace.within(layer: kind, input: x) { () throws(NNError) in try forward(x) }
  }
}

extension SymbolicTensor {
  /// - Throws: ``ErrorCode/shapeMismatch`` unless the tensor has `rank` axes; `axes` says which in letters.
  func require(rank: Int, _ axes: String) throws(NNError) {
    guard self.rank == rank else {
      throw NNError(.shapeMismatch, "takes \(axes), not \(shapeDescription)")
    }
  }

  /// The extent of an axis that parameters depend on.
  func requireExtent(axis: Int) throws(NNError) -> Int {
    guard let extent = shape[try resolve(axis: axis)].extent else {
      throw NNError(.shapeMismatch, "needs a known extent of axis \(axis), not \(shapeDescription)")
    }
    return extent
  }
}

/// The number of elements of a table that a layer computes in advance.
///
/// - Throws: ``ErrorCode/limitExceeded`` beyond 2²⁶.
func tableSize(_ extents: Int...) throws(NNError) -> Int {
  var size = 1
  for extent in extents {
    let (product, overflow) = size.multipliedReportingOverflow(by: max(extent, 0))
    guard !overflow, product <= 1 << 26 else {
      throw NNError(.limitExceeded, "a table of shape \(Shape(extents).description) is too large")
    }
    size = product
  }
  return size
}

/// Elementwise functions are layers: `Activation.relu`.
extension Activation: Layer {
  public var kind: String { "activation" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor { try x.apply(self) }

  public static var sigmoid: Activation { Activation(.sigmoid) }
  public static var tanh: Activation { Activation(.tanh) }
  public static var relu: Activation { Activation(.relu) }
  /// x for x ≥ 0, else slope·x.
  public static func leakyRelu(slope: Float = 0.01) -> Activation { Activation(.leakyRelu, alpha: slope) }
  public static var leakyRelu: Activation { leakyRelu() }
  /// x for x ≥ 0, else scale·(eˣ − 1).
  public static func elu(scale: Float = 1) -> Activation { Activation(.elu, alpha: scale) }
  public static var elu: Activation { elu() }
  public static var gelu: Activation { Activation(.gelu) }
  public static var silu: Activation { Activation(.silu) }
  public static var softplus: Activation { Activation(.softplus) }
}

/// Softmax along an axis, the last one unless told.
public struct SoftmaxLayer: Layer {
  public let axis: Int

  public init(axis: Int = -1) {
    self.axis = axis
  }

  public var kind: String { "softmax" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor { try x.softmax(axis: axis) }
}
