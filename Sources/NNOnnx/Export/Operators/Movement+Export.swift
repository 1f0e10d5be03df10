import NNGraph

extension Movement {
  /// 0 keeps an extent, −1 follows from the others; what is neither is read from the inputs when the model runs.
  static func exportReshape(_ x: Operand, _ target: Shape, _ node: Node, _ exporter: GraphExporter) throws
    -> String
  {
    let graph = exporter.writer
    // What inference knows of the result is certain, and may be more than the operator says.
    let known = exporter.graph[node.outputs[0]].type.shape
    var dimensions = target.dimensions
    for axis in dimensions.indices where dimensions[axis] == .unknown && axis < known.rank {
      dimensions[axis] = known[axis]
    }
    let hasZero = dimensions.contains(.fixed(0))
    var numbers: [Int] = []
    for (axis, dimension) in dimensions.enumerated() {
      if let extent = dimension.extent {
        numbers.append(extent)
      } else if case .named = dimension, axis < x.rank, x.shape[axis] == dimension, !hasZero {
        numbers.append(0)
      } else {
        numbers.append(-1)
      }
    }
    let isPlain = numbers.count { $0 == -1 } <= (hasZero ? 0 : 1)
    let shape = isPlain ? try graph.ints(numbers) : try exporter.shapeValue(Shape(dimensions))
    return try graph.moving(.rearranging, [x]) {
      graph.node("Reshape", $0[0], shape, attributes: hasZero ? [.int("allowzero", 1)] : [])
    }
  }

  /// The standard's operator broadcasts: where x has the extent already, 1 will do.
  static func exportExpand(_ x: Operand, _ target: Shape, _ exporter: GraphExporter) throws -> String {
    var shape = target
    for axis in target.dimensions.indices where target[axis].extent == nil {
      let own = axis - (target.rank - x.rank)
      if own >= 0, x.shape[own] == target[axis] { shape[axis] = .fixed(1) }
    }
    let extents = try exporter.shapeValue(shape)
    return try exporter.writer.moving(.expanding, [x]) { exporter.writer.node("Expand", $0[0], extents) }
  }

  static func exportSlice(_ x: Operand, _ ranges: [SliceRange], _ graph: OnnxGraphWriter) throws -> String {
    let axes = ranges.indices.filter { ranges[$0] != .all }
    let parameters = [
      try graph.ints(axes.map { ranges[$0].start }), try graph.ints(axes.map { ranges[$0].end }),
      try graph.ints(axes), try graph.ints(axes.map { ranges[$0].step }),
    ]
    return try graph.moving(.rearranging, [x]) {
      axes.isEmpty ? graph.node("Identity", $0[0]) : graph.add("Slice", [$0[0]] + parameters)[0]
    }
  }

  static func exportPad(_ x: [Operand], _ pad: Pad, _ graph: OnnxGraphWriter) throws -> String {
    let amounts = try graph.ints(pad.before + pad.after)
    let value = try border(x, pad.value, graph)
    return try graph.moving(.padding, [x[0], value]) { graph.node("Pad", $0[0], amounts, $0[1]) }
  }

  /// x, amounts for some axes
  static func exportPad(_ x: [Operand], axes: [Int], _ value: Float, _ graph: OnnxGraphWriter) throws
    -> String
  {
    let axes = try graph.ints(axes)
    let value = try border([x[0]], value, graph)
    return try graph.moving(.padding, [x[0], value]) { graph.node("Pad", $0[0], x[1].name, $0[1], axes) }
  }

  /// What stands around a tensor: its second operand, or a number.
  private static func border(_ x: [Operand], _ value: Float, _ graph: OnnxGraphWriter) throws -> Operand {
    if x.count > 1 {
      return x[1].rank == 0 ? x[1] : Operand(try graph.single(x[1]), TensorType(x[1].dtype, []))
    }
    let constant = try Tensor([value], extents: []).cast(to: x[0].dtype)
    return Operand(graph.constant(constant), constant.type, constant: constant)
  }
}
