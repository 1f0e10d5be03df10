import NNFormat
import NNGraph
import NNKernels
import NNPasses
import Reference
import Testing

@testable import NNRuntime

/// A convolution whose filters are row-major, or stored in panels whether its kernel reads them so or not.
private struct FilterModel: CustomStringConvertible {
  var channels = 96
  var filters = 48
  var height: Int
  var width: Int
  var kernel = 1
  var stride = 1
  var groups = 1
  /// Whether the kernel reads filters of one image, and of several, as they are stored.
  var readsPanels = (alone: false, several: false)

  var description: String {
    "\(channels) → \(filters) in \(groups), \(height) x \(width), kernel \(kernel), stride \(stride)"
  }

  func graph(images: Int?, inPanels: Bool) throws -> Graph {
    var random = SplitMix64(seed: 3)
    var graph = Graph(name: "filters")
    let batch = images.map { Dimension.fixed($0) } ?? graph.dimension("N")
    let x = graph.addInput(
      "x", .f32, Shape([batch, .fixed(channels), .fixed(height), .fixed(width)]))
    let rows = try random.reals([filters, channels / groups, kernel, kernel], range: 0.5).tensor()
    let weight = graph.addConstant("w", inPanels ? try panels(rows) : rows)
    let bias = graph.addConstant("b", try random.reals([filters]).tensor())
    let window = NNGraph.Window(
      extent: [kernel, kernel], strides: [stride, stride], paddingBefore: [kernel / 2, kernel / 2],
      paddingAfter: [kernel / 2, kernel / 2])
    let y = try graph.append(
      .convolution(Convolution(window: window, groups: groups)), [x, weight, bias], name: "convolution")
    graph.addOutput(try graph.append(.unary(Activation(.relu)), [y]), name: "y")
    return graph
  }

  private func panels(_ filters: Tensor) throws -> Tensor {
    let count = filters.extents[0]
    let k = filters.elementCount / count
    var stored = [Float](repeating: 0, count: (count + 15) / 16 * k * 16)
    for (index, value) in (filters.floats ?? []).enumerated() {
      let (filter, row) = (index / k, index % k)
      stored[(filter / 16 * k + row) * 16 + filter % 16] = value
    }
    let storage = try TensorStorage.allocate(size: stored.count * 4) { (memory) throws(NNError) in
      stored.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
    return try Tensor(dtype: .f32, extents: filters.extents, layout: .filterPanels, storage: storage)
  }

  func input(images: Int) throws -> ReferenceTensor {
    var random = SplitMix64(seed: 5)
    return try random.reals([images, channels, height, width])
  }

  /// Whether a plan copies the weights.
  func copies(_ graph: Graph, images: Int) throws -> Bool {
    let options = Plan.Options(threads: 1)
    let planned = try PlannedGraph(
      graph, inputExtents: [[images, channels, height, width]], options: options)
    let schedule = Schedule(planned.graph, planned.resolved, options, try options.instructionSet.kernels())
    var planner = try MemoryLayoutPlanner(
      planned.graph, planned.resolved, schedule, bound: [], options: options)
    return try planner.plan().workspaces.contains { $0 != nil }
  }
}

private let models = [
  FilterModel(height: 7, width: 7, readsPanels: (true, false)),
  FilterModel(filters: 43, height: 7, width: 7, readsPanels: (true, false)),
  FilterModel(height: 4, width: 4, readsPanels: (true, true)),
  FilterModel(height: 13, width: 13, kernel: 3, stride: 2, readsPanels: (true, false)),
  FilterModel(height: 14, width: 14),
  FilterModel(channels: 112, filters: 96, height: 14, width: 14, kernel: 3, readsPanels: (true, false)),
  FilterModel(channels: 112, filters: 112, height: 9, width: 10, kernel: 3, readsPanels: (true, true)),
  FilterModel(height: 30, width: 17, kernel: 3),
  FilterModel(filters: 41, height: 28, width: 28, kernel: 3, stride: 2),
  FilterModel(filters: 96, height: 12, width: 12, kernel: 3, groups: 96),
  FilterModel(filters: 34, height: 7, width: 7, groups: 2),
]

@Test(arguments: models)
private func filtersInPanelsGiveTheBitsOfRows(_ model: FilterModel) throws {
  let (rows, panels) = (
    try model.graph(images: nil, inPanels: false), try model.graph(images: nil, inPanels: true)
  )
  try panels.verify()
  for images in [1, 3] {
    let input = [try model.input(images: images)]
    for level in instructionSets {
      for threads in [1, 2] {
        let options = Session.Options(threads: threads, instructionSet: level)
        #expect(
          bits(try run(panels, input, options)) == bits(try run(rows, input, options)),
          "\(images) images, \(level), \(threads) threads")
      }
    }
  }
}

@Test(arguments: models)
private func filtersInPanelsAreReadWhereTheyLie(_ model: FilterModel) throws {
  let panels = try model.graph(images: nil, inPanels: true)
  #expect(try model.copies(panels, images: 1) == !model.readsPanels.alone)
  #expect(try model.copies(panels, images: 3) == !model.readsPanels.several)
}

@Test(arguments: models)
private func packingStoresFiltersAsTheyAreRead(_ model: FilterModel) throws {
  func weight(_ graph: Graph) throws -> Tensor {
    try #require(graph.nodes.first.flatMap { graph[$0.inputs[1]].constant })
  }
  for images in [nil, 1, 3] {
    let isRead = images == 3 ? model.readsPanels.several : model.readsPanels.alone
    let rows = try model.graph(images: images, inPanels: false)
    let stored = try weight(rows.packed([.storeWeightsInPanels]))
    let expected = try weight(model.graph(images: images, inPanels: isRead))
    #expect(stored.layout == expected.layout && stored.bytes.elementsEqual(expected.bytes), "\(images ?? 0)")
    #expect(stored.floats == (try weight(rows)).floats)
    #expect(ReferenceTensor(stored).bytes == Array(try weight(rows).bytes))
  }
}

@Test func filtersInPanelsTakeOtherNumbers() throws {
  let model = models[0]
  var graph = try model.graph(images: 1, inPanels: true)
  var random = SplitMix64(seed: 17)
  let other = try random.reals([model.filters, model.channels, 1, 1]).tensor()
  _ = try graph.loadWeights([NamedTensor(name: "w", tensor: other)])
  let weight = try #require(graph[graph.nodes[0].inputs[1]].constant)
  #expect(weight.layout == .filterPanels && weight.floats == other.floats)
}
