import NNGraph

extension FileReader {
  func readSelfTests(for graph: Graph) throws(NNError) -> [SelfTest] {
    guard let section = section(.selfTest) else { return [] }
    var reader = try open(section, .selfTest)
    let count = try reader.natural()
    guard count > 0, count <= Format.maximumSelfTestCount else {
      throw reader.corrupt("\(count) vectors; a self-test section has 1 to \(Format.maximumSelfTestCount)")
    }
    try budget.take(count, of: SelfTest.self, for: "\(count) self-test vectors")
    var selfTests: [SelfTest] = []
    for index in 0..<count {
      do throws(NNError) {
        let inputs = try readTensors(&reader, graph, graph.inputs)
        let selfTest = SelfTest(inputs: inputs, outputs: try readTensors(&reader, graph, graph.outputs))
        try selfTest.validate(for: graph)
        selfTests.append(selfTest)
      } catch {
        throw error.within("self-test vector \(index)")
      }
    }
    try reader.finish()
    return selfTests
  }

  private func readTensors(
    _ reader: inout ByteReader, _ graph: Graph, _ ids: [ValueID]
  ) throws(NNError) -> [Tensor] {
    try budget.take(ids.count, of: Tensor.self, for: "self-test tensors")
    var tensors: [Tensor] = []
    tensors.reserveCapacity(ids.count)
    for id in ids {
      let dtype = graph[id].type.dtype
      let extents = try readExtents(&reader)
      let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
      let stored = try reader.take(size)
      try FileReader.checkBooleans(dtype, stored)
      try budget.take(size + 128, for: "a self-test tensor")
      let storage = try TensorStorage.allocate(size: size) { $0.copyMemory(from: stored) }
      tensors.append(try Tensor(dtype: dtype, extents: extents, storage: storage))
    }
    return tensors
  }
}
