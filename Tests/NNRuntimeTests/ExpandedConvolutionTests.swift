import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A convolution and a depthwise one of its outputs, and perhaps one of that one's pixels.
private struct ExpandedModel: FusedModel {
  var batch = 1
  var channels = 8
  var height = 14
  var width = 14
  /// Filters of the first, channels of the second.
  var expanded = 24
  var kernel = 1
  var expansionStride = 1
  var window = 3
  var stride = 1
  var dilation = 1
  var padding = 1
  var activation = Activation(.clip, alpha: 0, beta: 6)
  var hasBiases = true
  /// Filters of the last; 0 for none.
  var projected = 0
  var projectedActivation = Activation(.identity)
  /// What is done to its sum with another input; nil for no such sum.
  var sumActivation: Activation?

  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(expanded), \(kernel)×\(kernel)/\(expansionStride), then "
      + "\(window)×\(window)/\(stride), dilation \(dilation), padding \(padding), \(activation), biases \(hasBiases) "
      + "→ \(projected), \(projectedActivation), sum \(String(describing: sumActivation))"
  }

  func graph(isObserved: Bool) throws -> Graph {
    var random = SplitMix64(seed: 7)
    var graph = Graph(name: "expanded")
    let x = graph.addInput(
      "x", .f32, Shape([.fixed(batch), .fixed(channels), .fixed(height), .fixed(width)]))
    func append(
      _ name: String, _ input: ValueID, _ weights: [Int], _ window: Window, groups: Int = 1,
      _ activation: Activation
    ) throws -> ValueID {
      var operands = [
        input, graph.addConstant(Name("\(name).weight"), try random.reals(weights, range: 0.5).tensor()),
      ]
      if hasBiases {
        operands.append(
          graph.addConstant(Name("\(name).bias"), try random.reals([weights[0]], range: 0.5).tensor()))
      }
      return try graph.append(
        .convolution(Convolution(window: window, groups: groups, activation: activation)), operands)
    }
    let border = (kernel - 1) / 2
    let outputs = try append(
      "expansion", x, [expanded, channels, kernel, kernel],
      Window(
        extent: [kernel, kernel], strides: [expansionStride, expansionStride],
        paddingBefore: [border, border], paddingAfter: [border, border]), activation)
    var y = try append(
      "depthwise", outputs, [expanded, 1, window, window],
      Window(
        extent: [window, window], strides: [stride, stride], dilations: [dilation, dilation],
        paddingBefore: [padding, padding], paddingAfter: [padding, padding]), groups: expanded, activation)
    if projected > 0 {
      y = try append(
        "projection", y, [projected, expanded, 1, 1], Window(extent: [1, 1]), projectedActivation)
    }
    if let sumActivation {
      let other = graph.addInput("other", .f32, graph[y].type.shape)
      y = try graph.append(.binary(.add), [other, y])
      if sumActivation.function != .identity { y = try graph.append(.unary(sumActivation), [y]) }
    }
    graph.addOutput(y, name: "y")
    if isObserved { graph.addOutput(outputs, name: "outputs") }
    return graph
  }

  func inputs() throws -> [Tensor] {
    var random = SplitMix64(seed: 11)
    let graph = try graph(isObserved: false)
    return try graph.inputs.map { try random.reals(graph[$0].type.shape.extents!, range: 1).tensor() }
  }
}

@Test func expandingPixelsForADepthwiseConvolutionGivesTheSameBits() throws {
  var models: [ExpandedModel] = []
  for (height, width) in [(14, 14), (5, 37), (3, 3), (1, 1), (2, 18), (7, 7), (16, 16)] {
    for (stride, padding) in [(1, 1), (2, 1), (1, 0), (2, 2)] where min(height, width) + 2 * padding >= 3 {
      models.append(ExpandedModel(height: height, width: width, stride: stride, padding: padding))
    }
  }
  // Blocks of channels that are not full, of several images, and weights in the lanes.
  for (expanded, batch) in [(5, 1), (17, 2), (70, 1), (144, 1)] {
    models.append(ExpandedModel(batch: batch, height: 17, width: 9, expanded: expanded, stride: 2))
  }
  models.append(ExpandedModel(channels: 72, height: 7, width: 7, expanded: 90))
  models.append(ExpandedModel(batch: 2, channels: 64, height: 3, width: 5, expanded: 33, stride: 2))
  try expectTheSameBits(models)
}

@Test func windowsAcrossTheStripsOfAnExpansionGiveTheSameBits() throws {
  var models: [ExpandedModel] = []
  for (window, stride, dilation, padding) in [
    (3, 1, 1, 1), (3, 2, 1, 1), (3, 2, 1, 0), (5, 1, 1, 2), (5, 2, 1, 2), (3, 1, 3, 3), (2, 3, 1, 0),
  ] {
    for (height, width) in [(61, 40), (57, 37), (9, 1100)] {
      models.append(
        ExpandedModel(
          channels: 3, height: height, width: width, expanded: 66, window: window, stride: stride,
          dilation: dilation, padding: padding))
    }
  }
  try expectTheSameBits(models)
}

