import NNGraph

extension Graph {
  /// Moves a normalisation by batch into the convolution whose result it alone reads: with s = scale/√(variance + ε), weights W·s and
  /// bias (b − mean)·s + bias.
  ///
  /// - Returns: how many.
  mutating func foldNormalization() throws(NNError) -> Int {
    var count = 0
    let uses = useCounts
    let producers = self.producers
    for index in nodes.indices {
      guard case .normalize(let normalize) = nodes[index].op, normalize.kind == .batch else { continue }
      let x = nodes[index].inputs[0]
      let parameters = nodes[index].inputs.dropFirst().compactMap { self[$0].constant?.floats }
      guard parameters.count == 4, uses[x.index] == 1, let above = producers[x.index],
        case .convolution(let convolution) = nodes[above].op, convolution.activation == .identity,
        let weight = self[nodes[above].inputs[1]].constant, weight.dtype == .f32, weight.layout == .rowMajor
      else { continue }
      var bias = [Float](repeating: 0, count: weight.extents[0])
      if nodes[above].inputs.count > 2 {
        guard let constant = self[nodes[above].inputs[2]].constant?.floats else { continue }
        bias = constant
      }
      let folded = try fold(weight, bias, parameters, epsilon: Double(normalize.epsilon))
      let names = nodes[above].inputs.dropFirst().map { self[$0].name.appending(WeightName.folded) }
      nodes[above].inputs = [
        nodes[above].inputs[0], addConstant(names[0], folded.weight),
        addConstant(names.count > 1 ? names[1] : "", folded.bias),
      ]
      nodes[above].outputs = nodes[index].outputs
      // What is left of the normalisation computes a value that nothing reads any more.
      nodes[index].op = .unary(.identity)
      nodes[index].inputs = [nodes[above].inputs[0]]
      nodes[index].outputs = [x]
      self[x].type = self[nodes[above].inputs[0]].type
      count += 1
    }
    return count
  }

  private func fold(
    _ weight: Tensor, _ bias: [Float], _ parameters: [[Float]], epsilon: Double
  ) throws(NNError) -> (weight: Tensor, bias: Tensor) {
    var values = weight.floats ?? []
    let row = weight.extents.dropFirst().reduce(1, *)
    var shifted: [Float] = []
    for (channel, old) in bias.enumerated() {
      let (scale, shift) = (Double(parameters[0][channel]), Double(parameters[1][channel]))
      let (mean, variance) = (Double(parameters[2][channel]), Double(parameters[3][channel]))
      let factor = scale / (variance + epsilon).squareRoot()
      for index in channel * row..<(channel + 1) * row {
        values[index] = Float(Double(values[index]) * factor)
      }
      shifted.append(Float((Double(old) - mean) * factor + shift))
    }
    return (
      try Tensor(values, extents: weight.extents), try Tensor(shifted, extents: [shifted.count])
    )
  }
}
