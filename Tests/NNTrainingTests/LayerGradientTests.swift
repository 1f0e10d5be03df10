import NNGraph
import NNTraining
import Reference
import Testing

/// Every layer of the golden file, by the case's name, with the mode it is traced in.
private func goldenLayer(_ name: String) -> (any Layer, Trace.Mode)? {
  switch name {
  case "dense": (Dense(5), .training)
  case "dense of rank 3": (Dense(2), .training)
  case "dense sigmoid": (Dense(3, activation: .sigmoid), .training)
  case "dense tanh": (Dense(3, activation: .tanh), .training)
  case "dense relu": (Dense(3, activation: .relu), .training)
  case "dense leakyRelu": (Dense(3, activation: .leakyRelu), .training)
  case "dense elu": (Dense(3, activation: .elu), .training)
  case "dense gelu": (Dense(3, activation: .gelu), .training)
  case "dense geluTanh": (Dense(3, activation: Activation(.geluTanh)), .training)
  case "dense silu": (Dense(3, activation: .silu), .training)
  case "dense softplus": (Dense(3, activation: .softplus), .training)
  case "conv valid": (Conv2D(4, kernelSize: Extent2D(3, 2)), .training)
  case "conv strided": (Conv2D(3, kernelSize: 3, strides: Extent2D(2, 3)), .training)
  case "conv same": (Conv2D(3, kernelSize: 3, padding: .same), .training)
  case "conv same even": (Conv2D(2, kernelSize: 2, padding: .same), .training)
  case "conv explicit": (Conv2D(2, kernelSize: 3, padding: .explicit(2, 1)), .training)
  case "conv dilated": (Conv2D(2, kernelSize: Extent2D(3, 2), dilation: Extent2D(2, 3)), .training)
  case "conv grouped": (Conv2D(6, kernelSize: 3, padding: .same, groups: 2), .training)
  case "conv depthwise": (Conv2D(3, kernelSize: 2, groups: 3), .training)
  case "max pool": (MaxPool2D(2), .training)
  case "max pool overlapping": (MaxPool2D(3, strides: 2, padding: .explicit(1, 1)), .training)
  case "average pool": (AveragePool2D(2), .training)
  case "average pool counting padding":
    (AveragePool2D(3, strides: 2, padding: .explicit(1, 1), countsPadding: true), .training)
  case "average pool without padding": (AveragePool2D(3, strides: 2, padding: .explicit(1, 1)), .training)
  case "global average pool": (GlobalAveragePool2D(), .training)
  case "flatten": (Flatten(), .training)
  case "softmax": (SoftmaxLayer(), .training)
  case "layer norm": (LayerNorm(), .training)
  case "batch norm 2d", "batch norm 1d": (BatchNorm(), .training)
  case "batch norm frozen": (BatchNorm(), .inference)
  default: furtherLayer(name).map { ($0, .training) }
  }
}

