import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A convolution, what is added to its outputs, and what follows.
private struct ResidualModel: FusedModel {
  /// What is added.
  enum Shortcut {
    /// An input of the graph, which stays.
    case input
    /// A result that nobody needs afterwards.
    case dying
    /// One that is an output, too.
    case observed
    /// The input of the convolution.
    case own
    /// One number for each filter.
    case repeated
    /// The outputs of a convolution that comes first.
    case convolution
  }

  var batch = 1
  var channels = 24
  var height = 8
  var width = 8
  var filters = 24
  var kernel = 1
  var stride = 1
  var groups = 1
  var hasBias = true
  var shortcut = Shortcut.dying
  var isFirst = false
  var activation: Activation? = Activation(.relu)
  /// Numbers that stand here and there among what is added.
  var special: [Float] = []

  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(filters) in \(groups), kernel \(kernel), stride \(stride), "
      + "bias \(hasBias), \(shortcut), first \(isFirst), \(activation.map { "\($0)" } ?? "nothing"), \(special)"
  }

  var outputExtents: [Int] {
    [batch, filters, (height - 1) / stride + 1, (width - 1) / stride + 1]
  }

  var sumExtents: [Int] { shortcut == .repeated ? [1, filters, 1, 1] : outputExtents }

  func graph(isObserved: Bool) throws -> Graph {
    var random = SplitMix64(seed: 7)
    var graph = Graph(name: "residual")
    let x = graph.addInput(
      "x", .f32, Shape([.fixed(batch), .fixed(channels), .fixed(height), .fixed(width)]))
    let s = graph.addInput("s", .f32, Shape(sumExtents.map { .fixed($0) }))
    let window = Window(
      extent: [kernel, kernel], strides: [stride, stride],
      paddingBefore: [kernel / 2, kernel / 2], paddingAfter: [kernel / 2, kernel / 2])
    func convolution(_ graph: inout Graph, _ name: Name) throws -> ValueID {
      var operands = [
        x,
        graph.addConstant(
          name, try random.reals([filters, channels / groups, kernel, kernel], range: 0.5).tensor()),
      ]
      if hasBias {
        operands.append(graph.addConstant(name, try random.reals([filters], range: 0.5).tensor()))
      }
      return try graph.append(.convolution(Convolution(window: window, groups: groups)), operands)
    }
    let added: ValueID
    switch shortcut {
    case .input, .repeated: added = s
    case .dying, .observed: added = try graph.append(.unary(Activation(.negate)), [s])
    case .own: added = x
    case .convolution: added = try convolution(&graph, "v")
    }
    let outputs = try convolution(&graph, "w")
    var result = try graph.append(.binary(.add), isFirst ? [outputs, added] : [added, outputs])
    if let activation { result = try graph.append(.unary(activation), [result]) }
    graph.addOutput(result, name: "y")
    if isObserved { graph.addOutput(outputs, name: "outputs") }
    if shortcut == .observed { graph.addOutput(added, name: "added") }
    return graph
  }

  func inputs() throws -> [Tensor] {
    var random = SplitMix64(seed: 11)
    let x = try random.reals([batch, channels, height, width], range: 1).tensor()
    var values = (0..<sumExtents.reduce(1, *)).map { _ in Float.random(in: -8...8, using: &random) }
    for value in special {
      for _ in 0..<5 { values[Int.random(in: 0..<values.count, using: &random)] = value }
    }
    return [x, try Tensor(values, extents: sumExtents)]
  }
}

private let clip = Activation(.clip, alpha: -0.5, beta: 0.75)

/// How many steps a model's plan takes.
private func steps(_ model: ResidualModel, _ level: InstructionSetLevel) throws -> Int {
  let graph = try model.graph(isObserved: false)
  let plan = try Plan(
    graph, inputExtents: try model.inputs().map(\.extents), options: Plan.Options(instructionSet: level))
  return try plan.profile(runs: 1) { 0 }.count
}

