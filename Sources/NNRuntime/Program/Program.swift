import CPlatform
import NNGraph

/// A graph at given input extents, ready to run, whether or not its further extents depend on values.
///
/// It runs in stages: a plan of all nodes whose extents are known, then nodes that run alone because only they can tell how large their
/// results are, and again. Stages stay for the next run as far as the values that they were made for are the same. A graph
/// without such values is one stage, and its runs allocate nothing.
final class Program {
  let graph: Graph
  private let options: Plan.Options
  private let start: Resolution
  private var stages: [Stage] = []
  /// The plan that is all there is to run, whatever the values are; nil where there is more, or nothing.
  private var whole: Plan?
  /// Whether no node is left after the last stage.
  private var isComplete = false
  /// Where each value is that a later stage or the caller may read.
  private var places: [UnsafeRawBufferPointer?]
  private let inputMemory: [UnsafeMutableRawBufferPointer]
  private let owned: [AlignedMemory]
  /// Whether states are carried here, and not by the one plan there is.
  private var carriesStates = false

  /// Prepares `graph`, which must have passed ``Graph/verify()``, for inputs of the given extents.
  ///
  /// - Parameter bound: memory for every input, as for ``Plan``; nil for memory of the program's own.
  /// - Throws: as ``Plan``'s initialiser, for what does not depend on values.
  convenience init(
    _ graph: Graph, inputExtents: [[Int]], bound: [UnsafeMutableRawBufferPointer]?, options: Plan.Options
  ) throws(NNError) {
    let resolution = try Resolution(graph, inputExtents: inputExtents)
    var owned: [AlignedMemory] = []
    var memory: [UnsafeMutableRawBufferPointer] = bound ?? []
    if bound == nil {
      for id in graph.inputs {
        let type = resolution.types[id.index]
        let size = (type.shape.elementCount ?? 0) * type.dtype.size
        let input = try AlignedMemory(size: size, purpose: "an input")
        owned.append(input)
        memory.append(UnsafeMutableRawBufferPointer(start: input.base, count: size))
      }
    }
    self.init(graph, resolution, memory, owned, options)
    try prepareFirstStage()
  }

  private init(
    _ graph: Graph, _ start: Resolution, _ memory: [UnsafeMutableRawBufferPointer], _ owned: [AlignedMemory],
    _ options: Plan.Options
  ) {
    self.graph = graph
    self.start = start
    self.options = options
    self.owned = owned
    inputMemory = memory
    places = [UnsafeRawBufferPointer?](repeating: nil, count: graph.values.count)
    for (index, value) in graph.values.enumerated() {
      if let constant = value.constant { places[index] = constant.bytes }
    }
    for (id, memory) in zip(graph.inputs, inputMemory) { places[id.index] = UnsafeRawBufferPointer(memory) }
  }

  /// Finds faults of the first stage before anything runs, as far as it does not depend on the inputs' contents.
  private func prepareFirstStage() throws(NNError) {
    var resolution = start
    _ = try resolution.advance(options.evaluator)
    guard !resolution.isResolved.contains(false) else { return }
    try graph.requireStableStates(resolution.types)
    let planned = PlannedGraph(graph, resolution)
    stages.append(try makeStage(planned, resolution, reads: [], alone: []))
    isComplete = true
    if !carriesStates { whole = stages[0].plan }
  }

  /// Where the bytes of input `index` belong.
  func input(_ index: Int) -> UnsafeMutableRawBufferPointer { inputMemory[index] }

  /// Type and bytes of output `index` after a run.
  func output(_ index: Int) -> (type: TensorType, bytes: UnsafeRawBufferPointer) {
    value(graph.outputs[index])
  }

  /// Whether outputs may have other extents after each run.
  var mayChangeExtents: Bool {
    stages.count != 1 || !isComplete || !stages[0].alone.isEmpty || !stages[0].reads.isEmpty
  }

