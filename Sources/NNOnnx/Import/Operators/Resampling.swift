import NNGraph

/// Images of other sizes, and images sampled at given places.
///
/// Everything about the places is computed in the graph, and becomes a constant where the sizes are known.
enum Resampling {
  static let operators: [String: Lowering] = ["Resize": resize, "Upsample": upsample]

  private struct Settings {
    var mode: String
    var transformation = "half_pixel"
    var nearest = "round_prefer_floor"
    var cubic: Double = -0.75
    var excludesOutside = false
    var antialiases = false
    var extrapolation: Double = 0
  }

  /// What decides about one axis: all scalars, f32 but `output`, which is i64.
  private struct AxisPlan {
    /// The axis of x.
    var extent: ValueID
    var output: ValueID
    var scale: ValueID
    /// The part of the axis that is shown, for tf_crop_and_resize.
    var start: ValueID?
    var end: ValueID?
  }

  private static func resize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    var settings = Settings(mode: try node.string("mode", default: "nearest"))
    settings.transformation = try node.string(
      "coordinate_transformation_mode", default: node.version < 11 ? "asymmetric" : "half_pixel")
    settings.nearest = try node.string(
      "nearest_mode", default: node.version < 11 ? "floor" : "round_prefer_floor")
    settings.cubic = Double(try node.float("cubic_coeff_a", default: -0.75))
    settings.excludesOutside = try node.flag("exclude_outside")
    settings.antialiases = try node.flag("antialias")
    settings.extrapolation = Double(try node.float("extrapolation_value", default: 0))
    let axes = try (node.ints("axes") ?? Array(0..<graph.rank(x))).map {
      try OnnxNode.axis($0, rank: graph.rank(x))
    }
    let isOld = node.version < 11
    let roi = isOld ? nil : try nonEmpty(node, 1, graph)
    let scales = try nonEmpty(node, isOld ? 1 : 2, graph)
    let sizes = isOld ? nil : try nonEmpty(node, 3, graph)
    let plans = try plans(x, axes, scales: scales, sizes: sizes, roi, node, graph)
    return [try resampled(x, axes, plans, settings, graph)]
  }

  private static func upsample(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    var settings = Settings(mode: try node.string("mode", default: "nearest"))
    settings.transformation = "asymmetric"
    settings.nearest = "floor"
    let axes = Array(0..<graph.rank(x))
    let scales =
      node.version >= 9
      ? try node.input(1) : try node.floats("scales").map { try graph.floats($0, extents: [$0.count]) }
    let plans = try plans(x, axes, scales: scales, sizes: nil, nil, node, graph)
    return [try resampled(x, axes, plans, settings, graph)]
  }

  private static func nonEmpty(_ node: OnnxNode, _ index: Int, _ graph: GraphBuilder) throws -> ValueID? {
    guard let value = try node.optional(index), graph.shape(value) != [0] else { return nil }
    return value
  }

  private static func element(_ vector: ValueID, _ index: Int, _ graph: GraphBuilder) throws -> ValueID {
    try graph.reshape(try graph.slice(vector, axis: 0, index, index + 1), [Int]())
  }

  private static func plans(
    _ x: ValueID, _ axes: [Int], scales: ValueID?, sizes: ValueID?, _ roi: ValueID?, _ node: OnnxNode,
    _ graph: GraphBuilder
  ) throws -> [AxisPlan] {
    let policy = try node.string("keep_aspect_ratio_policy", default: "stretch")
    var common: ValueID?
    var plans: [AxisPlan] = []
    let fractions = try axes.indices.map { index -> ValueID? in
      guard let sizes else { return nil }
      let extent = try graph.cast(try graph.extentValue(x, axes[index]), .f32)
      return try graph.divide(try graph.cast(try element(sizes, index, graph), .f32), extent)
    }
    if policy != "stretch" {
      for case let fraction? in fractions {
        let function: BinaryFunction = policy == "not_larger" ? .minimum : .maximum
        common = try common.map { try graph.binary(function, $0, fraction) } ?? fraction
      }
    }
    for (index, axis) in axes.enumerated() {
      let extent = try graph.cast(try graph.extentValue(x, axis), .f32)
      var plan: AxisPlan
      if let fraction = fractions[index], let sizes {
        let scale = common ?? fraction
        let whole =
          try common.map {
            try graph.cast(
              try graph.unary(.floor, try graph.add(try graph.multiply($0, extent), 0.5)), .i64)
          }
          ?? graph.cast(try element(sizes, index, graph), .i64)
        plan = AxisPlan(extent: extent, output: whole, scale: scale)
      } else if let scales {
        let scale = try graph.cast(try element(scales, index, graph), .f32)
        let whole = try graph.unary(.floor, try graph.multiply(scale, extent))
        plan = AxisPlan(extent: extent, output: try graph.cast(whole, .i64), scale: scale)
      } else {
        throw NNError(.invalidGraph, "has neither scales nor sizes")
      }
      if let roi {
        plan.start = try graph.cast(try element(roi, index, graph), .f32)
        plan.end = try graph.cast(try element(roi, index + axes.count, graph), .f32)
      }
      plans.append(plan)
    }
    return plans
  }

  private static func resampled(
    _ x: ValueID, _ axes: [Int], _ plans: [AxisPlan], _ settings: Settings, _ graph: GraphBuilder
  ) throws -> ValueID {
    let type = graph.dtype(x)
    let isNearest = settings.mode == "nearest"
    // Interpolation is in f32 or wider; the nearest element keeps its type.
    var result = isNearest || type == .f64 ? x : try graph.cast(x, .f32)
    for (axis, plan) in zip(axes, plans) {
      if let scale = graph.constant(plan.scale)?.floats?.first, scale == 1, plan.start == nil { continue }
      result = try resampled(result, axis, plan, settings, graph)
    }
    if result == x { return try graph.unary(.identity, x) }
    return try graph.cast(isNearest ? result : try narrowed(result, type, graph), type)
  }

  /// What is cast to an integer type is rounded to within its range before.
  private static func narrowed(_ x: ValueID, _ type: DType, _ graph: GraphBuilder) throws -> ValueID {
    switch type {
    case .u8: return try graph.unary(.clip, try graph.unary(.round, x), alpha: 0, beta: 255)
    case .i8: return try graph.unary(.clip, try graph.unary(.round, x), alpha: -128, beta: 127)
    default: return x
    }
  }

  /// The place in x of each element of the result along one axis, f32 (n).
  private static func places(_ plan: AxisPlan, _ mode: String, _ graph: GraphBuilder) throws -> ValueID {
    let steps = try graph.append(
      .dynamic(.range),
      [try graph.scalar(int: 0, .i64), plan.output, try graph.scalar(int: 1, .i64)])
    let y = try graph.cast(steps, .f32)
    // The result's extent before it was rounded to a whole number.
    let length = try graph.multiply(plan.scale, plan.extent)
    let one = try graph.scalar(1, .f32)
    let isSingle = try graph.compare(.equal, length, one)
    func centered() throws -> ValueID {
      try graph.add(try graph.divide(try graph.add(y, 0.5), plan.scale), -0.5)
    }
    func aligned(_ span: ValueID) throws -> ValueID {
      let denominator = try graph.select(isSingle, one, try graph.subtract(length, one))
      return try graph.divide(try graph.multiply(y, span), denominator)
    }
    let span = try graph.add(plan.extent, -1)
    switch mode {
    case "half_pixel": return try centered()
    case "pytorch_half_pixel":
      return try graph.select(isSingle, try graph.scalar(-0.5, .f32), try centered())
    case "asymmetric": return try graph.divide(y, plan.scale)
    case "align_corners":
      return try graph.select(isSingle, try graph.scalar(0, .f32), try aligned(span))
    case "half_pixel_symmetric":
      let adjustment = try graph.divide(try graph.cast(plan.output, .f32), length)
      let offset = try graph.multiply(
        try graph.subtract(one, adjustment), try graph.multiply(plan.extent, 0.5))
      return try graph.add(try centered(), offset)
    case "tf_crop_and_resize":
      guard let start = plan.start, let end = plan.end else {
        throw NNError(.invalidGraph, "has no region of interest")
      }
      let part = try graph.multiply(try graph.subtract(end, start), span)
      let place = try graph.select(isSingle, try graph.multiply(part, 0.5), try aligned(part))
      return try graph.add(place, try graph.multiply(start, span))
    default:
      throw NNError(.unsupportedOperator, Message(text: "coordinate_transformation_mode \"\(mode)\""))
    }
  }

  private static func resampled(
    _ x: ValueID, _ axis: Int, _ plan: AxisPlan, _ settings: Settings, _ graph: GraphBuilder
  ) throws -> ValueID {
    let places = try places(plan, settings.transformation, graph)
    var result: ValueID
    if settings.mode == "nearest" {
      let index = try nearest(places, settings.nearest, graph)
      result = try graph.gather(x, try clamped(index, plan.extent, graph), axis: axis)
    } else {
      result = try interpolated(x, axis, places, plan, settings, graph)
    }
    guard settings.transformation == "tf_crop_and_resize" else { return result }
    let column = try alongAxis(places, axis, graph.rank(x), graph)
    let isBefore = try graph.compare(.less, column, try graph.scalar(0, .f32))
    let isAfter = try graph.compare(.greater, column, try graph.add(plan.extent, -1))
    let outside = try graph.scalar(settings.extrapolation, graph.dtype(result))
    result = try graph.select(isBefore, outside, result)
    return try graph.select(isAfter, outside, result)
  }

  static func clamped(_ index: ValueID, _ extent: Int, _ graph: GraphBuilder) throws -> ValueID {
    try clamped(index, try graph.scalar(Double(extent), .f32), graph)
  }

  /// The places of an axis next to any numbers; its extent is an f32 scalar.
  private static func clamped(_ index: ValueID, _ extent: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    if let known = graph.constant(extent)?.floats?.first {
      return try graph.cast(try graph.unary(.clip, index, alpha: 0, beta: max(known - 1, 0)), .i64)
    }
    let zero = try graph.scalar(0, .f32)
    let last = try graph.binary(.maximum, try graph.add(extent, -1), zero)
    return try graph.cast(try graph.binary(.minimum, try graph.binary(.maximum, index, zero), last), .i64)
  }

  /// A vector along one axis of a tensor of `rank` axes.
  private static func alongAxis(_ vector: ValueID, _ axis: Int, _ rank: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    var dimensions = [Dimension](repeating: .fixed(1), count: rank)
    dimensions[axis] = graph.shape(vector)[0]
    return try graph.reshape(vector, Shape(dimensions))
  }

  private static func nearest(_ places: ValueID, _ mode: String, _ graph: GraphBuilder) throws -> ValueID {
    switch mode {
    case "floor": return try graph.unary(.floor, places)
    case "ceil": return try graph.unary(.ceiling, places)
    case "round_prefer_floor": return try graph.unary(.ceiling, try graph.add(places, -0.5))
    case "round_prefer_ceil": return try graph.unary(.floor, try graph.add(places, 0.5))
    default: throw NNError(.invalidGraph, Message(text: "nearest_mode \"\(mode)\""))
    }
  }

  /// A sum of neighbours, each with the weight that its distance gives it.
  private static func interpolated(
    _ x: ValueID, _ axis: Int, _ places: ValueID, _ plan: AxisPlan, _ settings: Settings,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let isCubic = settings.mode == "cubic"
    guard isCubic || settings.mode == "linear" || settings.mode == "bilinear" else {
      throw NNError(.invalidGraph, Message(text: "mode \"\(settings.mode)\""))
    }
    var radius = isCubic ? 2 : 1
    // Where the result is smaller, antialiasing stretches the weights over more neighbours.
    var stretch: ValueID?
    if settings.antialiases {
      let scale = try graph.binary(.minimum, plan.scale, try graph.scalar(1, .f32))
      stretch = scale
      guard let known = graph.constant(scale)?.floats?.first, known > 0 else {
        return try denselyInterpolated(x, axis, places, plan, scale, settings, graph)
      }
      let reach = (Float(radius) / known).rounded(.up)
      guard reach <= 4096 else { throw NNError(.limitExceeded, "antialiasing by a scale of nearly 0") }
      radius = Int(reach)
    }
    let base = try graph.unary(.floor, places)
    let fraction = try graph.subtract(places, base)
    var taps: [(index: ValueID, weight: ValueID)] = []
    for offset in (1 - radius)...radius {
      let index = try graph.add(base, Double(offset))
      var distance = try graph.unary(
        .absolute, try graph.subtract(try graph.scalar(Double(offset), .f32), fraction))
      if let stretch { distance = try graph.multiply(distance, stretch) }
      var weight = isCubic ? try cubic(distance, settings.cubic, graph) : try linear(distance, graph)
      if settings.excludesOutside {
        let zero = try graph.scalar(0, .f32)
        weight = try graph.select(try graph.compare(.less, index, zero), zero, weight)
        let last = try graph.add(plan.extent, -1)
        weight = try graph.select(try graph.compare(.greater, index, last), zero, weight)
      }
      taps.append((index, weight))
    }
    if settings.excludesOutside || settings.antialiases {
      let sum = try taps.dropFirst().reduce(taps[0].weight) { try graph.add($0, $1.weight) }
      for tap in taps.indices { taps[tap].weight = try graph.divide(taps[tap].weight, sum) }
    }
    var result: ValueID?
    for tap in taps {
      let elements = try graph.gather(x, try clamped(tap.index, plan.extent, graph), axis: axis)
      let weight = try graph.cast(try alongAxis(tap.weight, axis, graph.rank(x), graph), graph.dtype(x))
      let part = try graph.multiply(elements, weight)
      result = try result.map { try graph.add($0, part) } ?? part
    }
    return result ?? x
  }

  /// Antialiasing by a scale that is a value: every element within three extents of the axis is a neighbour, most with weight 0.
  private static func denselyInterpolated(
    _ x: ValueID, _ axis: Int, _ places: ValueID, _ plan: AxisPlan, _ scale: ValueID, _ settings: Settings,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    guard let extent = graph.shape(x)[axis].extent, extent <= 1024 else {
      throw NNError(.unsupportedOperator, "antialiasing by a scale that is not known before the model runs")
    }
    let count = 3 * extent
    let index = try graph.add(
      try graph.cast(try graph.positions(count, axis: 0, rank: 2), .f32), -Double(extent))
    let place = try graph.reshape(places, Shape([.fixed(1), .unknown]))
    let distance = try graph.multiply(try graph.unary(.absolute, try graph.subtract(index, place)), scale)
    var weights =
      settings.mode == "cubic" ? try cubic(distance, settings.cubic, graph) : try linear(distance, graph)
    if settings.excludesOutside {
      let isInside = try graph.compare(
        .equal, index, try graph.unary(.clip, index, alpha: 0, beta: Float(extent - 1)))
      weights = try graph.select(isInside, weights, try graph.scalar(0, .f32))
    }
    // (neighbours, places)
    weights = try graph.divide(weights, try graph.reduce(.sum, weights, [0]))
    let neighbours = try clamped(try graph.reshape(index, [count]), plan.extent, graph)
    let elements = try graph.gather(x, neighbours, axis: axis)
    return try graph.alongLastAxis(elements, axis) {
      try Products.product($0, try graph.cast(weights, graph.dtype(x)), graph)
    }
  }

  /// 1 − d, from 0 to 1.
  static func linear(_ distance: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    try graph.unary(.relu, try graph.subtract(try graph.scalar(1, like: distance), distance))
  }

  /// The cubic convolution kernel of Keys 1981 with parameter a, for distances of 0 or more.
  static func cubic(_ distance: ValueID, _ a: Double, _ graph: GraphBuilder) throws -> ValueID {
    let d = distance
    // Up to 1: ((a + 2)·d − (a + 3))·d² + 1.
    let near = try graph.add(try graph.multiply(d, a + 2), -(a + 3))
    let inner = try graph.add(try graph.multiply(try graph.multiply(near, d), d), 1)
    // From 1 to 2: ((a·d − 5a)·d + 8a)·d − 4a.
    let far = try graph.add(try graph.multiply(try graph.add(try graph.multiply(d, a), -5 * a), d), 8 * a)
    let outer = try graph.add(try graph.multiply(far, d), -4 * a)
    let one = try graph.scalar(1, like: d)
    let isOutside = try graph.compare(.greaterOrEqual, d, try graph.scalar(2, like: d))
    let tail = try graph.select(isOutside, try graph.scalar(0, like: d), outer)
    return try graph.select(try graph.compare(.lessOrEqual, d, one), inner, tail)
  }
}
