import NNGraph

extension ByteReader {
  /// The attributes of the operator `code`. Their meaning is checked by shape inference, their form here.
  mutating func attributes(of code: OpCode) throws(NNError) -> Op {
    switch code {
    case .unary: return .unary(try activation())
    case .binary: return .binary(try known(BinaryFunction(rawValue: try u8()), "binary function"))
    case .compare: return .compare(try known(CompareFunction(rawValue: try u8()), "comparison"))
    case .select: return .select
    case .reduce:
      let function = try known(ReduceFunction(rawValue: try u8()), "reduction")
      let keeps = try flag()
      return .reduce(Reduce(function, axes: try integers(), keepsDimensions: keeps))
    case .argument:
      let kind = try u8()
      guard kind < 4 else { throw corrupt("kind \(kind) of extreme element") }
      let keeps = try flag()
      return .argument(
        ArgumentReduce(
          findsMaximum: kind & 1 != 0, selectsLast: kind & 2 != 0, axis: try integer(), keepsDimensions: keeps
        ))
    case .matmul:
      let transposesA = try flag()
      let transposesB = try flag()
      return .matmul(
        Matmul(transposesA: transposesA, transposesB: transposesB, activation: try activation()))
    case .convolution:
      let window = try window()
      let groups = try integer()
      return .convolution(Convolution(window: window, groups: groups, activation: try activation()))
    case .pool: return .pool(try pool())
    case .normalize:
      let kind = try known(Normalize.Kind(rawValue: try u8()), "kind of normalisation")
      return .normalize(Normalize(kind, epsilon: try f32()))
    case .softmax:
      let function = try known(SoftmaxFunction(rawValue: try u8()), "kind of softmax")
      return .softmax(Softmax(function, axis: try integer()))
    case .recurrent: return .recurrent(try recurrent())
    case .recurrentGradient:
      let recurrent = try recurrent()
      return .recurrentGradient(recurrent, ofStates: try flag())
    case .reshape: return .reshape(try shape())
    case .transpose: return .transpose(try integers())
    case .expand: return .expand(try shape())
    case .slice: return .slice(try ranges())
    case .pad:
      let before = try integers()
      let after = try integers()
      return .pad(Pad(before: before, after: after, value: try f32()))
    case .concat: return .concat(axis: try integer())
    case .gather: return .gather(axis: try integer())
    case .scatterAdd: return .scatter(.add, axis: try integer())
    case .scatter:
      let function = try known(ScatterFunction(rawValue: try u8()), "way to scatter")
      // A file has one way to say it.
      guard function != .add else { throw corrupt("a sum that is not stored as one") }
      return .scatter(function, axis: try integer())
    case .argsort:
      let isDescending = try flag()
      return .argsort(axis: try integer(), isDescending: isDescending)
    case .cast: return .cast(try dtype())
    case .castWithMode:
      let dtype = try dtype()
      return .cast(dtype, mode: try known(CastMode(rawValue: try u8()), "kind of cast"))
    case .dynamic: return .dynamic(try dynamic())
    case .random:
      let function = try known(RandomFunction(rawValue: try u8()), "kind of random number")
      return .random(function, stream: try u32())
    case .normalizeTraining:
      let kind = try known(NormalizeTraining.Kind(rawValue: try u8()), "kind of normalisation's training")
      return .normalizeTraining(NormalizeTraining(kind, epsilon: try f32()))
    case .convolutionWeightGradient:
      let window = try window()
      return .convolutionWeightGradient(window, groups: try integer())
    case .unfold: return .unfold(try window())
    case .fold:
      let window = try window()
      let height = try integer()
      return .fold(window, height: height, width: try integer())
    case .poolGradient: return .poolGradient(try pool())
    }
  }

  mutating func dtype() throws(NNError) -> DType { try known(DType(rawValue: try u8()), "element type") }

  mutating func shape() throws(NNError) -> Shape {
    let rank = try natural()
    guard rank <= Shape.maximumRank else { throw corrupt("a shape with \(rank) axes") }
    var dimensions: [Dimension] = []
    dimensions.reserveCapacity(rank)
    for _ in 0..<rank {
      let tag = try u8()
      switch tag {
      case 0: dimensions.append(.unknown)
      case 1: dimensions.append(.fixed(try natural()))
      case 2: dimensions.append(.named(try natural()))
      default: throw corrupt("a dimension of kind \(tag)")
      }
    }
    return Shape(dimensions)
  }

  /// Codes that this version does not know belong to newer ones, so the message speaks of support.
  private func known<Value>(_ value: Value?, _ what: StaticString) throws(NNError) -> Value {
    guard let value else {
      throw NNError(.unsupportedOperator, "\(role), byte \(offset): an unknown \(what)")
    }
    return value
  }

  /// No attribute is a list longer than a tensor has axes.
  private mutating func listCount() throws(NNError) -> Int {
    let count = try natural()
    guard count <= Shape.maximumRank else { throw corrupt("a list of \(count) numbers") }
    return count
  }

  private mutating func integers() throws(NNError) -> [Int] {
    let count = try listCount()
    var values: [Int] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try integer()) }
    return values
  }

  private mutating func ranges() throws(NNError) -> [SliceRange] {
    let count = try listCount()
    var ranges: [SliceRange] = []
    ranges.reserveCapacity(count)
    for _ in 0..<count {
      let start = try integer()
      let end = try integer()
      ranges.append(SliceRange(start: start, end: end, step: try integer()))
    }
    return ranges
  }

  private mutating func activation() throws(NNError) -> Activation {
    let function = try known(UnaryFunction(rawValue: try u8()), "activation")
    let alpha = try f32()
    return Activation(function, alpha: alpha, beta: try f32())
  }

  private mutating func window() throws(NNError) -> Window {
    let extent = try integers()
    let strides = try integers()
    let dilations = try integers()
    let before = try integers()
    return Window(
      extent: extent, strides: strides, dilations: dilations, paddingBefore: before,
      paddingAfter: try integers())
  }

  private mutating func recurrent() throws(NNError) -> Recurrent {
    let kind = try known(Recurrent.Kind(rawValue: try u8()), "kind of recurrence")
    let activation = try activation()
    let isReversed = try flag()
    return Recurrent(kind, activation: activation, isReversed: isReversed, keepsSlopes: try flag())
  }

  private mutating func dynamic() throws(NNError) -> Dynamic {
    switch try known(DynamicCode(rawValue: try u8()), "kind of dynamic operator") {
    case .shape: return .shape
    case .reshape: return .reshape(allowsZero: try flag())
    case .expand: return .expand
    case .slice: return .slice(axes: try integers())
    case .pad:
      let axes = try integers()
      return .pad(axes: axes, value: try f32())
    case .range: return .range
    case .nonZero: return .nonZero
    case .unique:
      let sorts = try flag()
      return .unique(axis: try flag() ? try integer() : nil, sorts: sorts)
    case .nonMaxSuppression: return .nonMaxSuppression(isCentered: try flag())
    case .branch:
      let then = try natural()
      return .branch(then: then, otherwise: try natural())
    case .loop:
      let body = try natural()
      return .loop(body: body, carried: try natural())
    }
  }

  private mutating func pool() throws(NNError) -> Pool {
    let function = try known(PoolFunction(rawValue: try u8()), "kind of pooling")
    let window = try window()
    return Pool(function, window: window, countsPadding: try flag())
  }
}