@Test func expandingCopiedRowsForADepthwiseConvolutionGivesTheSameBits() throws {
  var models: [ExpandedModel] = []
  for (expansionStride, stride) in [(1, 1), (2, 1), (2, 2)] {
    for (height, width) in [(32, 32), (45, 65), (120, 192)] {
      for expanded in [32, 40] {
        models.append(
          ExpandedModel(
            channels: 3, height: height, width: width, expanded: expanded, kernel: 3,
            expansionStride: expansionStride, stride: stride))
      }
    }
  }
  try expectTheSameBits(models)
}

@Test func expansionsWithAnyActivationGiveTheSameBits() throws {
  var models: [ExpandedModel] = []
  for activation in [
    Activation(.identity), Activation(.relu), Activation(.tanh), Activation(.clip, alpha: -0.5, beta: 0.25),
  ] {
    for hasBiases in [true, false] {
      models.append(
        ExpandedModel(height: 9, width: 19, expanded: 20, activation: activation, hasBiases: hasBiases))
      models.append(
        ExpandedModel(
          channels: 3, height: 64, width: 64, expanded: 20, kernel: 3, stride: 2, activation: activation,
          hasBiases: hasBiases))
    }
  }
  try expectTheSameBits(models)
}

@Test func whatIsExpandedForADepthwiseConvolutionIsNeverWritten() throws {
  for level in [InstructionSetLevel.v3, .v4] where level.isAvailable {
    let graph = try ExpandedModel(channels: 16, height: 64, width: 64, expanded: 96, stride: 2).graph(
      isObserved: false)
    let plan = try Plan(
      graph, inputExtents: [[1, 16, 64, 64]], options: Plan.Options(instructionSet: level))
    #expect(plan.arenaSize <= (16 * 64 * 64 + 96 * 32 * 32) * 4 + 4096)
    let times = try plan.profile(runs: 1) { 0 }
    #expect(times.map { $0.node } == [1] && times[0].others == [graph.nodes[0].outputs[0]])
  }
}

@Test func invertedResidualsGiveTheSameBits() throws {
  var models: [ExpandedModel] = []
  // Bands of rows with and without pixels left over from whole panels, and heights that are no multiple of theirs.
  for (height, width) in [(14, 14), (28, 28), (23, 9), (41, 33), (13, 20)] {
    for (window, stride, dilation, padding) in [
      (3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 1, 2), (5, 2, 1, 2), (3, 1, 3, 3), (3, 1, 1, 0), (2, 3, 1, 0),
      (3, 1, 1, 3),
    ] {
      models.append(
        ExpandedModel(
          channels: 5, height: height, width: width, expanded: 70, window: window, stride: stride,
          dilation: dilation, padding: padding, projected: 20))
    }
  }
  // Bands whose windows lie in the padding altogether.
  models.append(ExpandedModel(padding: 20, projected: 12))
  // More bands than threads, and several images.
  models.append(ExpandedModel(channels: 3, height: 200, width: 64, expanded: 66, projected: 7))
  for batch in [2, 3, 5] { models.append(ExpandedModel(batch: batch, height: 21, projected: 12)) }
  // Copied rows.
  for expansionStride in [1, 2] {
    for (height, width) in [(64, 64), (90, 65)] {
      models.append(
        ExpandedModel(
          channels: 3, height: height, width: width, expanded: 32, kernel: 3,
          expansionStride: expansionStride, projected: 16))
    }
  }
  try expectTheSameBits(models)
}

@Test func invertedResidualsWithAnyActivationAndSumGiveTheSameBits() throws {
  var models: [ExpandedModel] = []
  let bounds = Activation(.clip, alpha: -0.5, beta: 0.25)
  for activation in [Activation(.identity), bounds, Activation(.tanh)] {
    for sum in [nil, Activation(.identity), bounds, Activation(.tanh)] {
      for hasBiases in [true, false] {
        models.append(
          ExpandedModel(
            height: 28, width: 15, hasBiases: hasBiases, projected: 24, projectedActivation: activation,
            sumActivation: sum))
      }
    }
  }
  try expectTheSameBits(models)
}

@Test func threadsTakeRowsThroughAnInvertedResidual() throws {
  for level in [InstructionSetLevel.v3, .v4] where level.isAvailable {
    let graph = try ExpandedModel(
      channels: 16, height: 28, width: 28, expanded: 96, projected: 16, sumActivation: Activation(.identity)
    ).graph(isObserved: false)
    let extents = [[1, 16, 28, 28], [1, 16, 28, 28]]
    let alone = try Plan(graph, inputExtents: extents, options: Plan.Options(instructionSet: level))
    #expect(try alone.profile(runs: 1) { 0 }.map { $0.node } == [1, 3])
    let shared = try Plan(
      graph, inputExtents: extents, options: Plan.Options(threads: 2, instructionSet: level))
    let times = try shared.profile(runs: 1) { 0 }
    #expect(times.map { $0.node } == [3] && times[0].others.count == 3)
    #expect(shared.arenaSize <= 3 * 16 * 28 * 28 * 4 + 4096)
  }
}
