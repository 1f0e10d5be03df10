import NNGraph

extension OnnxModel {
  /// Bytes of the file and of the tensors that it keeps in others.
  public var size: Int { proto.graph.externalBytes.saturatingSum(with: fileSize) }

  /// Nodes of the main graph and of the bodies inside it, as written.
  public var nodeCount: Int { proto.graph.nodeCount }
}

extension OnnxGraphProto {
  fileprivate var bodies: [OnnxGraphProto] {
    node.flatMap { $0.attribute.flatMap { $0.graphs + ($0.hasG ? [$0.g] : []) } }
  }

  fileprivate var nodeCount: Int { bodies.reduce(node.count) { $0 + $1.nodeCount } }

  fileprivate var externalBytes: Int {
    let constants = node.flatMap { $0.attribute.compactMap { $0.hasT ? $0.t : nil } }
    let own = (initializer + constants).reduce(0) { $0.saturatingSum(with: $1.externalBytes) }
    return bodies.reduce(own) { $0.saturatingSum(with: $1.externalBytes) }
  }
}

extension OnnxTensorProto {
  /// Bytes in another file: as many as are declared, or else as type and shape ask for.
  fileprivate var externalBytes: Int {
    guard dataLocation == 1 else { return 0 }
    if let length = externalData.first(where: { $0.key == "length" }) {
      return max(Int(length.value) ?? 0, 0)
    }
    guard let dtype = ElementType.dtype(Int(dataType)), let extents = try? checkedExtents() else { return 0 }
    return (try? Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)) ?? 0
  }
}

extension Int {
  fileprivate func saturatingSum(with other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
