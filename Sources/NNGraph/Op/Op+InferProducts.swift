// Shape rules of products, windows and normalisation.

extension Matmul {
  func infer(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    let (a, b) = (inputs[0], inputs[1])
    try Op.matmul(self).requireKernel(a.dtype)
    try b.require(a.dtype, "second operand")
    guard a.dtype == .f32 || activation == .identity else {
      throw NNError(.unsupportedOperator, "has no activations for \(a.dtype.name)")
    }
    guard a.shape.rank >= 2, b.shape.rank >= 2 else {
      throw NNError(
        .shapeMismatch,
        "operands \(a.shape.description) and \(b.shape.description) must have rank 2 or more")
    }
    let (aRank, bRank) = (a.shape.rank, b.shape.rank)
    let rows = a.shape[transposesA ? aRank - 1 : aRank - 2]
    let innerA = a.shape[transposesA ? aRank - 2 : aRank - 1]
    let innerB = b.shape[transposesB ? bRank - 1 : bRank - 2]
    let columns = b.shape[transposesB ? bRank - 2 : bRank - 1]
    guard innerA.mayEqual(innerB) else {
      throw NNError(
        .shapeMismatch,
        "the inner extents of \(a.shape.description)\(transposesA ? "ᵀ" : "") and "
          + "\(b.shape.description)\(transposesB ? "ᵀ" : "") differ")
    }
    let batch = try Shape.broadcast(
      Shape(Array(a.shape.dimensions.dropLast(2))), Shape(Array(b.shape.dimensions.dropLast(2))))
    if inputs.count > 2 { try inputs[2].requireVector(columns, "bias", a.dtype) }
    return TensorType(a.dtype, Shape(batch.dimensions + [rows, columns]))
  }
}

extension Window {
  /// Throws unless all extents describe a window over two axes.
  func validate() throws(NNError) {
    let limit = 1 << 28
    for (values, least, role) in [
      (extent, 1, "extent"), (strides, 1, "stride"), (dilations, 1, "dilation"),
      (paddingBefore, 0, "padding"),
      (paddingAfter, 0, "padding"),
    ] as [([Int], Int, StaticString)] {
      guard values.count == 2 else {
        throw NNError(
          .unsupportedOperator, "\(values.count) spatial axes in a window's \(role); 2 are supported")
      }
      for value in values where value < least || value > limit {
        throw NNError(.invalidGraph, "a window with \(role) \(value)")
      }
    }
    // Kernels count the taps in 32 bits.
    guard extent[0] * extent[1] <= limit else {
      throw NNError(
        .invalidGraph, "a window of \(extent[0]) by \(extent[1]) elements; at most 2^28 are supported")
    }
  }

  /// How many windows fit along spatial axis `axis` (0: height, 1: width) of `extent` elements: ⌊(in + padding − reach)/stride⌋ + 1.
  public func outputExtent(axis: Int, of input: Int) -> Int {
    let reach = (extent[axis] - 1) * dilations[axis] + 1
    let padded = input + paddingBefore[axis] + paddingAfter[axis]
    return padded < reach ? 0 : (padded - reach) / strides[axis] + 1
  }

  func outputDimension(axis: Int, of input: Dimension) -> Dimension {
    if let known = input.extent { return .fixed(outputExtent(axis: axis, of: known)) }
    let keeps = strides[axis] == 1 && outputExtent(axis: axis, of: 1 << 40) == 1 << 40
    return keeps ? input : .unknown
  }

  /// The extents of (oH, oW) for an image (N, C, H, W).
  func outputDimensions(_ x: TensorType, _ role: StaticString) throws(NNError) -> [Dimension] {
    try validate()
    try x.require(.f32, role)
    guard x.shape.rank == 4 else {
      throw NNError(.shapeMismatch, "\(role) has shape \(x.shape.description) instead of (N, C, H, W)")
    }
    return [outputDimension(axis: 0, of: x.shape[2]), outputDimension(axis: 1, of: x.shape[3])]
  }

