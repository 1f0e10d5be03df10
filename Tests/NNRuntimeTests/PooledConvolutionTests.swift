import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A convolution and the largest of its squares of 2 x 2 outputs.
private struct PooledModel: FusedModel {
  var batch = 1
  var channels = 1
  var height = 28
  var width = 28
  var filters = 8
  var groups = 1
  var stride = 1
  var padding = 1
  var activation = Activation(.relu)
  var bias: Float? = 0.25
  /// Numbers that stand here and there among the inputs.
  var special: [Float] = []

  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(filters) in \(groups), stride \(stride), padding \(padding), "
      + "\(activation), bias \(bias ?? .nan), \(special)"
  }

  func graph(isObserved: Bool) throws -> Graph {
    var random = SplitMix64(seed: 7)
    var graph = Graph(name: "pooled")
    let x = graph.addInput(
      "x", .f32, Shape([.fixed(batch), .fixed(channels), .fixed(height), .fixed(width)]))
    var operands = [
      x, graph.addConstant("w", try random.reals([filters, channels / groups, 3, 3], range: 0.5).tensor()),
    ]
    if let bias {
      operands.append(
        graph.addConstant("b", try Tensor([Float](repeating: bias, count: filters), extents: [filters])))
    }
    let window = Window(
      extent: [3, 3], strides: [stride, stride], paddingBefore: [padding, padding],
      paddingAfter: [padding, padding])
    let outputs = try graph.append(
      .convolution(Convolution(window: window, groups: groups, activation: activation)), operands)
    let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
    graph.addOutput(try graph.append(.pool(pool), [outputs]), name: "y")
    if isObserved { graph.addOutput(outputs, name: "outputs") }
    return graph
  }

  func inputs() throws -> [Tensor] {
    var random = SplitMix64(seed: 11)
    var values = (0..<batch * channels * height * width).map { _ in Float.random(in: -1...1, using: &random) }
    for (index, value) in special.enumerated() {
      for _ in 0..<3 { values[Int.random(in: 0..<values.count, using: &random)] = value }
      values[index * 7 % values.count] = value
    }
    return [try Tensor(values, extents: [batch, channels, height, width])]
  }
}

private let clip = Activation(.clip, alpha: -0.5, beta: 0.75)

@Test func poolingOneChannelsConvolutionAsItIsComputedGivesTheSameBits() throws {
  var models: [PooledModel] = []
  for (height, width) in [(28, 28), (5, 37), (7, 4), (3, 3), (13, 16), (64, 33), (2, 64)] {
    for padding in [0, 1, 2] where height + 2 * padding >= 4 && width + 2 * padding >= 4 {
      models.append(PooledModel(height: height, width: width, padding: padding))
    }
  }
  models.append(PooledModel(batch: 3, channels: 6, height: 11, width: 19, filters: 12, groups: 6))
  models.append(PooledModel(stride: 2))
  for activation in [
    Activation(.relu), clip, Activation(.clip, alpha: -0.0, beta: 0.5), Activation(.identity),
  ] {
    for bias in [0.25, 0, -0.0, nil] as [Float?] {
      models.append(PooledModel(height: 9, width: 40, filters: 5, activation: activation, bias: bias))
    }
  }
  try expectTheSameBits(models)
}

@Test func poolingWinogradsOutputsAsTheyAreComputedGivesTheSameBits() throws {
  var models: [PooledModel] = []
  // Both tiles; rows of tiles that end within vectors, blocks and images; sides that leave a row and a column out.
  for (height, width) in [
    (14, 14), (7, 7), (6, 6), (9, 33), (28, 28), (56, 56), (31, 5), (4, 2), (2, 4), (57, 61),
  ] {
    for batch in [1, 3] {
      models.append(PooledModel(batch: batch, channels: 16, height: height, width: width, filters: 40))
    }
    models.append(PooledModel(channels: 17, height: height, width: width, filters: 16, padding: 0))
  }
  models.append(PooledModel(channels: 160, height: 7, width: 7, filters: 128))
  // Tiles of five, also in images of several blocks, whose border may go through squares.
  for (height, width) in [(14, 14), (15, 13), (10, 5), (45, 45), (65, 65), (70, 70), (9, 125)] {
    models.append(PooledModel(batch: 2, channels: 16, height: height, width: width, filters: 48))
  }
  for activation in [clip, Activation(.identity), Activation(.tanh)] {
    for bias in [0, nil] as [Float?] {
      models.append(
        PooledModel(channels: 20, height: 15, width: 18, filters: 33, activation: activation, bias: bias))
    }
  }
  try expectTheSameBits(models.filter { $0.height + 2 * $0.padding >= 4 && $0.width + 2 * $0.padding >= 4 })
}

@Test func pooledConvolutionsKeepNaNAndInfinity() throws {
  let special: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 1e-45, -0.0]
  var models: [PooledModel] = []
  for value in special {
    for channels in [1, 16] {
      models.append(
        PooledModel(channels: channels, height: 13, width: 18, filters: 16, bias: -0.0, special: [value]))
      models.append(
        PooledModel(
          channels: channels, height: 30, width: 29, filters: 16, activation: clip, special: [value]))
    }
  }
  models.append(PooledModel(activation: Activation(.identity), special: special))
  models.append(PooledModel(channels: 16, filters: 16, activation: Activation(.identity), special: special))
  try expectTheSameBits(models)
}

@Test func theOutputsOfAPooledConvolutionAreNeverWritten() throws {
  for (channels, level) in [(1, InstructionSetLevel.v3), (32, .v3), (1, .v4), (32, .v4)]
  where level.isAvailable {
    let graph = try PooledModel(channels: channels, height: 64, width: 64, filters: 32).graph(
      isObserved: false)
    let plan = try Plan(
      graph, inputExtents: [[1, channels, 64, 64]], options: Plan.Options(instructionSet: level))
    // The weights of Winograd's algorithm are there, too.
    #expect(plan.arenaSize < (channels * 64 * 64 + 32 * 32 * 32 + 32 * channels * 36) * 4 + 4096)
    let times = try plan.profile(runs: 1) { 0 }
    #expect(times.map { $0.node } == [1] && times[0].others == [graph.nodes[0].outputs[0]])
  }
}
