import NNGraph

/// Evaluates any graph in float64, one plain function per operator.
///
/// What it gives is what a graph means; kernels, planner, passes and gradients are tested against it. It is written for
/// obviousness: no blocking, no fusion, no reuse of memory, no code shared with the kernels.
public struct ReferenceEvaluator {
  public let graph: Graph

  public init(_ graph: Graph) {
    self.graph = graph
  }

  /// The outputs for the given inputs, in the order of the graph's inputs and outputs.
  ///
  /// - Throws: `NNError` for inputs that do not fit, and ``ErrorCode/indexOutOfRange``.
  public func run(inputs: [ReferenceTensor]) throws(NNError) -> [ReferenceTensor] {
    let values = try evaluate(inputs: inputs)
    return graph.outputs.map { values[$0.index] }
  }

  /// Every value of the graph, by the index of its `ValueID`.
  public func evaluate(inputs: [ReferenceTensor]) throws(NNError) -> [ReferenceTensor] {
    let resolved = try graph.resolve(inputExtents: inputs.map { $0.extents })
    var values: [ReferenceTensor?] = graph.values.map { $0.constant.map { ReferenceTensor($0) } }
    for (id, input) in zip(graph.inputs, inputs) {
      guard input.dtype == graph[id].type.dtype else {
        throw NNError(.dtypeMismatch, "input \(graph[id].name.quoted) is \(input.dtype.name)")
      }
      values[id.index] = input
    }
    for (node, op) in zip(graph.nodes, resolved.ops) {
      let output = node.outputs[0]
      let type = resolved.types[output.index]
      let result = try ReferenceEvaluator.apply(op, node.inputs.map { values[$0.index]! }, type)
      precondition(result.dtype == type.dtype && result.extents == type.shape.extents, "\(node.description)")
      values[output.index] = result
    }
    return values.map { $0! }
  }

  /// One operator on `x`; `type` is what shape inference says of the result.
  public static func apply(_ op: Op, _ x: [ReferenceTensor], _ type: TensorType) throws(NNError)
    -> ReferenceTensor
  {
    let extents = type.shape.extents!
    switch op {
    case .unary(let activation): return x[0].unary(activation)
    case .binary(let function): return x[0].binary(function, x[1], extents)
    case .compare(let function): return x[0].compare(function, x[1], extents)
    case .select: return x[0].select(x[1], x[2], extents)
    case .reduce(let reduce): return x[0].reduce(reduce, extents)
    case .argument(let argument): return x[0].argument(argument, extents)
    case .matmul(let matmul): return x[0].matmul(matmul, x[1], bias: x.count > 2 ? x[2] : nil, extents)
    case .convolution(let convolution):
      return x[0].convolution(convolution, weight: x[1], bias: x.count > 2 ? x[2] : nil, extents)
    case .pool(let pool): return x[0].pool(pool, extents)
    case .normalize(let normalize): return x[0].normalize(normalize, Array(x.dropFirst()))
    case .softmax(let softmax): return x[0].softmax(softmax)
    case .recurrent(let recurrent): return recurrent.reference(x, extents)
    case .recurrentGradient(let recurrent, let ofStates):
      return recurrent.referenceGradient(x, ofStates: ofStates, extents)
    case .reshape: return x[0].reshape(extents)
    case .transpose(let permutation): return x[0].transpose(permutation, extents)
    case .expand: return x[0].expand(extents)
    case .slice(let ranges): return x[0].slice(ranges, extents)
    case .pad(let pad): return x[0].pad(pad, value: x.count > 1 ? x[1] : nil, extents)
    case .concat(let axis): return ReferenceTensor.concat(x, axis: axis, extents)
    case .gather(let axis): return try x[0].gather(axis: axis, indices: x[1], extents)
    case .scatter(let function, let axis):
      return try x[0].scatter(function, axis: axis, indices: x[1], updates: x[2])
    case .argsort(let axis, let isDescending): return x[0].argsort(axis: axis, isDescending: isDescending)
    case .cast(let dtype, let mode): return x[0].cast(dtype, mode)
    case .dynamic(let dynamic):
      precondition(dynamic == .shape, "what depends on values is tested with its programs")
      return ReferenceTensor(integers: x[0].extents.map { Int64($0) }, extents: extents)
    case .random(let function, let stream):
      return ReferenceTensor.random(function, key: x[1], stream: stream, extents)
    case .normalizeTraining(let training):
      return x[0].normalizeTraining(training, Array(x.dropFirst()), extents)
    case .convolutionWeightGradient(let window, let groups):
      return x[0].convolutionWeightGradient(window, groups: groups, gradient: x[1], extents)
    case .unfold(let window): return x[0].unfold(window, extents)
    case .fold(let window, _, _): return x[0].fold(window, extents)
    case .poolGradient(let pool): return x[0].poolGradient(pool, gradient: x[1])
    }
  }
}
