import NNGraph

/// How many tensors took other numbers, and how many numbers they hold.
public struct RoundedWeights: Equatable, Sendable {
  public var tensors = 0
  public var numbers = 0

  public init(tensors: Int = 0, numbers: Int = 0) {
    self.tensors = tensors
    self.numbers = numbers
  }
}

extension Graph {
  /// Tensors of fewer numbers keep theirs: scales and biases weigh little and matter much.
  public static let smallestRoundedWeight = 256

  /// Rounds large f32 weights of products, convolutions, recurrences and tables to the nearest numbers of a narrower type.
  ///
  /// They stay f32, so that arithmetic and layout are what they were and nothing is cast in a run. A file stores them in as few bytes as
  /// the narrower type, since the planes of the bits that are zero now compress to nothing; a plan finds them to be narrow where that
  /// makes a product faster.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` naming a weight with a number beyond the range of `dtype`.
  public mutating func roundWeights(to dtype: DType) throws(NNError) -> RoundedWeights {
    var rounded = RoundedWeights()
    for index in bodies.indices {
      let inside = try bodies[index].roundWeights(to: dtype)
      rounded.tensors += inside.tensors
      rounded.numbers += inside.numbers
    }
    for (index, isWeight) in weightValues.enumerated() where isWeight {
      guard let tensor = values[index].constant, tensor.dtype == .f32,
        tensor.elementCount >= Graph.smallestRoundedWeight
      else { continue }
      do throws(NNError) {
        values[index].constant = try tensor.rounded(to: dtype)
      } catch {
        throw error.within("weight \(values[index].name.quoted)")
      }
      rounded.tensors += 1
      rounded.numbers += tensor.elementCount
    }
    return rounded
  }

  /// For each value whether it is read as a weight, also after having been moved around.
  private var weightValues: [Bool] {
    var isWeight = [Bool](repeating: false, count: values.count)
    for node in nodes.reversed() {
      switch node.op {
      case .matmul: for input in node.inputs.prefix(2) { isWeight[input.index] = true }
      case .convolution, .recurrent: isWeight[node.inputs[1].index] = true
      case .gather: isWeight[node.inputs[0].index] = true
      case .reshape, .transpose, .slice, .unary(Activation(.identity)):
        if isWeight[node.outputs[0].index] { isWeight[node.inputs[0].index] = true }
      case .concat:
        if isWeight[node.outputs[0].index] { for input in node.inputs { isWeight[input.index] = true } }
      case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
        .recurrentGradient,
        .expand, .pad, .scatter, .argsort, .cast, .dynamic, .random, .normalizeTraining,
        .convolutionWeightGradient,
        .unfold, .fold, .poolGradient:
        break
      }
    }
    return isWeight
  }
}

extension Tensor {
  /// This f32 tensor, in whatever layout, with each number rounded to the nearest one of another type.
  fileprivate func rounded(to dtype: DType) throws(NNError) -> Tensor {
    let flat = try Tensor(dtype: .f32, extents: [bytes.count / 4], storage: storage)
    let result = try flat.cast(to: dtype).cast(to: .f32)
    let (before, after) = (bytes.bindMemory(to: Float.self), result.bytes.bindMemory(to: Float.self))
    for index in before.indices where before[index].isFinite && !after[index].isFinite {
      throw NNError(
        .limitExceeded, Message(text: "\(before[index]) is beyond the range of \(dtype.name)"))
    }
    return try Tensor(dtype: .f32, extents: extents, layout: layout, storage: result.storage)
  }
}
