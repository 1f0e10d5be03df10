import NNGraph

extension Matmul {
  /// For C = A·B: dA = dC·Bᵀ and dB = Aᵀ·dC, each written for the way its operand is stored.
  func adjoints(
    _ x: [SymbolicTensor], _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> [SymbolicTensor?] {
    let (a, b) = (x[0], x[1])
    var gradient = dy
    if activation != .identity {
      // A fused node keeps only f(z); z is computed again.
      var plain = self
      plain.activation = .identity
      let z = try y.trace.apply(.matmul(plain), x)
      guard let adjoint = try activation.adjoint(z, y, dy) else { return x.map { _ in nil } }
      gradient = adjoint
    }
    let byBias = x.count > 2 ? try gradient.summed(to: x[2].shape) : nil
    if a.rank > 2, b.rank == 2, !transposesA {
      // One matrix serves the whole batch: rows join into one large product instead of a sum over the batch.
      let flat = try Shape([.fixed(rowCount(a)), a.shape[a.rank - 1]])
      let flatGradient = try gradient.reshaped(Shape([flat[0], gradient.shape[gradient.rank - 1]]))
      let (da, db) = try operandAdjoints(a.reshaped(flat), b, flatGradient)
      return [try da.reshaped(a.shape), db, byBias]
    }
    let (da, db) = try operandAdjoints(a, b, gradient)
    return [try da.summed(to: a.shape), try db.summed(to: b.shape), byBias]
  }

  private func rowCount(_ a: SymbolicTensor) throws(NNError) -> Int {
    try a.knownExtents().dropLast().reduce(1, *)
  }

  private func operandAdjoints(
    _ a: SymbolicTensor, _ b: SymbolicTensor, _ dc: SymbolicTensor
  ) throws(NNError) -> (SymbolicTensor, SymbolicTensor) {
    let da =
      transposesA
      ? try b.matmul(dc, transposesA: transposesB, transposesB: true)
      : try dc.matmul(b, transposesB: !transposesB)
    let db =
      transposesB
      ? try dc.matmul(a, transposesA: true, transposesB: transposesA)
      : try a.matmul(dc, transposesA: !transposesA)
    return (da, db)
  }
}

extension Convolution {
  /// dW is an operator of its own; dx is the convolution of dy with the turned kernels where the stride is 1, and goes through patches
  /// elsewhere.
  func adjoints(
    _ x: [SymbolicTensor], _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> [SymbolicTensor?] {
    var gradient = dy
    if activation != .identity {
      var plain = self
      plain.activation = .identity
      let z = try y.trace.apply(.convolution(plain), x)
      guard let adjoint = try activation.adjoint(z, y, dy) else { return x.map { _ in nil } }
      gradient = adjoint
    }
    let byWeight = try dy.trace.apply(.convolutionWeightGradient(window, groups: groups), [x[0], gradient])
    let byBias = x.count > 2 ? try gradient.sum(axes: [0, 2, 3]) : nil
    let byImage =
      if let turnedWindow { try turnedConvolution(turnedWindow, x[1], gradient) } else {
        try patchesAdjoint(x, gradient)
      }
    return [byImage, byWeight, byBias]
  }

  /// The window under which dy is convolved to dx: of stride 1, with what the padding lacks of a full one. Nil if there is none.
  private var turnedWindow: Window? {
    guard window.strides == [1, 1] else { return nil }
    var turned = window
    for axis in 0..<2 {
      let reach = window.dilations[axis] * (window.extent[axis] - 1)
      turned.paddingBefore[axis] = reach - window.paddingBefore[axis]
      turned.paddingAfter[axis] = reach - window.paddingAfter[axis]
      if turned.paddingBefore[axis] < 0 || turned.paddingAfter[axis] < 0 { return nil }
    }
    return turned
  }

  /// dx = dy ∗ kernels with rows and columns reversed, input and output channels exchanged.
  private func turnedConvolution(
    _ turned: Window, _ weight: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let extents = try weight.knownExtents()
    let (filters, channels, height, width) = (extents[0] / groups, extents[1], extents[2], extents[3])
    func reversed(_ extent: Int) -> SliceRange { SliceRange(start: extent - 1, end: -extent - 1, step: -1) }
    let kernels =
      try weight.sliced([.all, .all, reversed(height), reversed(width)])
      .reshaped([groups, filters, channels, height, width]).transposed([0, 2, 1, 3, 4])
      .reshaped([groups * channels, filters, height, width])
    return try dy.trace.apply(.convolution(Convolution(window: turned, groups: groups)), [dy, kernels])
  }

  /// With columns = unfold(x) of shape (N, C·kH·kW, P), P = oH·oW positions, the convolution is W·columns: dx = fold(Wᵀ·dy). Groups
  /// become one more batch axis.
  private func patchesAdjoint(_ x: [SymbolicTensor], _ dy: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let (image, weight, output) = (try x[0].knownExtents(), try x[1].knownExtents(), try dy.knownExtents())
    let (batch, filters, positions) = (output[0], output[1], output[2] * output[3])
    let taps = weight[1] * weight[2] * weight[3]
    let matrix = try x[1].reshaped([groups, filters / groups, taps])
    let rows = try dy.reshaped([batch, groups, filters / groups, positions])
    let patches = try matrix.matmul(rows, transposesA: true).reshaped([batch, groups * taps, positions])
    return try dy.trace.apply(.fold(window, height: image[2], width: image[3]), [patches])
  }
}

extension Normalize {
  func adjoints(_ x: [SymbolicTensor], _ dy: SymbolicTensor) throws(NNError) -> [SymbolicTensor?] {
    switch kind {
    case .batch: try batchAdjoints(x, dy)
    case .layer: try layerAdjoints(x, dy)
    }
  }