@Test func addingToAConvolutionsOutputsAsTheyAreComputedGivesTheSameBits() throws {
  var models: [ResidualModel] = []
  // Pixels that are whole panels, part of one, and few enough for filters to fill the lanes.
  for (height, width) in [(8, 8), (14, 14), (7, 7), (3, 5), (1, 1), (16, 33), (20, 20)] {
    for shortcut in [
      ResidualModel.Shortcut.input, .dying, .observed, .own, .repeated, .convolution,
    ] {
      for isFirst in [false, true] {
        models.append(
          ResidualModel(height: height, width: width, shortcut: shortcut, isFirst: isFirst))
      }
      models.append(
        ResidualModel(channels: 70, height: height, width: width, filters: 70, shortcut: shortcut))
      models.append(
        ResidualModel(channels: 64, height: height, width: width, filters: 64, shortcut: shortcut))
    }
  }
  for activation in [nil, clip, Activation(.clip, alpha: -0.0, beta: 0.5), Activation(.tanh)] as [Activation?]
  {
    for hasBias in [false, true] {
      models.append(ResidualModel(filters: 5, hasBias: hasBias, activation: activation))
      models.append(ResidualModel(height: 7, width: 7, filters: 33, hasBias: hasBias, activation: activation))
    }
  }
  models.append(ResidualModel(batch: 3, height: 5, width: 5))
  models.append(ResidualModel(batch: 3, height: 16, width: 16, groups: 2))
  models.append(ResidualModel(height: 9, width: 15, stride: 2))
  // Winograd's algorithm and strips are left alone.
  models.append(ResidualModel(kernel: 3))
  models.append(ResidualModel(kernel: 3, groups: 24))
  try expectTheSameBits(models)
}

@Test func longSumsOverwriteWhatIsAddedToThemOnlyOnceItIsRead() throws {
  for channels in [2048, 2049, 4100] {
    try expectTheSameBits([
      ResidualModel(channels: channels, height: 4, width: 4, filters: 20),
      ResidualModel(channels: channels, height: 7, width: 7, filters: 40),
    ])
  }
}

@Test func residualConvolutionsKeepNaNAndInfinity() throws {
  let special: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 1e-45, -0.0]
  try expectTheSameBits(
    [nil, Activation(.relu), clip].flatMap { activation in
      [(8, 8), (7, 7), (13, 3)].map {
        ResidualModel(height: $0.0, width: $0.1, filters: 33, activation: activation, special: special)
      }
    })
}

@Test func aConvolutionRunsWithItsSumAndBounds() throws {
  for level in [InstructionSetLevel.v3, .v4] where level.isAvailable {
    #expect(try steps(ResidualModel(shortcut: .input), level) == 1)
    #expect(try steps(ResidualModel(shortcut: .input, activation: nil), level) == 1)
    #expect(try steps(ResidualModel(shortcut: .convolution), level) == 2)
    #expect(try steps(ResidualModel(shortcut: .input, activation: Activation(.tanh)), level) == 2)
    // The sum is another shape's.
    #expect(try steps(ResidualModel(shortcut: .repeated), level) == 2)
  }
}

@Test func resultsTakeThePlaceOfWhatIsAddedToThem() throws {
  for level in [InstructionSetLevel.v3, .v4] where level.isAvailable {
    func arena(_ shortcut: ResidualModel.Shortcut) throws -> Int {
      let model = ResidualModel(channels: 16, height: 32, width: 32, filters: 16, shortcut: shortcut)
      return try Plan(
        try model.graph(isObserved: false), inputExtents: try model.inputs().map(\.extents),
        options: Plan.Options(instructionSet: level)
      ).arenaSize
    }
    let size = 16 * 32 * 32 * 4
    // The two inputs, and results.
    #expect(try arena(.dying) == 3 * size)
    #expect(try arena(.input) == 3 * size)
    #expect(try arena(.observed) == 4 * size)
  }
}
