import NNGraph

/// The version of the standard's operators that a model is written for.
struct OperatorSet {
  /// 20 is the first with Gelu, and old enough for engines to know; newer ones are for the element types that they brought.
  private(set) var version = 20

  /// The version of the representation that came with it.
  var representation: Int {
    switch version {
    case ...20: 9
    case 21...22: 10
    case 23: 11
    case 24: 12
    default: 13
    }
  }

  /// The least one that has what a graph and its bodies need.
  init(_ graph: Graph) {
    include(graph)
  }

  private mutating func include(_ graph: Graph) {
    for value in graph.values { version = max(version, OperatorSet.first(with: value.type.dtype)) }
    for node in graph.nodes {
      if case .cast(_, let mode) = node.op { version = max(version, OperatorSet.first(with: mode)) }
    }
    for body in graph.bodies { include(body) }
  }

  private static func first(with dtype: DType) -> Int {
    switch dtype {
    case .f32, .f64, .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool, .f8e4m3fn, .f8e4m3fnuz,
      .f8e5m2, .f8e5m2fnuz:
      20
    case .i4, .u4: 21
    case .f4e2m1: 23
    case .f8e8m0: 24
    case .i2, .u2: 25
    }
  }

  private static func first(with mode: CastMode) -> Int {
    switch mode {
    case .standard, .overflowing, .clamping: 20
    case .powerDown, .powerNearest, .powerDownOverflowing, .powerNearestOverflowing: 24
    case .bits: 26
    }
  }
}