private func furtherLayer(_ name: String) -> (any Layer)? {
  switch name {
  case "selu": SELU()
  case "mish": Mish()
  case "hardswish": HardSwish()
  case "hardsigmoid": HardSigmoid()
  case "prelu": PReLU()
  case "group norm": GroupNorm(2)
  case "instance norm": InstanceNorm()
  case "rms norm": RMSNorm()
  case "conv transpose": ConvTranspose2D(2, kernelSize: Extent2D(3, 2))
  case "conv transpose strided": ConvTranspose2D(3, kernelSize: 4, strides: 2, padding: 1)
  case "conv transpose dilated":
    ConvTranspose2D(
      2, kernelSize: Extent2D(3, 2), strides: Extent2D(3, 2), padding: Extent2D(1, 0),
      outputPadding: Extent2D(2, 1), dilation: Extent2D(1, 2))
  case "conv transpose 1d": ConvTranspose1D(2, kernelSize: 3, strides: 2, padding: 1)
  case "conv 1d": Conv1D(4, kernelSize: 3, strides: 2, padding: .explicit(1))
  case "conv 1d causal": Conv1D(3, kernelSize: 3, padding: .causal, dilation: 2)
  case "conv 3d": Conv3D(2, kernelSize: (3, 3, 2), strides: (2, 1, 1), padding: (1, 1, 0))
  case "separable conv": SeparableConv2D(4, kernelSize: 3, padding: .same, multiplier: 2)
  case "global max pool": GlobalMaxPool2D()
  case "adaptive average pool": AdaptiveAveragePool2D(Extent2D(3, 2))
  case "adaptive max pool": AdaptiveMaxPool2D(Extent2D(3, 2))
  case "max pool 1d": MaxPool1D(2)
  case "average pool 1d": AveragePool1D(2)
  case "upsampling nearest": UpSampling2D(Extent2D(2, 3))
  case "upsampling bilinear": UpSampling2D(2, interpolation: .bilinear)
  case "zero padding": ZeroPadding2D(top: 1, bottom: 2, left: 3, right: 4)
  case "embedding": Embedding(5, dimension: 3)
  case "attention": MultiHeadAttention(heads: 2)
  case "attention causal": MultiHeadAttention(heads: 2, isCausal: true)
  case "encoder block pre": TransformerEncoderBlock(heads: 3, hidden: 8)
  case "encoder block post": TransformerEncoderBlock(heads: 3, hidden: 8, norm: .post)
  default: recurrentLayer(name)
  }
}

private func recurrentLayer(_ name: String) -> (any Layer)? {
  let words = name.split(separator: " ")
  func make(_ sequences: Bool, mask: Float? = nil) -> (any Layer)? {
    switch words[0] {
    case "simplernn": SimpleRNN(2, returnsSequences: sequences, maskValue: mask)
    case "lstm": LSTM(2, returnsSequences: sequences, maskValue: mask)
    case "gru": GRU(2, returnsSequences: sequences, maskValue: mask)
    default: nil
    }
  }
  guard
    let layer = make(words.last != "last" && words.last != "masked", mask: words.last == "masked" ? 9 : nil)
  else { return nil }
  switch (words.dropFirst().first, layer) {
  case ("bidirectional", let layer as SimpleRNN): return Bidirectional(layer)
  case ("bidirectional", let layer as LSTM): return Bidirectional(layer)
  case ("bidirectional", let layer as GRU): return Bidirectional(layer)
  case ("stacked", let layer): return make(true).map { Sequential([layer, $0]) }
  default: return layer
  }
}

@Suite struct LayerGradientTests {
  @Test(arguments: Golden.allLayers.indices)
  func outputsAndGradientsAgreeWithPyTorch(index: Int) throws {
    let golden = Golden.allLayers[index]
    let (layer, mode) = try #require(goldenLayer(golden.name), "no layer for \(golden.name)")
    if mode == .inference { return try frozenLayerAgrees(layer, golden) }
    let trace = Trace(mode: mode, parameters: ParameterStore(seed: 1))
    // Indices have no gradient.
    let isIndices = golden.inputGradient.values.isEmpty
    let x = trace.input("x", isIndices ? .i64 : .f32, Shape(golden.input.shape))
    let y = try layer(x)
    let upstream = trace.input("upstream", .f32, Shape(golden.upstream.shape))
    let loss = try (y * upstream).sum()
    let trained = trace.parameters.filter(\.parameter.isTrainable)
    #expect(trained.count == golden.parameterGradients.count)
    let gradients = try trace.gradient(
      of: loss, withRespectTo: (isIndices ? [y] : [x]) + trained.map(\.tensor))
    try trace.output(y, name: "y")
    for (number, gradient) in gradients.enumerated() { try trace.output(gradient, name: Name("d\(number)")) }
    for update in trace.updates {
      try trace.output(update.value, name: Name(update.parameter.name.string + ".next"))
    }
    let graph = trace.graph
    try graph.verify()
    let inputs = try graph.inputs.map { id in
      switch graph[id].name {
      case "x": isIndices ? golden.input.classes : golden.input.tensor
      case "upstream": golden.upstream.tensor
      default: try #require(golden.parameters[graph[id].name.string]).tensor
      }
    }
    let outputs = try ReferenceEvaluator(graph).run(inputs: inputs)
    expect(outputs[0], golden.output, golden.name + " output")
    expect(outputs[1], isIndices ? golden.upstream : golden.inputGradient, golden.name + " input")
    for (number, entry) in trained.enumerated() {
      let expected = try #require(golden.parameterGradients[entry.parameter.name.string])
      expect(outputs[2 + number], expected, golden.name + " " + entry.parameter.name.string)
    }
    for (number, update) in trace.updates.enumerated() {
      let expected = try #require(golden.updated?[update.parameter.name.string])
      expect(outputs[2 + trained.count + number], expected, update.parameter.name.string)
    }
  }

