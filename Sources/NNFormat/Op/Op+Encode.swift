import NNGraph

extension ByteWriter {
  /// The attributes of an operator, as SPECIFICATION.md lists them.
  mutating func attributes(_ op: Op) throws(NNError) {
    switch op {
    case .unary(let activation): self.activation(activation)
    case .binary(let function): u8(function.rawValue)
    case .compare(let function): u8(function.rawValue)
    case .select: break
    case .reduce(let reduce):
      u8(reduce.function.rawValue)
      flag(reduce.keepsDimensions)
      integers(reduce.axes)
    case .argument(let argument):
      u8((argument.findsMaximum ? 1 : 0) + (argument.selectsLast ? 2 : 0))
      flag(argument.keepsDimensions)
      integer(argument.axis)
    case .matmul(let matmul):
      flag(matmul.transposesA)
      flag(matmul.transposesB)
      activation(matmul.activation)
    case .convolution(let convolution):
      window(convolution.window)
      integer(convolution.groups)
      activation(convolution.activation)
    case .pool(let pool): self.pool(pool)
    case .normalize(let normalize):
      u8(normalize.kind.rawValue)
      f32(normalize.epsilon)
    case .softmax(let softmax):
      u8(softmax.function.rawValue)
      integer(softmax.axis)
    case .recurrent(let recurrent): self.recurrent(recurrent)
    case .recurrentGradient(let recurrent, let ofStates):
      self.recurrent(recurrent)
      flag(ofStates)
    case .reshape(let shape), .expand(let shape): try self.shape(shape)
    case .transpose(let permutation): integers(permutation)
    case .slice(let ranges):
      varint(UInt64(ranges.count))
      for range in ranges {
        integer(range.start)
        integer(range.end)
        integer(range.step)
      }
    case .pad(let pad):
      integers(pad.before)
      integers(pad.after)
      f32(pad.value)
    case .concat(let axis), .gather(let axis): integer(axis)
    case .scatter(let function, let axis):
      if function != .add { u8(function.rawValue) }
      integer(axis)
    case .argsort(let axis, let isDescending):
      flag(isDescending)
      integer(axis)
    case .cast(let dtype, let mode):
      u8(dtype.rawValue)
      if mode != .standard { u8(mode.rawValue) }
    case .dynamic(let dynamic): try self.dynamic(dynamic)
    case .random(let function, let stream):
      u8(function.rawValue)
      u32(stream)
    case .normalizeTraining(let training):
      u8(training.kind.rawValue)
      f32(training.epsilon)
    case .convolutionWeightGradient(let window, let groups):
      self.window(window)
      integer(groups)
    case .unfold(let window): self.window(window)
    case .fold(let window, let height, let width):
      self.window(window)
      integer(height)
      integer(width)
    case .poolGradient(let pool): self.pool(pool)
    }
  }

  mutating func shape(_ shape: Shape) throws(NNError) {
    varint(UInt64(shape.rank))
    for dimension in shape.dimensions {
      switch dimension {
      case .unknown: u8(0)
      case .fixed(let extent):
        u8(1)
        try natural(extent)
      case .named(let symbol):
        u8(2)
        try natural(symbol)
      }
    }
  }

  private mutating func integers(_ values: [Int]) {
    varint(UInt64(values.count))
    for value in values { integer(value) }
  }

  private mutating func activation(_ activation: Activation) {
    u8(activation.function.rawValue)
    f32(activation.alpha)
    f32(activation.beta)
  }

  private mutating func window(_ window: Window) {
    integers(window.extent)
    integers(window.strides)
    integers(window.dilations)
    integers(window.paddingBefore)
    integers(window.paddingAfter)
  }

  private mutating func recurrent(_ recurrent: Recurrent) {
    u8(recurrent.kind.rawValue)
    activation(recurrent.activation)
    flag(recurrent.isReversed)
    flag(recurrent.keepsSlopes)
  }

  private mutating func dynamic(_ dynamic: Dynamic) throws(NNError) {
    u8(dynamic.code.rawValue)
    switch dynamic {
    case .shape, .expand, .range, .nonZero: break
    case .reshape(let allowsZero): flag(allowsZero)
    case .slice(let axes): integers(axes)
    case .pad(let axes, let value):
      integers(axes)
      f32(value)
    case .unique(let axis, let sorts):
      flag(sorts)
      flag(axis != nil)
      if let axis { integer(axis) }
    case .nonMaxSuppression(let isCentered): flag(isCentered)
    case .branch(let then, let otherwise):
      try natural(then)
      try natural(otherwise)
    case .loop(let body, let carried):
      try natural(body)
      try natural(carried)
    }
  }

  private mutating func pool(_ pool: Pool) {
    u8(pool.function.rawValue)
    window(pool.window)
    flag(pool.countsPadding)
  }
}