  private func value(_ id: ValueID) -> (type: TensorType, bytes: UnsafeRawBufferPointer) {
    let resolution = stages.last?.after ?? start
    if let content = resolution.content(id) { return (content.type, content.bytes) }
    return (
      resolution.types[id.index], places[id.index] ?? UnsafeRawBufferPointer(start: nil, count: 0)
    )
  }

  /// Computes every output from the inputs, then carries the graph's states into their inputs.
  ///
  /// - Throws: as ``Plan/run()``, and whatever planning throws once values are known.
  func run() throws(NNError) {
    if let whole { return try whole.run() }
    var next = 0
    while true {
      if next < stages.count, !holds(stages[next]) { drop(from: next) }
      if next == stages.count {
        if isComplete { break }
        guard let stage = try nextStage() else {
          isComplete = true
          break
        }
        stages.append(stage)
      }
      let stage = stages[next]
      try stage.plan?.run()
      let hasChanged: Bool
      do throws(NNError) {
        hasChanged = try runAlone(stage)
      } catch {
        // Some results may have moved before another node failed: neither this stage nor a later one knows where they are.
        drop(from: next)
        throw error
      }
      next += 1
      if hasChanged { drop(from: next) }
    }
    if carriesStates { try carryStates() }
  }

  private func drop(from index: Int) {
    if index < stages.count { stages.removeSubrange(index...) }
    isComplete = false
  }

  /// Whether the values that a stage was made for are still the same.
  private func holds(_ stage: Stage) -> Bool {
    for (id, content) in stage.reads {
      guard let place = places[id.index], place.count == content.bytes.count else { return false }
      if place.count > 0, memcmp(place.baseAddress!, content.bytes.baseAddress!, place.count) != 0 {
        return false
      }
    }
    return true
  }
}

/// What runs between two looks at values.
final class Stage {
  /// The values that were looked at before, with what they held.
  let reads: [(id: ValueID, content: Tensor)]
  let plan: Plan?
  /// Nodes that run alone after the plan.
  let alone: [AloneNode]
  /// What is known once the stage has run.
  var after: Resolution

  init(reads: [(id: ValueID, content: Tensor)], plan: Plan?, alone: [AloneNode], after: Resolution) {
    self.reads = reads
    self.plan = plan
    self.alone = alone
    self.after = after
  }
}

// Making stages
extension Program {
  /// The stage after the last one; nil if no node is left.
  private func nextStage() throws(NNError) -> Stage? {
    let before = stages.last?.after ?? start
    var resolution = before
    var reads: [(id: ValueID, content: Tensor)] = []
    var wanted = try resolution.advance(options.evaluator)
    while true {
      let count = reads.count
      for id in wanted where resolution.known[id.index] == nil {
        guard let place = places[id.index], before.hasType[id.index] else { continue }
        let content = try Tensor(copying: place, as: before.types[id.index])
        resolution.learn(id, content)
        reads.append((id, content))
      }
      if reads.count == count { break }
      wanted = try resolution.advance(options.evaluator)
    }
    var nodes: [Int] = []
    var alone: [AloneNode] = []
    var waiting = -1
    for index in graph.nodes.indices where !before.isResolved[index] {
      if resolution.isResolved[index] {
        nodes.append(index)
      } else if case .dynamic(let dynamic) = graph.nodes[index].op, dynamic.runsAlone,
        resolution.hasInputs(index)
      {
        alone.append(AloneNode(index, dynamic, graph, options))
      } else {
        waiting = index
      }
    }
    if nodes.isEmpty, alone.isEmpty {
      guard waiting < 0 else {
        throw NNError(.invalidGraph, "extents that it needs are never known").within(
          graph.nodes[waiting].description)
      }
      return nil
    }
    let planned = PlannedGraph(
      graph, resolution, nodes: nodes, inputs: inputs(of: nodes, resolution),
      outputs: outputs(of: nodes, resolution))
    return try makeStage(planned, resolution, reads: reads, alone: alone)
  }

