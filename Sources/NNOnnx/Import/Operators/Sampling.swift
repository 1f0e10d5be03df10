import NNGraph

/// Elements of images at places that lie between them.
enum Sampling {
  static let operators: [String: Lowering] = [
    "GridSample": gridSample, "AffineGrid": affineGrid, "RoiAlign": roiAlign,
    "DeformConv": deformableConvolution,
  ]

  private enum Border {
    case zeros, clamped
    /// Mirrored at the centres of the outer elements, or at their edges.
    case reflected(atCentres: Bool)
  }

  /// Weights of the neighbours of a place along one axis, and the neighbours.
  private struct Tap {
    let index: ValueID
    let weight: ValueID?
  }

  private static func gridSample(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, grid) = (try node.input(0), try node.input(1))
    let rank = graph.rank(x)
    guard rank >= 3, graph.rank(grid) == rank, graph.shape(grid)[rank - 1].mayEqual(.fixed(rank - 2)),
      graph.shape(grid)[0].mayEqual(graph.shape(x)[0])
    else {
      throw NNError(
        .shapeMismatch, "input \(graph.shape(x).description), grid \(graph.shape(grid).description)")
    }
    let spatial = try (2..<rank).map { try graph.extent(x, $0) }
    let isAligned = try node.flag("align_corners")
    let border: Border
    switch try node.string("padding_mode", default: "zeros") {
    case "zeros": border = .zeros
    case "border": border = .clamped
    case "reflection": border = .reflected(atCentres: isAligned)
    case let mode: throw NNError(.invalidGraph, Message(text: "padding_mode \"\(mode)\""))
    }
    let mode = try node.string("mode", default: "linear")
    let places = Array(graph.shape(grid).dimensions[1..<rank - 1])
    let count = Shape(places).extents.flatMap { Shape($0).elementCount }
    let flat = try graph.reshape(
      try graph.cast(grid, .f32),
      [graph.shape(x)[0], count.map { .fixed($0) } ?? .unknown, .fixed(rank - 2)],
      extentsOf: [(0, 1), (nil, count ?? -1), (nil, rank - 2)])
    var taps: [[Tap]] = []
    for (axis, extent) in spatial.enumerated() {
      // The grid names the last axis first.
      let column = spatial.count - 1 - axis
      let normal = try graph.squeeze(try graph.slice(flat, axis: 2, column, column + 1), [2])
      let shifted = try graph.add(normal, 1)
      var place =
        isAligned
        ? try graph.multiply(shifted, Double(extent - 1) / 2)
        : try graph.multiply(try graph.add(try graph.multiply(shifted, Double(extent)), -1), 0.5)
      if mode == "nearest" { place = try graph.unary(.round, place) }
      place = try bounded(place, extent, border, graph)
      taps.append(try neighbours(of: place, mode, extent, border, graph))
    }
    let sampled = try sample(x, taps, graph)
    let shape = Shape(graph.shape(x).dimensions[..<2] + places)
    if shape.dimensions.count(where: { $0 == .unknown }) <= 1 { return [try graph.reshape(sampled, shape)] }
    let extents = [try graph.shapeValue(sampled, 0..<2), try graph.shapeValue(grid, 1..<rank - 1)]
    let result = try graph.reshape(sampled, toShapeIn: try graph.concat(extents, axis: 0))
    graph.graph[result].type.shape = shape
    return [result]
  }

  /// A place that lies outside moved inside, where the border says so.
  private static func bounded(_ place: ValueID, _ extent: Int, _ border: Border, _ graph: GraphBuilder) throws
    -> ValueID
  {
    switch border {
    case .zeros: return place
    case .clamped: return try graph.unary(.clip, place, alpha: 0, beta: Float(extent - 1))
    case .reflected(let atCentres):
      let (low, high) = atCentres ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
      let span = high - low
      guard span > 0 else { return try graph.multiply(place, 0) }
      let distance = try graph.unary(.absolute, try graph.add(place, -low))
      let turns = try graph.unary(.floor, try graph.multiply(distance, 1 / (2 * span)))
      let phase = try graph.subtract(distance, try graph.multiply(turns, 2 * span))
      let mirrored = try graph.subtract(try graph.scalar(2 * span, .f32), phase)
      return try graph.add(try graph.binary(.minimum, phase, mirrored), low)
    }
  }

  private static func neighbours(
    of place: ValueID, _ mode: String, _ extent: Int, _ border: Border, _ graph: GraphBuilder
  ) throws -> [Tap] {
    func tap(_ index: ValueID, _ weight: ValueID?) throws -> Tap {
      var weight = weight
      if case .zeros = border {
        let isBefore = try graph.compare(.less, index, try graph.scalar(0, .f32))
        let isAfter = try graph.compare(.greater, index, try graph.scalar(Double(extent - 1), .f32))
        let given = try weight ?? graph.scalar(1, .f32)
        let zero = try graph.scalar(0, .f32)
        weight = try graph.select(isBefore, zero, try graph.select(isAfter, zero, given))
      }
      let inside = try bounded(index, extent, border, graph)
      return Tap(
        index: try Resampling.clamped(try graph.unary(.round, inside), extent, graph), weight: weight)
    }
    if mode == "nearest" { return [try tap(place, nil)] }
    let base = try graph.unary(.floor, place)
    let fraction = try graph.subtract(place, base)
    switch mode {
    case "linear", "bilinear":
      let rest = try graph.subtract(try graph.scalar(1, .f32), fraction)
      return [try tap(base, rest), try tap(try graph.add(base, 1), fraction)]
    case "cubic", "bicubic":
      return try (-1...2).map { offset in
        let distance = try graph.unary(
          .absolute, try graph.subtract(try graph.scalar(Double(offset), .f32), fraction))
        return try tap(try graph.add(base, Double(offset)), try Resampling.cubic(distance, -0.75, graph))
      }
    default: throw NNError(.invalidGraph, Message(text: "mode \"\(mode)\""))
    }
  }

  /// x (N, C, …) at P places for each n, given by taps for each spatial axis as (N, P) → (N, C, P).
  private static func sample(_ x: ValueID, _ taps: [[Tap]], _ graph: GraphBuilder) throws -> ValueID {
    let spatial = try (2..<graph.rank(x)).map { try graph.extent(x, $0) }
    let area = spatial.reduce(1, *)
    let type = graph.dtype(x)
    let lines = try graph.transpose(x, [0] + Array(2..<graph.rank(x)) + [1])
    let count = try graph.shape(x)[0].extent.map { Dimension.fixed(try GraphBuilder.product($0, area)) }
    let rows = try graph.reshape(lines, Shape([count ?? .unknown, .fixed(try graph.extent(x, 1))]))
    var corners: [(index: ValueID, weight: ValueID?)] = [
      (
        try graph.multiply(
          try graph.places(of: x, axis: 0, rank: 2), try graph.scalar(int: area, .i64)), nil
      )
    ]
    var stride = area
    for (axis, choices) in taps.enumerated() {
      stride /= max(spatial[axis], 1)
      corners = try corners.flatMap { corner in
        try choices.map { tap in
          let step = try graph.multiply(tap.index, try graph.scalar(int: stride, .i64))
          let weight = try corner.weight.flatMap { known in
            try tap.weight.map { try graph.multiply(known, $0) } ?? known
          }
          return (try graph.add(corner.index, step), weight ?? tap.weight)
        }
      }
    }
    var sum: ValueID?
    for corner in corners {
      var part = try graph.gather(rows, corner.index, axis: 0)
      if let weight = corner.weight {
        part = try graph.multiply(part, try graph.cast(try graph.unsqueeze(weight, [2]), type))
      }
      sum = try sum.map { try graph.add($0, part) } ?? part
    }
    guard let sum else { throw NNError(.shapeMismatch, "there are no places to sample") }
    return try graph.transpose(sum, [0, 2, 1])
  }

  /// theta (N, n, n + 1), size (N, C, …) → places (N, …, n), from −1 to 1 over each axis.
  private static func affineGrid(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let theta = try node.input(0)
    let size = try graph.cast(try node.input(1), .i64)
    let count = try graph.extent(size, 0) - 2
    guard count == 2 || count == 3, graph.rank(theta) == 3 else {
      throw NNError(.shapeMismatch, "size must be (N, C, …)")
    }
    let isAligned = try node.flag("align_corners")
    let (zero, one) = (try graph.scalar(int: 0, .i64), try graph.scalar(int: 1, .i64))
    let spatial = try graph.slice(size, axis: 0, 2, count + 2)
    var columns: [ValueID] = []
    for axis in (0..<count).reversed() {
      let extent = try graph.reshape(try graph.slice(spatial, axis: 0, axis, axis + 1), [Int]())
      let steps = try graph.cast(try graph.append(.dynamic(.range), zero, extent, one), .f32)
      let length = try graph.cast(extent, .f32)
      let spans =
        isAligned ? try graph.binary(.maximum, try graph.add(length, -1), try graph.scalar(1, .f32)) : length
      let place = isAligned ? steps : try graph.add(steps, 0.5)
      let line = try graph.add(try graph.divide(place, try graph.multiply(spans, 0.5)), -1)
      var dimensions = [Dimension](repeating: .fixed(1), count: count)
      dimensions[axis] = graph.shape(line)[0]
      let spread = try graph.expand(try graph.reshape(line, Shape(dimensions)), toShapeIn: spatial)
      columns.append(try graph.reshape(spread, Shape([.unknown, .fixed(1)])))
    }
    let ones = try graph.expand(try graph.scalar(1, .f32), toShapeIn: spatial)
    columns.append(try graph.reshape(ones, Shape([.unknown, .fixed(1)])))
    let base = try graph.cast(try graph.concat(columns, axis: 1), graph.dtype(theta))
    let grid = try graph.matmul(base, try graph.transpose(theta, [0, 2, 1]))
    let shape = try graph.concat(
      [try graph.slice(size, axis: 0, 0, 1), spatial, try graph.ints([count])], axis: 0)
    guard let known = graph.constant(shape)?.integers else {
      return [try graph.reshape(grid, toShapeIn: shape)]
    }
    return [try graph.reshape(grid, known)]
  }

  /// The mean, or the largest, of samples inside each bin of each box. He et al. 2017.
  private static func roiAlign(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, boxes) = (try node.input(0), try node.input(1))
    let batches = try graph.cast(try node.input(2), .i64)
    let extents = try graph.extents(x)
    guard extents.count == 4, graph.rank(boxes) == 2, graph.rank(batches) == 1 else {
      throw NNError(.shapeMismatch, "takes images and boxes")
    }
    let samples = try node.int("sampling_ratio", default: 0)
    guard samples >= 1, samples <= 64 else {
      throw NNError(.unsupportedOperator, "a number of samples that depends on the box")
    }
    let bins = [try node.int("output_height", default: 1), try node.int("output_width", default: 1)]
    guard bins.allSatisfy({ $0 >= 1 && $0 <= 4096 }) else {
      throw NNError(.invalidGraph, "\(bins[0]) by \(bins[1]) bins")
    }
    let mode = try node.string(
      "coordinate_transformation_mode", default: node.version < 16 ? "output_half_pixel" : "half_pixel")
    let offset = mode == "half_pixel" ? 0.5 : 0
    let scale = Double(try node.float("spatial_scale", default: 1))
    func edge(_ column: Int) throws -> ValueID {
      let value = try graph.slice(boxes, axis: 1, column, column + 1)
      return try graph.add(try graph.multiply(value, scale), -offset)
    }
    // Places along one axis, (R, bins·samples), and the taps of each.
    func places(_ axis: Int) throws -> (ValueID, ValueID, ValueID, ValueID) {
      let (start, end) = (try edge(axis == 0 ? 1 : 0), try edge(axis == 0 ? 3 : 2))
      var length = try graph.subtract(end, start)
      if offset == 0 { length = try graph.binary(.maximum, length, try graph.scalar(1, .f32)) }
      let count = bins[axis] * samples
      let steps = try graph.add(try graph.cast(try graph.positions(count, axis: 1, rank: 2), .f32), 0.5)
      let size = try graph.multiply(length, 1 / Double(count))
      let place = try graph.add(start, try graph.multiply(size, steps))
      let extent = extents[axis + 2]
      let zero = try graph.scalar(0, .f32)
      let isOut = try graph.select(
        try graph.compare(.less, place, try graph.scalar(-1, .f32)), try graph.scalar(int: 1, .bool),
        try graph.compare(.greater, place, try graph.scalar(Double(extent), .f32)))
      let inside = try graph.unary(.clip, place, alpha: 0, beta: Float(extent - 1))
      let low = try graph.unary(.floor, inside)
      let fraction = try graph.subtract(inside, low)
      let rest = try graph.select(isOut, zero, try graph.subtract(try graph.scalar(1, .f32), fraction))
      let high = try Resampling.clamped(try graph.add(low, 1), extent, graph)
      return (try graph.cast(low, .i64), high, rest, try graph.select(isOut, zero, fraction))
    }
    let (y0, y1, wy0, wy1) = try places(0)
    let (x0, x1, wx0, wx1) = try places(1)
    let rows = try graph.reshape(
      try graph.transpose(x, [0, 2, 3, 1]), [extents[0] * extents[2] * extents[3], extents[1]])
    let base = try graph.reshape(
      try graph.multiply(batches, try graph.scalar(int: extents[2] * extents[3], .i64)),
      Shape([graph.shape(batches)[0], .fixed(1), .fixed(1)]))
    var corners: [ValueID] = []
    for (y, wy) in [(y0, wy0), (y1, wy1)] {
      for (x, wx) in [(x0, wx0), (x1, wx1)] {
        let line = try graph.multiply(try graph.unsqueeze(y, [2]), try graph.scalar(int: extents[3], .i64))
        let index = try graph.add(try graph.add(base, line), try graph.unsqueeze(x, [1]))
        let weight = try graph.multiply(try graph.unsqueeze(wy, [2]), try graph.unsqueeze(wx, [1]))
        corners.append(
          try graph.multiply(try graph.gather(rows, index, axis: 0), try graph.unsqueeze(weight, [3])))
      }
    }
    let isMaximum = try node.string("mode", default: "avg") == "max"
    let joined = try corners.dropFirst().reduce(corners[0]) {
      try isMaximum ? graph.binary(.maximum, $0, $1) : graph.add($0, $1)
    }
    // (R, bins, samples, bins, samples, C)
    let apart = try graph.reshape(
      joined,
      Shape([graph.shape(boxes)[0]] + [bins[0], samples, bins[1], samples, extents[1]].map { .fixed($0) }))
    let folded = try graph.reduce(isMaximum ? .maximum : .mean, apart, [2, 4], keeps: false)
    return [try graph.transpose(folded, [0, 3, 1, 2])]
  }

  /// A convolution whose taps are moved by offsets. Dai et al. 2017, Zhu et al. 2019.
  private static func deformableConvolution(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, weight, offsets) = (try node.input(0), try node.input(1), try node.input(2))
    let (extents, kernel) = (try graph.extents(x), try graph.extents(weight))
    let shifts = try graph.extents(offsets)
    guard extents.count == 4, kernel.count == 4, shifts.count == 4 else {
      throw NNError(.unsupportedOperator, "other than two spatial axes")
    }
    let groups = try node.int("group", default: 1)
    let offsetGroups = try node.int("offset_group", default: 1)
    let window = try SpatialWindow(node, kernel: Array(kernel[2...]), Array(graph.shape(x).dimensions[2...]))
    let taps = kernel[2] * kernel[3]
    guard (1...1 << 16).contains(groups), (1...1 << 16).contains(offsetGroups), extents[1] % groups == 0,
      extents[1] % offsetGroups == 0,
      shifts[1] == 2 * offsetGroups * taps, kernel[0] % groups == 0, kernel[1] * groups == extents[1]
    else { throw NNError(.shapeMismatch, "groups, offsets and weight do not fit") }
    let (height, width) = (shifts[2], shifts[3])
    let places = taps * height * width
    // (N, offset groups, taps, 2, oH, oW)
    let moved = try graph.reshape(offsets, [extents[0], offsetGroups, taps, 2, height, width])
    func grid(_ axis: Int) throws -> ValueID {
      let count = axis == 0 ? height : width
      let steps = try graph.cast(try graph.positions(count, axis: axis + 1, rank: 3), .f32)
      let tapExtents = axis == 0 ? [kernel[2], 1] : [1, kernel[3]]
      let line = try graph.cast(try graph.positions(kernel[axis + 2], axis: axis, rank: 2), .f32)
      let tap = try graph.reshape(
        try graph.expand(try graph.reshape(line, tapExtents), [kernel[2], kernel[3]]), [taps, 1, 1])
      let start = try graph.add(
        try graph.multiply(steps, Double(window.strides[axis])), -Double(window.before[axis]))
      return try graph.add(start, try graph.multiply(tap, Double(window.dilations[axis])))
    }
    let bases = [try grid(0), try grid(1)]
    var parts: [ValueID] = []
    let perGroup = extents[1] / offsetGroups
    for group in 0..<offsetGroups {
      let own = try graph.squeeze(try graph.slice(moved, axis: 1, group, group + 1), [1])
      let tapsOfAxes = try (0..<2).map { axis -> [Tap] in
        let shift = try graph.squeeze(try graph.slice(own, axis: 2, axis, axis + 1), [2])
        let place = try graph.reshape(try graph.add(shift, bases[axis]), [extents[0], places])
        return try neighbours(of: place, "linear", extents[axis + 2], .zeros, graph)
      }
      let channels = try graph.slice(x, axis: 1, group * perGroup, (group + 1) * perGroup)
      var sampled = try sample(channels, tapsOfAxes, graph)
      if let mask = try node.optional(4) {
        let all = try graph.reshape(mask, [extents[0], offsetGroups, 1, places])
        sampled = try graph.multiply(
          sampled, try graph.squeeze(try graph.slice(all, axis: 1, group, group + 1), [1]))
      }
      parts.append(sampled)
    }
    // (N, groups, C/groups·taps, oH·oW)
    let columns = try graph.reshape(
      try graph.concat(parts, axis: 1), [extents[0], groups, kernel[1] * taps, height * width])
    let filters = try graph.reshape(weight, [groups, kernel[0] / groups, kernel[1] * taps])
    var result = try graph.reshape(
      try graph.matmul(filters, columns), [extents[0], kernel[0], height, width])
    if let bias = try node.optional(3) {
      result = try graph.add(result, try graph.reshape(bias, [kernel[0], 1, 1]))
    }
    return [result]
  }
}
