import NNGraph

// Elementwise functions. Shapes broadcast: axes align at the last one, and an extent of 1 takes the other's.
extension SymbolicTensor {
  public static func + (a: SymbolicTensor, b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try a.trace.apply(.binary(.add), [a, b])
  }

  public static func - (a: SymbolicTensor, b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try a.trace.apply(.binary(.subtract), [a, b])
  }

  public static func * (a: SymbolicTensor, b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try a.trace.apply(.binary(.multiply), [a, b])
  }

  public static func / (a: SymbolicTensor, b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try a.trace.apply(.binary(.divide), [a, b])
  }

  public static func + (a: SymbolicTensor, b: Float) throws(NNError) -> SymbolicTensor {
    try a + a.trace.scalar(b)
  }

  public static func - (a: SymbolicTensor, b: Float) throws(NNError) -> SymbolicTensor {
    try a - a.trace.scalar(b)
  }

  public static func - (a: Float, b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try b.trace.scalar(a) - b
  }

  public static func * (a: SymbolicTensor, b: Float) throws(NNError) -> SymbolicTensor {
    try a * a.trace.scalar(b)
  }

  public static func / (a: SymbolicTensor, b: Float) throws(NNError) -> SymbolicTensor {
    try a / a.trace.scalar(b)
  }

  public static prefix func - (a: SymbolicTensor) throws(NNError) -> SymbolicTensor { try a.unary(.negate) }

  /// The smaller of each pair; NaN if either is NaN.
  public func minimum(_ other: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try trace.apply(.binary(.minimum), [self, other])
  }

  /// The larger of each pair; NaN if either is NaN.
  public func maximum(_ other: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try trace.apply(.binary(.maximum), [self, other])
  }

  /// Each element to the power of the other's.
  public func power(_ exponent: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try trace.apply(.binary(.power), [self, exponent])
  }

  /// f(x) of every element.
  public func unary(_ function: UnaryFunction) throws(NNError) -> SymbolicTensor {
    try apply(Activation(function))
  }

  /// f(x) of every element; the identity adds no node.
  public func apply(_ activation: Activation) throws(NNError) -> SymbolicTensor {
    activation.function == .identity ? self : try trace.apply(.unary(activation), [self])
  }

  public func squared() throws(NNError) -> SymbolicTensor { try unary(.square) }
  public func squareRoot() throws(NNError) -> SymbolicTensor { try unary(.squareRoot) }
  public func exponential() throws(NNError) -> SymbolicTensor { try unary(.exponential) }
  public func logarithm() throws(NNError) -> SymbolicTensor { try unary(.logarithm) }
  public func absolute() throws(NNError) -> SymbolicTensor { try unary(.absolute) }

  /// A `bool` tensor: whether the comparison holds for each pair.
  public func compare(_ function: CompareFunction, _ other: SymbolicTensor) throws(NNError) -> SymbolicTensor
  {
    try trace.apply(.compare(function), [self, other])
  }

  /// A `bool` tensor: whether the comparison with a number holds.
  public func compare(_ function: CompareFunction, _ other: Float) throws(NNError) -> SymbolicTensor {
    try compare(function, trace.scalar(other))
  }

  /// `a` where this `bool` tensor is true, else `b`.
  public func select(_ a: SymbolicTensor, _ b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try trace.apply(.select, [self, a, b])
  }

  /// The same numbers in another type.
  public func cast(to dtype: DType) throws(NNError) -> SymbolicTensor {
    dtype == self.dtype ? self : try trace.apply(.cast(dtype), [self])
  }

  /// e^(x−m)/Σ e^(x−m) along an axis, m the maximum.
  public func softmax(axis: Int = -1) throws(NNError) -> SymbolicTensor {
    try trace.apply(.softmax(Softmax(.softmax, axis: try resolve(axis: axis))), [self])
  }

  /// The logarithm of ``softmax(axis:)``, without the rounding of taking it afterwards.
  public func logSoftmax(axis: Int = -1) throws(NNError) -> SymbolicTensor {
    try trace.apply(.softmax(Softmax(.logSoftmax, axis: try resolve(axis: axis))), [self])
  }
}