  /// Frozen statistics are constants of the graph: only output and input gradient are there to compare.
  private func frozenLayerAgrees(_ layer: any Layer, _ golden: Golden.LayerCase) throws {
    let trace = Trace(mode: .inference, parameters: try goldenParameters(of: layer, golden))
    let x = trace.input("x", .f32, Shape(golden.input.shape))
    let y = try layer(x)
    let upstream = trace.input("upstream", .f32, Shape(golden.upstream.shape))
    let gradients = try trace.gradient(of: (y * upstream).sum(), withRespectTo: [x])
    try trace.output(y, name: "y")
    try trace.output(gradients[0], name: "dx")
    let outputs = try ReferenceEvaluator(trace.graph).run(inputs: [
      golden.input.tensor, golden.upstream.tensor,
    ])
    expect(outputs[0], golden.output, golden.name)
    expect(outputs[1], golden.inputGradient, golden.name)
  }

  /// The layer's parameters with the golden values.
  private func goldenParameters(of layer: any Layer, _ golden: Golden.LayerCase) throws -> ParameterStore {
    let store = ParameterStore(seed: 1)
    let first = Trace(mode: .inference, parameters: store)
    _ = try layer(first.input("x", .f32, Shape(golden.input.shape)))
    for parameter in store.parameters {
      let numbers = try #require(golden.parameters[parameter.name.string]).values
      for (index, value) in numbers.enumerated() { parameter.values[index] = Float(value) }
    }
    return store
  }

  private func expect(_ actual: ReferenceTensor, _ expected: Golden.Numbers, _ label: String) {
    #expect(actual.extents == expected.shape, "\(label)")
    // Constants such as ε are f32 in our graphs, hence not 10⁻¹².
    // Some gradients are zero but for rounding, such as that of attention's key bias.
    let difference = relativeDifference(actual.values, expected.values, floor: 1e-3)
    #expect(difference < 1e-6, "\(label) differs by \(difference)")
  }

  @Test(arguments: Golden.allLayers.indices)
  func gradientsAgreeWithCentralDifferences(index: Int) throws {
    let golden = Golden.allLayers[index]
    // Indices have no neighbours, and next to a mask's value lies no masked step.
    if golden.inputGradient.values.isEmpty || golden.name.hasSuffix("masked") { return }
    let (layer, mode) = try #require(goldenLayer(golden.name))
    let parameters =
      mode == .inference ? try goldenParameters(of: layer, golden) : ParameterStore(seed: 1)
    let trace = Trace(mode: mode, parameters: parameters)
    let y = try layer(trace.input("x", .f32, Shape(golden.input.shape)))
    let values = try trace.graph.inputs.map { id in
      let name = trace.graph[id].name
      return name == "x" ? golden.input.tensor : try #require(golden.parameters[name.string]).tensor
    }
    try expectGradientsMatchDifferences(golden.name, of: weightedSum(y), values: values)
  }
}
