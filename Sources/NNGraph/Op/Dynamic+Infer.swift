extension Dynamic {
  /// The types of the results as far as the inputs' types tell. Branches and loops: see ``Graph/inferOutputs(_:_:)``.
  func infer(_ inputs: [TensorType]) throws(NNError) -> [TensorType] {
    let x = inputs[0]
    switch self {
    case .shape: return [TensorType(.i64, [x.shape.rank])]
    case .reshape: return [TensorType(x.dtype, Shape.unknown(rank: try Dynamic.length(inputs[1], "shape")))]
    case .expand:
      let rank = max(x.shape.rank, try Dynamic.length(inputs[1], "shape"))
      return [TensorType(x.dtype, Shape.unknown(rank: rank))]
    case .slice(let axes):
      for (role, type) in zip(["starts", "ends", "steps"] as [StaticString], inputs.dropFirst()) {
        try Dynamic.requireLength(type, axes.count, role)
      }
      return [TensorType(x.dtype, try x.shape.forgetting(axes))]
    case .pad(let axes, _):
      try Dynamic.requireLength(inputs[1], 2 * axes.count, "amounts")
      return [TensorType(x.dtype, try x.shape.forgetting(axes))]
    case .range:
      guard x.dtype == .i32 || x.dtype == .i64 || x.dtype == .f32 else {
        throw NNError(.unsupportedOperator, "is not available for \(x.dtype.name)")
      }
      for (role, type) in zip(["start", "limit", "step"] as [StaticString], inputs) {
        try type.require(x.dtype, role)
        try Dynamic.requireOneElement(type, role)
      }
      return [TensorType(x.dtype, Shape.unknown(rank: 1))]
    case .nonZero:
      return [TensorType(.i64, Shape([.fixed(x.shape.rank), .unknown]))]
    case .unique(let axis, _):
      var distinct = Shape.unknown(rank: 1)
      if let axis { distinct = try x.shape.forgetting([axis]) }
      let count = TensorType(.i64, Shape.unknown(rank: 1))
      return [TensorType(x.dtype, distinct), count, count, count]
    case .nonMaxSuppression:
      try x.require(.f32, "boxes")
      try inputs[1].require(.f32, "scores")
      guard x.shape.rank == 3, x.shape[2].mayEqual(.fixed(4)), inputs[1].shape.rank == 3,
        inputs[1].shape[0].mayEqual(x.shape[0]), inputs[1].shape[2].mayEqual(x.shape[1])
      else {
        throw NNError(
          .shapeMismatch,
          "boxes \(x.shape.description) and scores \(inputs[1].shape.description) are not (B, S, 4) and (B, C, S)"
        )
      }
      for (role, type) in zip(["most boxes", "overlap", "score"] as [StaticString], inputs.dropFirst(2)) {
        try Dynamic.requireOneElement(type, role)
      }
      try inputs[2].require(.i64, "most boxes")
      try inputs[3].require(.f32, "overlap")
      try inputs[4].require(.f32, "score")
      return [TensorType(.i64, Shape([.unknown, .fixed(3)]))]
    case .branch, .loop: throw NNError(.invalidGraph, "has bodies, whose graph is not at hand")
    }
  }

  static func requireOneElement(_ type: TensorType, _ role: StaticString) throws(NNError) {
    for dimension in type.shape.dimensions where !dimension.mayEqual(.fixed(1)) {
      throw NNError(.shapeMismatch, "\(role) has shape \(type.shape.description) instead of one element")
    }
  }

  private static func requireLength(_ type: TensorType, _ count: Int, _ role: StaticString) throws(NNError) {
    try type.require(.i64, role)
    guard type.shape.rank == 1, type.shape[0].mayEqual(.fixed(count)) else {
      throw NNError(.shapeMismatch, "\(role) has shape \(type.shape.description) instead of (\(count))")
    }
  }

  /// How many numbers a shape tensor holds: the result's rank.
  private static func length(_ type: TensorType, _ role: StaticString) throws(NNError) -> Int {
    try type.require(.i64, role)
    guard type.shape.rank == 1, let count = type.shape[0].extent else {
      throw NNError(.shapeMismatch, "\(role) has shape \(type.shape.description) instead of one known extent")
    }
    guard count <= Shape.maximumRank else {
      throw NNError(
        .limitExceeded, "a tensor of rank \(count); at most \(Shape.maximumRank) axes are supported")
    }
    return count
  }
}

extension Shape {
  static func unknown(rank: Int) -> Shape { Shape([Dimension](repeating: .unknown, count: rank)) }

  /// This shape without the extents of some axes, which must be distinct.
  fileprivate func forgetting(_ axes: [Int]) throws(NNError) -> Shape {
    var result = self
    var seen = 0
    for axis in axes {
      try requireAxis(axis)
      guard seen & (1 << axis) == 0 else { throw NNError(.invalidGraph, "axis \(axis) stands twice") }
      seen |= 1 << axis
      result[axis] = .unknown
    }
    return result
  }
}