  /// The values that nodes read and that neither they nor the graph or its resolution provide.
  private func inputs(of nodes: [Int], _ resolution: Resolution) -> [ValueID] {
    var isProvided = [Bool](repeating: false, count: graph.values.count)
    for (index, value) in graph.values.enumerated()
    where value.constant != nil || resolution.known[index] != nil {
      isProvided[index] = true
    }
    for index in nodes {
      for output in graph.nodes[index].outputs { isProvided[output.index] = true }
    }
    var inputs: [ValueID] = []
    for index in nodes {
      for input in graph.nodes[index].inputs where !isProvided[input.index] {
        isProvided[input.index] = true
        inputs.append(input)
      }
    }
    return inputs
  }

  /// The results of nodes that others read, or the caller.
  private func outputs(of nodes: [Int], _ resolution: Resolution) -> [ValueID] {
    var isRead = [Bool](repeating: false, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() where !resolution.isResolved[index] {
      for input in node.inputs { isRead[input.index] = true }
    }
    for output in graph.outputs { isRead[output.index] = true }
    var outputs: [ValueID] = []
    for index in nodes {
      let output = graph.nodes[index].outputs[0]
      if isRead[output.index], resolution.known[output.index] == nil { outputs.append(output) }
    }
    return outputs
  }

  private func makeStage(
    _ planned: PlannedGraph, _ resolution: Resolution, reads: [(id: ValueID, content: Tensor)],
    alone: [AloneNode]
  ) throws(NNError) -> Stage {
    var bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)] = []
    for id in planned.graph.inputs {
      guard let place = places[id.index] else {
        throw NNError(.invalidGraph, "value \(graph[id].name.quoted) is not there yet")
      }
      bound.append((id, UnsafeMutableRawBufferPointer(mutating: place)))
    }
    var options = options
    for stage in stages { options.memoryLimit -= min(options.memoryLimit, stage.plan?.arenaSize ?? 0) }
    var plan: Plan?
    if !planned.graph.nodes.isEmpty || !planned.graph.states.isEmpty {
      let made = try Plan(planned, bound: bound, options: options)
      for (index, id) in planned.graph.outputs.enumerated() { places[id.index] = made.output(index) }
      plan = made
    }
    carriesStates = planned.graph.states.isEmpty && !graph.states.isEmpty
    return Stage(reads: reads, plan: plan, alone: alone, after: resolution)
  }

  /// Runs what runs alone after a stage's plan; true if some result has other extents or another place than before.
  private func runAlone(_ stage: Stage) throws(NNError) -> Bool {
    var hasChanged = false
    for node in stage.alone {
      var inputs: [TensorBytes] = []
      for id in graph.nodes[node.index].inputs {
        if let content = stage.after.content(id) {
          inputs.append(TensorBytes(content.type, content.bytes))
        } else {
          inputs.append(
            TensorBytes(
              stage.after.types[id.index], places[id.index] ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        }
      }
      do throws(NNError) {
        guard try node.run(inputs) else { continue }
      } catch {
        throw error.within(graph.nodes[node.index].description)
      }
      hasChanged = true
      var types: [TensorType] = []
      for (id, output) in zip(graph.nodes[node.index].outputs, node.outputs) {
        places[id.index] = output.bytes
        types.append(output.type)
      }
      stage.after.settle(node.index, types)
    }
    return hasChanged
  }

  /// Brings each state's new value to where the next run reads it. All are read before any is written.
  private func carryStates() throws(NNError) {
    var contents: [Tensor] = []
    for state in graph.states {
      let (type, bytes) = value(state.output)
      guard type == start.types[state.input.index] else {
        throw NNError(
          .shapeMismatch, "state \(graph[state.input].name.quoted) changes its shape between runs")
      }
      contents.append(try Tensor(copying: bytes, as: type))
    }
    for (state, content) in zip(graph.states, contents) {
      guard let place = places[state.input.index] else { continue }
      UnsafeMutableRawBufferPointer(mutating: place).copyMemory(from: content.bytes)
    }
  }
}
