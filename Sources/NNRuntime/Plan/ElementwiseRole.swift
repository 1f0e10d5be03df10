import NNGraph
import NNKernels

/// How an elementwise node reads its operands.
struct ElementwiseRole {
  enum Operand: Equatable {
    /// Element i for result i.
    case whole
    /// The one element there is.
    case scalar
    /// Some other broadcast.
    case repeated
  }

  var operands: [Operand] = []
  /// How all operands are walked, if any of them is ``Operand/repeated``.
  var layout: BroadcastLayout?

  /// nil for a node that is not elementwise, or has no kernel that runs on a block.
  init?(_ node: Node, _ resolved: ResolvedGraph, _ op: Op) {
    func type(_ position: Int) -> TensorType { resolved.types[node.inputs[position].index] }
    let result = resolved.types[node.outputs[0].index]
    switch op {
    case .unary(let activation):
      guard activation.function != .identity, result.dtype == .f32 else { return nil }
    case .binary(let function):
      guard result.dtype == .f32, function.hasBlockKernel else { return nil }
    case .select:
      guard result.dtype == .f32 else { return nil }
    case .compare:
      guard type(0).dtype == .f32 else { return nil }
    case .reduce, .argument, .matmul, .convolution, .pool, .normalize, .softmax, .recurrent,
      .recurrentGradient, .reshape, .transpose,
      .expand, .slice,
      .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random, .normalizeTraining,
      .convolutionWeightGradient,
      .unfold, .fold, .poolGradient:
      return nil
    }
    guard let count = result.shape.elementCount, count > 0, let extents = result.shape.extents else {
      return nil
    }
    var shapes: [[Int]] = []
    for position in node.inputs.indices {
      guard let own = type(position).shape.extents, let elements = type(position).shape.elementCount else {
        return nil
      }
      shapes.append(own)
      operands.append(elements == count ? .whole : elements == 1 ? .scalar : .repeated)
    }
    guard operands.contains(.repeated) else { return }
    let third = shapes.count > 2 ? shapes[2] : []
    guard let layout = BroadcastLayout(output: extents, shapes[0], shapes.count > 1 ? shapes[1] : [], third)
    else {
      return nil
    }
    self.layout = layout
  }
}
