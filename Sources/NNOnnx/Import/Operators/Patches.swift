import NNGraph

/// Patches of images.
enum Patches {
  static let operators: [String: Lowering] = ["Col2Im": fold]

  /// x (N, C·∏block, L), image (n), block (n) → (N, C, image…): every patch where it was taken from, summed where they overlap.
  private static func fold(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let (image, block) = (try graph.cast(try node.input(1), .i64), try graph.cast(try node.input(2), .i64))
    let count = try graph.extent(image, 0)
    guard graph.rank(x) == 3, graph.rank(image) == 1, (1...4).contains(count), graph.shape(block) == [count]
    else {
      throw NNError(.shapeMismatch, "takes (N, C·block, L), and extents of at most 4 axes")
    }
    let ones = [Int](repeating: 1, count: count)
    let window = SpatialWindow(
      extent: graph.constant(block)?.integers ?? ones, strides: try node.extents("strides", least: 1) ?? ones,
      dilations: try node.extents("dilations", least: 1) ?? ones, before: [], after: [])
    let pads = try node.extents("pads") ?? [Int](repeating: 0, count: 2 * count)
    guard window.strides.count == count, window.dilations.count == count, pads.count == 2 * count,
      (window.strides + window.dilations + pads).allSatisfy({ $0 <= 1 << 20 })
    else { throw NNError(.invalidGraph, "attributes for other than \(count) axes") }
    if let known = graph.constant(image)?.integers, graph.constant(block) != nil, count <= 2 {
      return [try foldPlane(x, known, window, pads, graph)]
    }
    return [try foldAny(x, image, block, window, pads, graph)]
  }

  /// The operator for one or two axes whose extents are known.
  private static func foldPlane(
    _ x: ValueID, _ image: [Int], _ window: SpatialWindow, _ pads: [Int], _ graph: GraphBuilder
  ) throws -> ValueID {
    var window = window
    (window.before, window.after) = (Array(pads[..<image.count]), Array(pads[image.count...]))
    guard let plane = window.asPlane, let width = image.last else {
      throw NNError(.invalidGraph, "an image without axes")
    }
    let folded = try graph.append(.fold(plane, height: image.count == 1 ? 1 : image[0], width: width), x)
    return image.count == 1 ? try graph.squeeze(folded, [2]) : folded
  }

  /// By the place of each element in the image with its borders.
  private static func foldAny(
    _ x: ValueID, _ image: ValueID, _ block: ValueID, _ window: SpatialWindow, _ pads: [Int],
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let count = window.strides.count
    let (zero, one) = (try graph.scalar(int: 0, .i64), try graph.scalar(int: 1, .i64))
    func whole(_ value: Int) throws -> ValueID { try graph.scalar(int: value, .i64) }
    func element(_ vector: ValueID, _ axis: Int) throws -> ValueID {
      try graph.reshape(try graph.slice(vector, axis: 0, axis, axis + 1), [Int]())
    }
    func line(_ axis: Int, _ length: ValueID, _ step: ValueID) throws -> ValueID {
      let numbers = try graph.multiply(try graph.append(.dynamic(.range), zero, length, one), step)
      var dimensions = [Dimension](repeating: .fixed(1), count: count)
      dimensions[axis] = graph.shape(numbers)[0]
      return try graph.reshape(numbers, Shape(dimensions))
    }
    var (taps, windows, stride): (ValueID?, ValueID?, ValueID) = (nil, nil, one)
    var bordered: [ValueID] = []
    for axis in (0..<count).reversed() {
      let size = try element(block, axis)
      let extent = try graph.add(try element(image, axis), try whole(pads[axis] + pads[axis + count]))
      let reach = try graph.multiply(try graph.subtract(size, one), try whole(window.dilations[axis]))
      let room = try graph.subtract(try graph.subtract(extent, reach), one)
      let places = try graph.add(try graph.divide(room, try whole(window.strides[axis])), one)
      let tap = try line(axis, size, try graph.multiply(stride, try whole(window.dilations[axis])))
      let place = try line(axis, places, try graph.multiply(stride, try whole(window.strides[axis])))
      (taps, windows) = (
        try taps.map { try graph.add($0, tap) } ?? tap, try windows.map { try graph.add($0, place) } ?? place
      )
      stride = try graph.multiply(stride, extent)
      bordered.insert(try graph.reshape(extent, [1]), at: 0)
    }
    guard let taps, let windows else { throw NNError(.invalidGraph, "an image without axes") }
    let column = try graph.unsqueeze(try graph.flat(taps), [1])
    let targets = try graph.flat(try graph.add(column, try graph.flat(windows)))
    // (N·C, elements of all patches), and as columns
    let rows = try graph.reshape(
      x, toShapeIn: try graph.concat([try graph.ints([-1]), try graph.shapeValue(targets, 0..<1)], axis: 0))
    let zeros = try graph.expand(
      try graph.scalar(0, like: x),
      toShapeIn: try graph.concat(
        [try graph.reshape(stride, [1]), try graph.shapeValue(rows, 0..<1)], axis: 0))
    let summed = try graph.append(.scatter(.add, axis: 0), zeros, targets, try graph.transpose(rows, [1, 0]))
    let shape = try graph.concat([try graph.shapeValue(x, 0..<1), try graph.ints([-1])] + bordered, axis: 0)
    let result = try graph.reshape(try graph.transpose(summed, [1, 0]), toShapeIn: shape)
    let start = try graph.ints(Array(pads[..<count]))
    return try graph.slice(result, Array(2..<count + 2), start, try graph.add(start, image))
  }
}
