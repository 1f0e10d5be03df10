import FuzzSupport
import NNFormat
import NNGraph
import NNRuntime

// Loads every input, and plans and runs what loads. A finding is a trap, an error of AddressSanitizer, a leak, or a hang.

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: size)
  do throws(NNError) {
    try run(try ModelFile.decode(bytes, keptAliveBy: nil, limits: ReadLimits(memory: 32 << 20)))
  } catch {
    // A message must be text that C can take, whatever the input was.
    precondition(!error.message.utf8.contains(0))
  }
  return 0
}

/// Plans and runs what is small enough, for two extents of the free dimensions, with the input 1, 1, 1, … .
private func run(_ file: ModelFile) throws(NNError) {
  let model = try Model(file)
  for free in [1, 3] {
    let extents = model.graph.inputs.map { id in
      model.graph[id].type.shape.dimensions.map { $0.extent ?? free }
    }
    var options = Session.Options(memoryLimit: 32 << 20)
    if isFixed(model.graph) {
      let resolved = try model.graph.resolve(inputExtents: extents)
      guard work(of: model.graph, resolved) < 1 << 20 else { return }
    } else {
      // Nobody knows the work before it is done, so little memory has to do.
      guard hasSmallWindows(model.graph) else { return }
      options = Session.Options(memoryLimit: 1 << 16, iterationLimit: 4)
    }
    let session = try Session(model, options: options)
    for (index, id) in model.graph.inputs.enumerated() {
      let dtype = model.graph[id].type.dtype
      var bytes = [UInt8](repeating: 0, count: extents[index].reduce(dtype.size, *))
      for element in stride(from: 0, to: bytes.count, by: dtype.size) {
        if dtype == .f32 {
          (bytes[element + 2], bytes[element + 3]) = (0x80, 0x3F)
        } else {
          bytes[element] = 1
        }
      }
      if let error = set(session, index, dtype, extents[index], bytes) { throw error }
    }
    try session.run()
    for index in model.graph.outputs.indices { touch(try session.output(index).bytes) }
  }
  if try !model.selfTests().isEmpty { try model.selfTest() }
}

/// Whether no extent depends on a value.
private func isFixed(_ graph: Graph) -> Bool {
  for node in graph.nodes {
    if case .dynamic = node.op { return false }
  }
  return true
}

private func hasSmallWindows(_ graph: Graph) -> Bool {
  for node in graph.nodes {
    switch node.op {
    case .convolution(let convolution) where taps(convolution.window) > 64: return false
    case .pool(let pool) where taps(pool.window) > 64: return false
    case .poolGradient(let pool) where taps(pool.window) > 64: return false
    default: break
    }
  }
  return graph.bodies.allSatisfy(hasSmallWindows)
}

/// Reads every byte, for AddressSanitizer to see.
private func touch(_ bytes: UnsafeRawBufferPointer) {
  var sum: UInt8 = 0
  for byte in bytes { sum &+= byte }
  withExtendedLifetime(sum) {}
}

private func set(
  _ session: Session, _ index: Int, _ dtype: DType, _ extents: [Int], _ bytes: [UInt8]
) -> NNError? {
  extents.withUnsafeBufferPointer { extents in
    bytes.withUnsafeBytes { bytes in
      do throws(NNError) {
        try session.setInput(index, dtype: dtype, extents: extents, bytes: bytes)
        return nil
      } catch {
        return error
      }
    }
  }
}

/// A bound of the element operations of a run, saturating.
private func work(of graph: Graph, _ resolved: ResolvedGraph) -> Int {
  var sum = 0
  func add(_ value: ValueID, times factor: Int = 1) {
    let count = resolved.types[value.index].shape.elementCount ?? .max
    let (product, overflow) = count.multipliedReportingOverflow(by: max(factor, 1))
    sum = overflow ? .max : sum.addingReportingOverflow(product).overflow ? .max : sum + product
  }
  for input in graph.inputs { add(input) }
  for (node, op) in zip(graph.nodes, resolved.ops) {
    for input in node.inputs { add(input) }
    for output in node.outputs {
      switch op {
      case .matmul(let matmul):
        let a = resolved.types[node.inputs[0].index].shape
        add(output, times: a[matmul.transposesA ? a.rank - 2 : a.rank - 1].extent ?? .max)
      case .convolution(let convolution):
        let weight = resolved.types[node.inputs[1].index].shape
        add(output, times: (weight[1].extent ?? 1 << 40) * taps(convolution.window))
      case .pool(let pool), .poolGradient(let pool):
        for input in node.inputs { add(input, times: taps(pool.window)) }
        add(output, times: taps(pool.window))
      case .recurrent, .recurrentGradient:
        let weight = resolved.types[node.inputs[1].index].shape
        for input in node.inputs { add(input, times: weight[1].extent ?? .max) }
        add(output, times: weight[1].extent ?? .max)
      case .normalizeTraining, .convolutionWeightGradient, .unfold, .fold, .unary, .binary, .compare, .select,
        .reduce, .argument, .normalize, .softmax,
        .reshape,
        .transpose, .expand, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random:
        add(output)
      }
    }
  }
  return sum
}

private func taps(_ window: Window) -> Int { min(window.extent[0], 1 << 10) * min(window.extent[1], 1 << 10) }

@c(FuzzSession_main)
public func main(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  runFuzzer(count, arguments, testOneInput)
}