  func inferWeightGradient(
    _ x: TensorType, _ gradient: TensorType, groups: Int
  ) throws(NNError) -> TensorType {
    let output = try outputDimensions(x, "input")
    try gradient.require(.f32, "gradient")
    guard groups >= 1, groups <= 1 << 30 else { throw NNError(.invalidGraph, "\(groups) groups") }
    guard gradient.shape.rank == 4,
      gradient.shape.mayEqual(Shape([x.shape[0], gradient.shape[1]] + output))
    else {
      throw NNError(
        .shapeMismatch,
        "gradient has shape \(gradient.shape.description), which no convolution makes of \(x.shape.description)"
      )
    }
    for count in [x.shape[1].extent, gradient.shape[1].extent] {
      if let count, count % groups != 0 {
        throw NNError(.shapeMismatch, "\(count) channels are not a multiple of \(groups) groups")
      }
    }
    let channels =
      x.shape[1].extent.map { Dimension.fixed($0 / groups) } ?? (groups == 1 ? x.shape[1] : .unknown)
    return TensorType(.f32, Shape([gradient.shape[1], channels, .fixed(extent[0]), .fixed(extent[1])]))
  }

  func inferUnfold(_ x: TensorType) throws(NNError) -> TensorType {
    let output = try outputDimensions(x, "input")
    return TensorType(
      .f32,
      Shape([x.shape[0], scaled(x.shape[1], by: extent[0] * extent[1]), product(output[0], output[1])]))
  }

  func inferFold(_ x: TensorType, height: Int, width: Int) throws(NNError) -> TensorType {
    try validate()
    try x.require(.f32, "input")
    guard height >= 0, width >= 0, height <= 1 << 28, width <= 1 << 28 else {
      throw NNError(.invalidGraph, "an image of \(height) by \(width)")
    }
    let positions = outputExtent(axis: 0, of: height) * outputExtent(axis: 1, of: width)
    guard x.shape.rank == 3, x.shape[2].mayEqual(.fixed(positions)) else {
      throw NNError(
        .shapeMismatch,
        "patches of shape \(x.shape.description) do not cover an image of \(height) by \(width)")
    }
    var channels = Dimension.unknown
    if let rows = x.shape[1].extent {
      let taps = extent[0] * extent[1]
      guard rows % taps == 0 else {
        throw NNError(.shapeMismatch, "\(rows) rows are not a multiple of the window's \(taps) taps")
      }
      channels = .fixed(rows / taps)
    }
    return TensorType(.f32, Shape([x.shape[0], channels, .fixed(height), .fixed(width)]))
  }

  private func scaled(_ dimension: Dimension, by factor: Int) -> Dimension {
    guard let extent = dimension.extent else { return factor == 1 ? dimension : .unknown }
    let (product, overflow) = extent.multipliedReportingOverflow(by: factor)
    // An extent beyond every limit, for Shape.validate to refuse.
    return .fixed(overflow ? Int.max : product)
  }

  private func product(_ a: Dimension, _ b: Dimension) -> Dimension {
    guard let factor = b.extent else { return .unknown }
    return scaled(a, by: factor)
  }
}

extension Convolution {
  func infer(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    let (x, weight) = (inputs[0], inputs[1])
    let output = try window.outputDimensions(x, "input")
    try weight.require(.f32, "weight")
    guard groups >= 1, groups <= 1 << 30 else { throw NNError(.invalidGraph, "\(groups) groups") }
    guard weight.shape.rank == 4, weight.shape[2].mayEqual(.fixed(window.extent[0])),
      weight.shape[3].mayEqual(.fixed(window.extent[1]))
    else {
      throw NNError(
        .shapeMismatch,
        "weight has shape \(weight.shape.description) instead of (M, C/groups, \(window.extent[0]), \(window.extent[1]))"
      )
    }
    if let channels = x.shape[1].extent, let perGroup = weight.shape[1].extent {
      let (expected, overflow) = perGroup.multipliedReportingOverflow(by: groups)
      guard !overflow, channels == expected else {
        throw NNError(
          .shapeMismatch,
          "input has \(channels) channels, weight \(weight.shape.description) with \(groups) groups takes \(expected)"
        )
      }
    }
    if let filters = weight.shape[0].extent, filters % groups != 0 {
      throw NNError(.shapeMismatch, "\(filters) filters are not a multiple of \(groups) groups")
    }
    if inputs.count > 2 { try inputs[2].requireVector(weight.shape[0], "bias") }
    return TensorType(.f32, Shape([x.shape[0], weight.shape[0]] + output))
  }
}

