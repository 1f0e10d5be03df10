import NNGraph

// Building nodes whose operands have types without kernels.

extension Graph {
  /// As ``append(_:_:name:)`` for operands of any type: where there is no kernel for it, they are cast to the type that
  /// `Op.computeType(for:)` names, and the result is cast back. Functions of one integer become functions of two.
  ///
  /// So the result is what the operator means for the type: integers wrap around at the ends of its range, and a fraction is the exact
  /// one rounded, or as near to it as the wider type's kernel comes, and then rounded.
  ///
  /// - Throws: ``ErrorCode/unsupportedOperator`` where no type can stand in, and what ``append(_:_:name:)`` throws.
  public mutating func appendComputing(_ op: Op, _ inputs: [ValueID], name: Name = "") throws(NNError)
    -> ValueID
  {
    let computed = op.computedOperands(of: inputs.count)
    guard let first = computed.first, inputs.count >= op.inputCounts.lowerBound else {
      return try append(op, inputs, name: name)
    }
    let dtype = self[inputs[first]].type.dtype
    if case .unary(let activation) = op, dtype.isInteger, activation.function != .identity {
      return try appendInteger(activation.function, inputs[0], name: name)
    }
    // Where there is none, shape inference says so.
    guard let type = op.computeType(for: dtype), type != dtype else {
      return try append(op, inputs, name: name)
    }
    var operands = inputs
    for position in computed {
      guard self[inputs[position]].type.dtype == dtype else {
        throw NNError(
          .dtypeMismatch,
          "operands of different types: \(dtype.name) and \(self[inputs[position]].type.dtype.name)"
        ).within(Node(name: name, op: op, inputs: inputs, outputs: []).description)
      }
      operands[position] = try append(.cast(type), [inputs[position]], name: name)
    }
    let result = try append(op, operands, name: name)
    guard op.keepsOperandType else { return result }
    return try append(.cast(dtype, mode: op.isExtreme ? .clamping : .standard), [result], name: name)
  }

  /// A function of one integer, by functions of two.
  private mutating func appendInteger(_ function: UnaryFunction, _ x: ValueID, name: Name) throws(NNError)
    -> ValueID
  {
    let dtype = self[x].type.dtype
    func constant(_ value: Int64, _ graph: inout Graph) throws(NNError) -> ValueID {
      graph.addConstant(name, try Tensor([value], extents: []).cast(to: dtype))
    }
    switch function {
    case .identity, .floor, .ceiling, .round: return try append(.unary(.identity), [x], name: name)
    case .square: return try appendComputing(.binary(.multiply), [x, x], name: name)
    case .negate: return try appendComputing(.binary(.subtract), [try constant(0, &self), x], name: name)
    case .absolute:
      if dtype.isUnsigned { return try append(.unary(.identity), [x], name: name) }
      let negated = try appendComputing(.binary(.subtract), [try constant(0, &self), x], name: name)
      return try appendComputing(.binary(.maximum), [x, negated], name: name)
    case .relu:
      if dtype.isUnsigned { return try append(.unary(.identity), [x], name: name) }
      return try appendComputing(.binary(.maximum), [x, try constant(0, &self)], name: name)
    case .sign:
      let atMostOne = try appendComputing(.binary(.minimum), [x, try constant(1, &self)], name: name)
      if dtype.isUnsigned { return atMostOne }
      return try appendComputing(.binary(.maximum), [atMostOne, try constant(-1, &self)], name: name)
    case .squareRoot, .reciprocalSquareRoot, .reciprocal, .exponential, .logarithm, .errorFunction, .sine,
      .cosine,
      .logarithm1p, .exponentialMinus1, .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh,
      .acosh,
      .atanh, .sigmoid, .tanh, .leakyRelu, .elu, .gelu, .geluTanh, .silu, .softplus, .clip:
      return try append(.unary(Activation(function)), [x], name: name)
    }
  }

  /// All bits of an integer turned around, or a bool negated.
  public mutating func appendNot(_ x: ValueID, name: Name = "") throws(NNError) -> ValueID {
    let dtype = self[x].type.dtype
    let ones: Int64 = dtype == .bool ? 1 : -1
    let constant = addConstant(name, try Tensor([ones], extents: []).cast(to: dtype))
    return try appendComputing(.binary(.bitwiseXor), [x, constant], name: name)
  }
}

extension Op {
  /// Whether the result over nothing is an end of the computing type's range.
  fileprivate var isExtreme: Bool {
    guard case .reduce(let reduce) = self else { return false }
    return reduce.function == .maximum || reduce.function == .minimum
  }
}
