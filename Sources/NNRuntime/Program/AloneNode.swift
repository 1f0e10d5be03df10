import CPlatform
import NNGraph
import NNKernels

/// The type and the row-major bytes of a value while a program runs.
struct TensorBytes {
  let type: TensorType
  let bytes: UnsafeRawBufferPointer

  init(_ type: TensorType, _ bytes: UnsafeRawBufferPointer) {
    self.type = type
    self.bytes = bytes
  }

  var extents: [Int] { type.shape.extents ?? [] }
  var count: Int { type.shape.elementCount ?? 0 }
  var floats: UnsafeBufferPointer<Float> { bytes.assumingMemoryBound(to: Float.self) }

  /// The one element of an i64 tensor.
  var integer: Int64 { bytes.count >= 8 ? bytes.loadUnaligned(as: Int64.self) : 0 }
  /// The one element of an f32 tensor.
  var float: Float { bytes.count >= 4 ? bytes.loadUnaligned(as: Float.self) : 0 }
  /// The one element of a bool tensor.
  var flag: Bool { bytes.count >= 1 && bytes[0] != 0 }
}

/// A result whose size is known only when it is computed.
struct AloneResult {
  private(set) var type: TensorType
  private var memory: AlignedMemory?

  init(_ type: TensorType) { self.type = type }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory?.base, count: (type.shape.elementCount ?? 0) * type.dtype.size)
  }

  /// Makes room for a result of these extents, whose contents are undefined; true if extents or place are other than before.
  mutating func take(_ dtype: DType, _ extents: [Int]) throws(NNError) -> Bool {
    let shape = Shape(extents)
    try shape.validate()
    let size = (shape.elementCount ?? 0) * dtype.size
    var hasMoved = false
    if memory == nil || size > memory!.size {
      memory = try AlignedMemory(size: size, purpose: "a result whose size depends on values")
      hasMoved = true
    }
    let new = TensorType(dtype, shape)
    let hasChanged = hasMoved || new != type
    type = new
    return hasChanged
  }

  var destination: UnsafeMutableRawPointer { memory!.base }
}

/// A node that runs by itself between two plans, see ``Dynamic/runsAlone``.
final class AloneNode {
  /// Of the node in its graph.
  let index: Int
  private let dynamic: Dynamic
  private(set) var outputs: [AloneResult] = []
  private var bodies: [BodyPrograms] = []
  private let options: Plan.Options

  init(_ index: Int, _ dynamic: Dynamic, _ graph: Graph, _ options: Plan.Options) {
    self.index = index
    self.dynamic = dynamic
    self.options = options
    for output in graph.nodes[index].outputs { outputs.append(AloneResult(graph[output].type)) }
    switch dynamic {
    case .branch(let then, let otherwise):
      bodies = [BodyPrograms(graph.bodies[then], options), BodyPrograms(graph.bodies[otherwise], options)]
    case .loop(let body, _): bodies = [BodyPrograms(graph.bodies[body], options)]
    case .shape, .reshape, .expand, .slice, .pad, .range, .nonZero, .unique, .nonMaxSuppression: break
    }
  }

  /// Computes the results; true if one has other extents or another place than after the run before.
  func run(_ inputs: [TensorBytes]) throws(NNError) -> Bool {
    switch dynamic {
    case .nonZero: return try runNonZero(inputs[0])
    case .unique(let axis, let sorts): return try runUnique(inputs[0], axis: axis, sorts: sorts)
    case .nonMaxSuppression(let isCentered): return try runSuppression(inputs, isCentered: isCentered)
    case .branch: return try runBranch(inputs)
    case .loop(_, let carried): return try runLoop(inputs, carried: carried)
    case .shape, .reshape, .expand, .slice, .pad, .range:
      throw NNError(.unsupportedOperator, "does not run alone")
    }
  }

  /// Makes room for result `index`, notes whether that changed anything, and gives its address.
  func take(
    _ index: Int, _ dtype: DType, _ extents: [Int], _ hasChanged: inout Bool
  ) throws(NNError) -> UnsafeMutableRawPointer {
    if try outputs[index].take(dtype, extents) { hasChanged = true }
    return outputs[index].destination
  }

  // Control flow

  private func runBranch(_ inputs: [TensorBytes]) throws(NNError) -> Bool {
    let captures = Array(inputs.dropFirst())
    let program = try bodies[inputs[0].flag ? 0 : 1].program(for: captures)
    for (position, capture) in captures.enumerated() { program.set(position, capture.bytes) }
    try program.run()
    var hasChanged = false
    for position in outputs.indices {
      let (type, bytes) = program.output(position)
      let target = try take(position, type.dtype, type.shape.extents ?? [], &hasChanged)
      if let source = bytes.baseAddress { memcpy(target, source, bytes.count) }
    }
    return hasChanged
  }

  private func runLoop(_ inputs: [TensorBytes], carried: Int) throws(NNError) -> Bool {
    var loop = try LoopRun(
      inputs, carried: carried, scanned: outputs.count - carried, memoryLimit: options.memoryLimit)
    while loop.goesOn {
      guard loop.iteration < options.iterationLimit else {
        throw NNError(.limitExceeded, "runs on after \(loop.iteration) iterations, which are the limit")
      }
      try loop.step(bodies[0])
    }
    var hasChanged = false
    for (position, value) in loop.carried.enumerated() {
      let target = try take(position, value.dtype, value.extents, &hasChanged)
      if let source = value.bytes.baseAddress { memcpy(target, source, value.bytes.count) }
    }
    for (position, scan) in loop.scans.enumerated() {
      let type = bodies[0].outputType(1 + carried + position)
      let element = scan.extents ?? type.shape.dimensions.map { $0.extent ?? 0 }
      let target = try take(carried + position, type.dtype, [loop.iteration] + element, &hasChanged)
      if let source = scan.bytes.baseAddress { memcpy(target, source, scan.bytes.count) }
    }
    return hasChanged
  }
}