  /// y = (x − mean)·r·scale + bias with r = 1/√(variance + ε), all statistics being operands.
  private func batchAdjoints(
    _ x: [SymbolicTensor], _ dy: SymbolicTensor
  ) throws(NNError) -> [SymbolicTensor?] {
    let channels = x[3].shape
    let own = momentsOfItself(x)
    let moments: SymbolicTensor
    if let own {
      moments = own
    } else {
      let row = Shape([1, channels[0].extent ?? 1])
      moments = try x[3].reshaped(row).concatenated(with: [x[4].reshaped(row)], axis: 0)
    }
    let sums = try dy.trace.apply(
      .normalizeTraining(NormalizeTraining(.channelProducts)), [x[0], dy, moments])
    let sum = try sums.sliced([SliceRange(start: 0, end: 1), .all]).reshaped(channels)
    let weighted = try sums.sliced([SliceRange(start: 1, end: 2), .all]).reshaped(channels)
    let inverse = try (x[4] + epsilon).unary(.reciprocalSquareRoot)
    if let own {
      let gradient = Op.normalizeTraining(NormalizeTraining(.batchGradient, epsilon: epsilon))
      return [
        try dy.trace.apply(gradient, [x[0], dy, x[1], own, sums]), try weighted * inverse, sum, nil, nil,
      ]
    }
    let factor = try x[1] * inverse
    let byVariance = try weighted * factor * inverse.squared() * -0.5
    return [
      try dy * factor.alongChannels(rank: x[0].rank), try weighted * inverse, sum, try -sum * factor,
      byVariance,
    ]
  }

  /// The moments of x[0] if mean and variance are those: then dx can hold what comes back through them, in one pass, and they need
  /// no gradients of their own from here.
  private func momentsOfItself(_ x: [SymbolicTensor]) -> SymbolicTensor? {
    let graph = x[0].trace.graph
    func node(making value: ValueID) -> Node? { graph.nodes.last { $0.outputs.contains(value) } }
    func source(_ vector: SymbolicTensor, row: Int) -> ValueID? {
      guard let reshape = node(making: vector.id), case .reshape = reshape.op,
        let slice = node(making: reshape.inputs[0]),
        slice.op == .slice([SliceRange(start: row, end: row + 1), .all])
      else { return nil }
      return slice.inputs[0]
    }
    guard let moments = source(x[3], row: 0), moments == source(x[4], row: 1),
      let maker = node(making: moments), case .normalizeTraining(let training) = maker.op,
      training.kind == .channelMoments, maker.inputs[0] == x[0].id
    else { return nil }
    return SymbolicTensor(trace: x[0].trace, id: moments)
  }

  /// dx in one pass; the scale's gradient is that of what it multiplies. Ba, Kiros and Hinton 2016, differentiated.
  private func layerAdjoints(
    _ x: [SymbolicTensor], _ dy: SymbolicTensor
  ) throws(NNError) -> [SymbolicTensor?] {
    let trace = dy.trace
    let gradient = Op.normalizeTraining(NormalizeTraining(.layerGradient, epsilon: epsilon))
    let normal = try trace.apply(
      .normalize(Normalize(.layer, epsilon: epsilon)),
      [x[0], try trace.filled(1, x[1].shape), try trace.filled(0, x[1].shape)])
    return [
      try trace.apply(gradient, [x[0], x[1], dy]), try (dy * normal).summed(to: x[1].shape),
      try dy.summed(to: x[2].shape),
    ]
  }
}

extension NormalizeTraining {
  func adjoints(
    _ x: [SymbolicTensor], _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> Adjoints {
    switch kind {
    case .channelMoments: .of([try momentsAdjoint(x[0], y, dy)])
    case .channelProducts, .layerGradient, .batchGradient:
      .undefined("a normalisation has no second derivative here")
    }
  }

  /// For the mean μ and the biased variance σ² of n elements: dx = (dμ + 2·(x − μ)·dσ²)/n.
  private func momentsAdjoint(
    _ x: SymbolicTensor, _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let extents = try x.knownExtents()
    let count = Float(max(extents.reduce(1, *) / max(extents[1], 1), 1))
    func row(_ of: SymbolicTensor, _ index: Int) throws(NNError) -> SymbolicTensor {
      try of.sliced([SliceRange(start: index, end: index + 1), .all]).reshaped([extents[1]])
    }
    let slope = try (row(dy, 1) * (2 / count))
    // Not x·slope − μ·slope, which cancel where the mean is large.
    let centred = try x - row(y, 0).alongChannels(rank: x.rank)
    let offset = try row(dy, 0) * (1 / count)
    return try centred * slope.alongChannels(rank: x.rank) + offset.alongChannels(rank: x.rank)
  }
}
