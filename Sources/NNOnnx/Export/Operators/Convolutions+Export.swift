import NNGraph

extension Window {
  /// The attributes of a window; its extent has another name for each operator.
  var onnxAttributes: [OnnxAttributeProto] {
    [.ints("strides", strides), .ints("pads", paddingBefore + paddingAfter)]
  }

  var onnxDilations: OnnxAttributeProto { .ints("dilations", dilations) }
}

extension Convolutions {
  static func export(_ convolution: Convolution, _ x: [Operand], _ graph: OnnxGraphWriter) throws -> String {
    let window = convolution.window
    let result = graph.add(
      "Conv", x.map { $0.name },
      window.onnxAttributes + [
        window.onnxDilations, .ints("kernel_shape", window.extent), .int("group", convolution.groups),
      ])[0]
    return try Products.activated(result, convolution.activation, graph)
  }

  /// Patches as the results of a convolution with one filter for each tap, which is 1 there and 0 elsewhere.
  static func exportUnfold(_ window: Window, _ x: Operand, _ graph: OnnxGraphWriter) throws -> String {
    guard let channels = x.shape[1].extent else {
      throw NNError(.unsupportedOperator, "the patches of an unknown number of channels")
    }
    let taps = window.extent[0] * window.extent[1]
    let (count, overflow) = (taps * taps).multipliedReportingOverflow(by: channels)
    guard taps <= 1 << 15, !overflow, count <= 1 << 28 else {
      throw NNError(.unsupportedOperator, "patches of \(taps) taps in \(channels) channels")
    }
    var filters = [Float](repeating: 0, count: count)
    for row in 0..<channels * taps { filters[row * taps + row % taps] = 1 }
    let weight = try Tensor(filters, extents: [channels * taps, 1] + window.extent)
    let patches = graph.node(
      "Conv", x.name, graph.constant(weight),
      attributes: window.onnxAttributes + [
        window.onnxDilations, .ints("kernel_shape", window.extent), .int("group", channels),
      ])
    let places = zip(0..<2, x.shape.dimensions[2...]).map { axis, dimension in
      dimension.extent.map { window.outputExtent(axis: axis, of: $0) }
    }
    guard let rows = places[0], let columns = places[1] else {
      return try graph.reshape(patches, [0, 0, -1])
    }
    guard rows * columns > 0 else { throw NNError(.unsupportedOperator, "patches at no place") }
    return try graph.reshape(patches, [0, 0, rows * columns])
  }

  static func exportFold(
    _ window: Window, _ height: Int, _ width: Int, _ x: Operand, _ graph: OnnxGraphWriter
  ) throws -> String {
    graph.node(
      "Col2Im", x.name, try graph.ints([height, width]), try graph.ints(window.extent),
      attributes: window.onnxAttributes + [window.onnxDilations])
  }

  /// A convolution over the batch: x is its image and dy its filters, whose taps lie a stride apart.
  static func exportWeightGradient(
    _ window: Window, _ groups: Int, _ x: Operand, _ dy: Operand, _ graph: OnnxGraphWriter
  ) throws -> String {
    guard !dy.shape.dimensions.contains(.fixed(0)) else {
      throw NNError(.unsupportedOperator, "the gradient of a convolution without results")
    }
    guard let channels = x.shape[1].extent else {
      throw NNError(.unsupportedOperator, "the gradient for an unknown number of channels")
    }
    // (C/groups, groups·N, H, W) and (M, N, oH, oW)
    let apart = graph.node(
      "Reshape", x.name,
      graph.add(
        "Concat",
        [
          graph.extents(x.name, 0..<1), try graph.ints([groups, channels / groups]),
          graph.extents(x.name, 2..<4),
        ], [.int("axis", 0)])[0])
    let turned = graph.transpose(apart, [2, 1, 0, 3, 4])
    let image = graph.node(
      "Reshape", turned,
      graph.add(
        "Concat", [try graph.ints([channels / groups, -1]), graph.extents(x.name, 2..<4)], [.int("axis", 0)])[
          0])
    let filters = graph.transpose(dy.name, [1, 0, 2, 3])
    let sums = graph.node(
      "Conv", image, filters,
      attributes: [
        .ints("strides", window.dilations), .ints("dilations", window.strides),
        .ints("pads", window.paddingBefore + window.paddingAfter), .int("group", groups),
      ])
    // Where the stride leaves elements over, there are more taps than the window has.
    let taps = graph.node(
      "Slice", sums, try graph.ints([0, 0]), try graph.ints(window.extent), try graph.ints([2, 3]))
    return graph.transpose(taps, [1, 0, 2, 3])
  }
}