extension Pool {
  func infer(_ x: TensorType) throws(NNError) -> TensorType {
    let output = try window.outputDimensions(x, "input")
    for axis in 0..<2 {
      guard window.dilations[axis] == 1 else {
        throw NNError(.unsupportedOperator, "pooling with dilation \(window.dilations[axis])")
      }
      // A window that lies in the padding entirely would have no elements.
      guard window.paddingBefore[axis] < window.extent[axis], window.paddingAfter[axis] < window.extent[axis]
      else {
        throw NNError(.invalidGraph, "padding as wide as the pooling window")
      }
    }
    return TensorType(.f32, Shape([x.shape[0], x.shape[1]] + output))
  }

  func inferGradient(_ x: TensorType, _ gradient: TensorType) throws(NNError) -> TensorType {
    let output = try infer(x)
    try gradient.require(.f32, "gradient")
    guard gradient.shape.mayEqual(output.shape) else {
      throw NNError(
        .shapeMismatch,
        "gradient has shape \(gradient.shape.description) instead of \(output.shape.description)")
    }
    return x
  }
}

extension Normalize {
  func infer(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    let x = inputs[0]
    try x.require(.f32, "input")
    guard epsilon > 0, epsilon.isFinite else { throw NNError(.invalidGraph, "epsilon must be positive") }
    switch kind {
    case .batch:
      guard x.shape.rank >= 2 else {
        throw NNError(.shapeMismatch, "input has shape \(x.shape.description) instead of (N, C, …)")
      }
      try inputs[1].requireVector(x.shape[1], "scale")
      try inputs[2].requireVector(x.shape[1], "bias")
      try inputs[3].requireVector(x.shape[1], "mean")
      try inputs[4].requireVector(x.shape[1], "variance")
    case .layer:
      guard let last = x.shape.dimensions.last else {
        throw NNError(.shapeMismatch, "a scalar has no axis to normalise")
      }
      try inputs[1].requireVector(last, "scale")
      try inputs[2].requireVector(last, "bias")
    }
    return x
  }
}

extension NormalizeTraining {
  func infer(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    let x = inputs[0]
    try x.require(.f32, "input")
    guard epsilon > 0, epsilon.isFinite else { throw NNError(.invalidGraph, "epsilon must be positive") }
    switch kind {
    case .channelMoments, .channelProducts, .batchGradient:
      guard x.shape.rank >= 2 else {
        throw NNError(.shapeMismatch, "input has shape \(x.shape.description) instead of (N, C, …)")
      }
      let rows = TensorType(.f32, Shape([.fixed(2), x.shape[1]]))
      if kind == .channelMoments { return rows }
      try inputs[1].requireAlike(x, "gradient")
      if kind == .channelProducts {
        try inputs[2].requireAlike(rows, "moments")
        return rows
      }
      try inputs[2].requireVector(x.shape[1], "scale")
      try inputs[3].requireAlike(rows, "moments")
      try inputs[4].requireAlike(rows, "products")
      return x
    case .layerGradient:
      guard let last = x.shape.dimensions.last else {
        throw NNError(.shapeMismatch, "a scalar has no axis to normalise")
      }
      try inputs[1].requireVector(last, "scale")
      try inputs[2].requireAlike(x, "gradient")
      return x
    }
  }
}

extension TensorType {
  fileprivate func requireAlike(_ other: TensorType, _ role: StaticString) throws(NNError) {
    try require(.f32, role)
    guard shape.mayEqual(other.shape) else {
      throw NNError(
        .shapeMismatch, "\(role) has shape \(shape.description) instead of \(other.shape.description)")
    }
  }
}
